"""A small finished run made without a broker: a shop's records, a plausible journal, and what it folds to.

The journal is put together here from the raw records alone (in their partitions' order, stamped, at home); states,
changes and profiles come from the reference fold, so a faultless sample is exact by construction, and what is tested
with it is whether the checker sees a fault that was planted.
"""

import json
import random
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from schemas.clock import format_instant
from schemas.journal import PolicyActivated, control_key, encode_journal
from streams.policy.parse import canonical, parse
from streams.policy.presets import preset_text
from tests.crash.evidence import Entry, Evidence, home
from tests.crash.intake_laws import epoch_ms, fields
from tests.crash.output_laws import TYPES
from tests.crash.reference import Expected, fold
from tests.crash.workload import EXPECT_HEADER, Mix, Raw, Shop

PARTITIONS: Final = 4
STARTED_MS: Final = 1_795_000_000_000  # 2026-11-18
EMPTY: Final[Mapping[str, str]] = {}
Headers = list[tuple[str, bytes]]


class Log:
    """One topic being written."""

    def __init__(self) -> None:
        self._partitions: dict[int, list[Entry]] = defaultdict(list)

    def append(self, partition: int, key: bytes | None, value: bytes, headers: Headers, timestamp: int = 0) -> Entry:
        """Write one record at the end of a partition; control records leave gaps between offsets, so here too."""
        offset = len(self._partitions[partition]) * 2
        entry = Entry(key, value, headers, partition, offset, timestamp)
        self._partitions[partition].append(entry)
        return entry

    def entries(self) -> list[Entry]:
        """All records in (partition, offset) order."""
        return [entry for _, entries in sorted(self._partitions.items()) for entry in entries]


def sample(seed: int = 1, count: int = 6_000, *, customers: int = 150) -> Evidence:
    """A faultless run."""
    shop = Shop(seed, Mix(customers=customers, partitions=PARTITIONS))
    raw_logs: dict[str, Log] = defaultdict(Log)
    raw: list[tuple[str, Entry]] = []
    for n, record in enumerate(shop.records(STARTED_MS, count, step_ms=7)):
        raw.append(_send(raw_logs, record, STARTED_MS + 7 * n))
    journal, letters = _journal(raw, random.Random(seed))
    expected = fold(journal, PARTITIONS)
    _refusals(expected, letters)
    return Evidence(
        partitions=PARTITIONS,
        raw={topic: log.entries() for topic, log in raw_logs.items()},
        journal=journal,
        changelog=_changelog(expected),
        tier_changes=_published("tier-changes", expected),
        churn_risk=_published("churn-risk", expected),
        notices=_published("notices", expected),
        profiles=_profiles(expected),
        dead_letters=letters.entries(),
    )


def _send(logs: dict[str, Log], record: Raw, now_ms: int) -> tuple[str, Entry]:
    return record.topic, logs[record.topic].append(record.partition, record.key, record.value, record.headers, now_ms)


def _journal(raw: list[tuple[str, Entry]], dice: random.Random) -> tuple[list[Entry], Log]:
    """Accepted records at home, in an order that mixes raw partitions but keeps each in its own."""
    log, letters = Log(), Log()
    for partition in range(PARTITIONS):
        log.append(partition, *activation(STARTED_MS - 1000))
    for topic, entry in _shuffled(raw, dice):
        if any(name == EXPECT_HEADER for name, _ in entry.headers):
            reason = dict(entry.headers)[EXPECT_HEADER].decode().split("|")[0]
            letters.append(
                entry.partition, entry.key, entry.value or b"", [*entry.headers, *_dlq(topic, entry, reason)]
            )
            continue
        key, value = journalled(entry.value or b"", entry.timestamp)
        log.append(home(key, PARTITIONS), key, value, [])
    return log.entries(), letters


def journalled(raw: bytes, recorded_ms: int | None) -> tuple[bytes, bytes]:
    """Key and value of an event in the journal; stamped with its own time when no other is given (the event clock)."""
    event = fields(raw)
    occurred_ms = epoch_ms(event["time"])
    event["time"] = format_instant(occurred_ms)
    event["recordedtime"] = format_instant(occurred_ms if recorded_ms is None else recorded_ms)
    key = (event.get("customer_id") or f"anonymous:{event['anonymous_id']}").encode()
    return key, json.dumps(event, ensure_ascii=False).encode()


def _shuffled(raw: list[tuple[str, Entry]], dice: random.Random) -> list[tuple[str, Entry]]:
    queues: dict[tuple[str, int], list[tuple[str, Entry]]] = defaultdict(list)
    for topic, entry in reversed(raw):
        queues[topic, entry.partition].append((topic, entry))
    order = [(topic, entry.partition) for topic, entry in raw]
    for start in range(0, len(order), 50):
        part = order[start : start + 50]
        dice.shuffle(part)
        order[start : start + 50] = part
    return [queues[line].pop() for line in order]


def activation(effective_at: int, edits: Mapping[str, str] = EMPTY) -> tuple[bytes, bytes, Headers]:
    """An activation of the default policy, with texts of it replaced, as `Log.append` takes it."""
    text = preset_text("default")
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    policy = parse(text, currency="USD", time_zone="UTC")
    assert not isinstance(policy, list)
    record = PolicyActivated(
        id=f"p-{effective_at}",
        effective_at=format_instant(effective_at),
        name=policy.name,
        hash=policy.hash,
        text=canonical(policy),
    )
    return control_key(record), encode_journal(record), []


def _dlq(topic: str, entry: Entry, reason: str) -> Headers:
    values = {"reason": reason, "topic": topic, "partition": entry.partition, "offset": entry.offset}
    return [(f"tierstream-dlq-{name}", str(value).encode()) for name, value in values.items()]


def _refusals(expected: Expected, letters: Log) -> None:
    for key, refusals in expected.refusals.items():
        place = Entry(key, None, [], home(key, PARTITIONS), 0, 0)
        for refusal in refusals:
            letters.append(place.partition, key, refusal.value, _dlq("customer-events", place, refusal.reason))


def _changelog(expected: Expected) -> list[Entry]:
    log = Log()
    for partition in range(PARTITIONS):
        log.append(partition, b"\x00runtime:position", b"7", [])
    for key, state in expected.states.items():
        log.append(home(key, PARTITIONS), key, b"an older state", [])
        log.append(home(key, PARTITIONS), key, state, [])
    return log.entries()


def _published(topic: str, expected: Expected) -> list[Entry]:
    log = Log()
    for key, changes in expected.changes[topic].items():
        for change in changes:
            log.append(home(key, PARTITIONS), key, *_envelope(topic, change.id, key, change.data))
    return log.entries()


def _profiles(expected: Expected) -> list[Entry]:
    log = Log()
    for key, data in expected.profiles.items():
        log.append(home(key, PARTITIONS), key, *_envelope("customer-profiles", f"profile of {key!r}", key, data))
    return log.entries()


def _envelope(topic: str, change_id: str, key: bytes, data: bytes) -> tuple[bytes, Headers]:
    told = json.loads(data)
    kind = TYPES[topic]["withdraws" in told]
    event = {"id": change_id, "type": kind, "source": "t", "time": told["effective_at"], "subject": key.decode()}
    value = json.dumps(event, ensure_ascii=False).encode()[:-1] + b',"data":' + data + b"}"
    return value, [(f"ce_{name}", text.encode()) for name, text in event.items()]
