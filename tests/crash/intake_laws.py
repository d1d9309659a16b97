"""Laws between the raw topics, the journal and the dead letters: every raw record has exactly one fate.

An accepted record is in the journal exactly once, with its own content, stamped with the broker's arrival time, in the
customer's home partition, and in the order of its raw partition. A refused one is in the dead letters exactly once,
byte for byte. Decodes with the standard library and msgspec's untyped decoder: none of the product's types.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from tests.crash.evidence import Entry, Evidence, Finding, finding, header, home
from tests.crash.workload import EXPECT_HEADER

CONTROL_PREFIX = b"\x00"  # keys of ticks, activations and closings; no customer id starts with NUL
CLOCK_KEYS = (b"\x00clock.advanced", b"\x00clock.closed")
DEFAULTS = ("", None)
"""Left out of the journal."""
Origin = tuple[str, Entry]  # raw topic and record
Fingerprint = tuple[int, bytes]  # recorded instant and canonical content


def epoch_ms(text: str) -> int:
    """RFC 3339 to epoch milliseconds, independent of the product's own parser."""
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def fields(value: bytes) -> dict[str, Any]:
    """The event's own fields of a flat native record or a structured CloudEvent."""
    event: dict[str, Any] = msgspec.json.decode(value)
    if "specversion" in event:
        kind = event["type"].removeprefix("tierstream.").rsplit(".v", 1)[0]
        event = {**event["data"], "type": kind, "id": event["id"], "source": event["source"], "time": event["time"]}
    return event


def fingerprint(event: dict[str, Any], recorded_ms: int) -> Fingerprint:
    """Equal for a raw record and its journal record, whatever the order of fields and the spelling of the time."""
    content = {key: _plain(value) for key, value in event.items() if value not in DEFAULTS and key != "recordedtime"}
    content["time"] = epoch_ms(event["time"])
    return recorded_ms, msgspec.json.encode(content, order="deterministic")


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """4.0 and 4 are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def control(entry: Entry) -> bool:
    """Whether a journal record is a tick, an activation or a closing."""
    return entry.key is not None and entry.key.startswith(CONTROL_PREFIX)


def check_intake(evidence: Evidence) -> Iterator[Finding]:
    """Findings of all laws of this module."""
    refused: dict[tuple[str, int, int], Entry] = {}
    yield from _dead_letters(evidence, refused)
    origins: dict[Fingerprint, list[Origin]] = defaultdict(list)
    yield from _clock(evidence)
    for topic, entries in evidence.raw.items():
        for entry in entries:
            if not control(entry) and (topic, entry.partition, entry.offset) not in refused:
                yield from _accepted(evidence, topic, entry, origins)
    yield from _journal(evidence, origins)


def _clock(evidence: Evidence) -> Iterator[Finding]:
    """Under the event clock, the feed's clock records reach the journal partition of their number, in order."""
    told: dict[int, list[bytes]] = defaultdict(list)
    for entries in evidence.raw.values():
        for entry in entries:
            if control(entry):
                told[entry.partition].append(entry.value or b"")
    heard: dict[int, list[bytes]] = defaultdict(list)
    for entry in evidence.journal:
        if entry.key in CLOCK_KEYS:
            heard[entry.partition].append(entry.value or b"")
    for partition in range(evidence.partitions):
        if told[partition] != heard[partition]:
            detail = f"{len(heard[partition])} clock records in the journal, {len(told[partition])} were fed, or others"
            yield Finding("clock", "journal", partition, -1, "-", detail)


def _dead_letters(evidence: Evidence, refused: dict[tuple[str, int, int], Entry]) -> Iterator[Finding]:
    """Each dead letter of a raw record is that record, refused once and for a reason that it deserves."""
    by_place = {
        (topic, entry.partition, entry.offset): entry for topic in evidence.raw for entry in evidence.raw[topic]
    }
    for letter in evidence.dead_letters:
        topic = header(letter, "tierstream-dlq-topic") or "?"
        if topic == evidence.journal_topic:
            continue
        place = (
            topic,
            int(header(letter, "tierstream-dlq-partition") or -1),
            int(header(letter, "tierstream-dlq-offset") or -1),
        )
        raw = by_place.get(place)
        if raw is None:
            yield finding("dead_letter_foreign", "dead-letters", letter, f"no raw record at {place}")
            continue
        if place in refused:
            yield finding("dead_letter_doubled", "dead-letters", letter, f"raw record {place}")
        refused[place] = letter
        kept = list(letter.headers[: len(raw.headers)])
        if (letter.key, letter.value, kept) != (raw.key, raw.value, list(raw.headers)):
            yield finding("dead_letter_altered", "dead-letters", letter, f"differs from the raw record {place}")
        reason, allowed = header(letter, "tierstream-dlq-reason"), header(raw, EXPECT_HEADER)
        if allowed is None:
            detail = f"{reason} {header(letter, 'tierstream-dlq-detail')}"
            yield finding("good_record_refused", "dead-letters", letter, detail)
        elif reason not in allowed.split("|"):
            yield finding("refusal_reason", "dead-letters", letter, f"{reason} instead of {allowed}")


def _accepted(
    evidence: Evidence, topic: str, entry: Entry, origins: dict[Fingerprint, list[Origin]]
) -> Iterator[Finding]:
    """Remember what the journal must hold for one raw record."""
    if entry.value is None:
        return
    if header(entry, EXPECT_HEADER) is not None:
        yield finding("not_refused", topic, entry, f"must be refused as {header(entry, EXPECT_HEADER)}")
        return
    try:
        event = fields(entry.value)
        recorded_ms = epoch_ms(event["time"]) if evidence.event_clock else entry.timestamp
        origins[fingerprint(event, recorded_ms)].append((topic, entry))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        yield finding("raw_record_lost", topic, entry, f"unusable ({error!r}) and not in the dead letters")


def _journal(evidence: Evidence, origins: dict[Fingerprint, list[Origin]]) -> Iterator[Finding]:
    """Match journal records with raw ones, in order."""
    matched: dict[Fingerprint, int] = defaultdict(int)
    last: dict[tuple[str, int, int], int] = {}
    for entry in evidence.journal:
        if control(entry):
            continue
        event = fields(entry.value or b"{}")
        yield from _place(evidence, entry, event)
        mark = fingerprint(event, epoch_ms(event["recordedtime"]))
        found = origins.get(mark)
        matched[mark] += 1
        if found is None:
            yield finding("journal_foreign", "journal", entry, "no raw record has this content and arrival time")
        elif matched[mark] > len(found):
            yield finding("journal_doubled", "journal", entry, f"{len(found)} in the raw topics")
        elif len(found) == 1:  # of equal repeats within one millisecond nobody can say which is which
            topic, raw = found[0]
            line = (topic, raw.partition, entry.partition)
            if last.get(line, -1) >= raw.offset:
                yield finding("journal_order", "journal", entry, f"{topic}[{raw.partition}]@{raw.offset} came too late")
            last[line] = raw.offset
    for mark, found in origins.items():
        for topic, raw in found[matched[mark] :]:
            yield finding("journal_lost", topic, raw, "accepted, not in the journal")


def _place(evidence: Evidence, entry: Entry, event: dict[str, Any]) -> Iterator[Finding]:
    """A journal record is keyed by its customer and lies in the customer's home partition."""
    customer = event.get("customer_id") or f"anonymous:{event.get('anonymous_id')}"
    place = home(customer.encode(), evidence.partitions)
    if entry.key != customer.encode():
        yield finding("journal_key", "journal", entry, "the key is not the customer's id")
    if place != entry.partition:
        yield finding("journal_misplaced", "journal", entry, f"home is {place}")
