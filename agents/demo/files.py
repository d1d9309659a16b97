"""Writes what the topics hold as files, one JSON object per line, so that two runs can be compared byte by byte.

Lines stand in key, then topic order. Only what depends on the run is left out: ticks, clock records, and where a record
lay.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from agents.demo.reading import Held
from schemas.journal import PolicyActivated, decode_journal, encode_journal, is_control_key

FILES = {
    "customer-events": "journal.jsonl",
    "tier-changes": "tier-changes.jsonl",
    "churn-risk": "churn-risk.jsonl",
    "customer-profiles": "profiles.jsonl",
    "dead-letters": "dead-letters.jsonl",
}
"""Topic to file."""

_CLOCK_KEYS = frozenset({b"\x00clock.tick", b"\x00clock.advanced", b"\x00clock.closed"})
_COORDINATES = frozenset({"tierstream-dlq-partition", "tierstream-dlq-offset", "tierstream-dlq-timestamp"})


def write_topic(folder: Path, topic: str, records: Iterable[Held]) -> int:
    """Write one topic's file and return the number of its lines."""
    lines = _WRITERS[topic](records)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILES[topic]).open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
    return len(lines)


def _values(records: Iterable[Held]) -> list[bytes]:
    """All values by key; a key lies in one partition, so the order of arrival is kept."""
    return [record.value for record in _by_key(records) if record.value is not None]


def _journal(records: Iterable[Held]) -> list[bytes]:
    """Events, and each policy activation once: every partition holds the same one, but for the partition's number."""
    activations: dict[bytes, None] = {}
    events = []
    for record in _by_key(records):
        if record.value is None or record.key in _CLOCK_KEYS:
            continue
        if is_control_key(record.key):
            activations[_without_home(record.value)] = None
        else:
            events.append(record.value)
    return [*activations, *events]


def _without_home(value: bytes) -> bytes:
    record = decode_journal(value)
    if isinstance(record, PolicyActivated):
        return encode_journal(msgspec.structs.replace(record, home=None))
    return value


def _profiles(records: Iterable[Held]) -> list[bytes]:
    """The last value of each key; erased customers (no value) leave no line."""
    last = {record.key or b"": record.value for record in records}
    return [value for _, value in sorted(last.items()) if value is not None]


def _dead_letters(records: Iterable[Held]) -> list[bytes]:
    """Key, original value and headers as text, since a refused value may be anything."""
    return [
        msgspec.json.encode(
            {
                "key": _text(record.key),
                "value": _text(record.value),
                "headers": {
                    name: _text(value)
                    for name, value in sorted(record.headers)
                    if name not in _COORDINATES and not name.startswith("kafka_dlt-")
                },
            },
        )
        for record in _by_key(records)
    ]


def _by_key(records: Iterable[Held]) -> list[Held]:
    return sorted(records, key=lambda record: record.key or b"")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


_WRITERS: dict[str, Callable[[Iterable[Held]], list[bytes]]] = {
    "customer-events": _journal,
    "tier-changes": _values,
    "churn-risk": _values,
    "customer-profiles": _profiles,
    "dead-letters": _dead_letters,
}
