"""What the topics hold as files, one JSON object per line, so that two runs can be compared byte by byte.

Lines stand in key, then topic order. Only what depends on the run is left out: ticks, clock records, and where a record
lay.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path

import msgspec

from agents.demo.reading import Held
from schemas.journal import PolicyActivated, decode_journal, encode_journal, is_control_key

PROFILES = "customer-profiles"
FILES = {
    "customer-events": "journal.jsonl",
    "tier-changes": "tier-changes.jsonl",
    "churn-risk": "churn-risk.jsonl",
    "notices": "notices.jsonl",
    PROFILES: "profiles.jsonl",
    "dead-letters": "dead-letters.jsonl",
}
"""Topic to file."""

Line = tuple[bytes, bytes]
"""Key and line."""

_CLOCK_KEYS = frozenset({b"\x00clock.tick", b"\x00clock.advanced", b"\x00clock.closed"})
_COORDINATES = frozenset({"tierstream-dlq-partition", "tierstream-dlq-offset", "tierstream-dlq-timestamp"})


class Collector:
    """The lines that the records of a topic make; any set of whole partitions may be given, each in its order."""

    def __init__(self, topic: str) -> None:
        self._line_of = _LINE_OF[topic]
        self._last_only = topic == PROFILES
        self._lines: list[Line] = []
        self._last: dict[bytes, Line] = {}

    @property
    def lines(self) -> list[Line]:
        """What has been collected."""
        return [*self._lines, *self._last.values()]

    def take(self, record: Held) -> None:
        """Add a record."""
        key, line = record.key or b"", self._line_of(record)
        if self._last_only:
            self._last.pop(key, None)
            if line is not None:
                self._last[key] = key, line
        elif line is not None:
            self._lines.append((key, line))


def write_file(folder: Path, topic: str, lines: Sequence[Line]) -> int:
    """Write one topic's file from the lines of all its partitions; returns how many there are.

    A key lies in one partition, so the order of arrival is kept. Control records, the same in all partitions, are
    written once.
    """
    control = dict.fromkeys(line for line in lines if is_control_key(line[0]))
    ordered = sorted((line for line in lines if not is_control_key(line[0])), key=itemgetter(0))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILES[topic]).open("wb") as file:
        file.writelines(line + b"\n" for _, line in (*control, *ordered))
    return len(control) + len(ordered)


def _value(record: Held) -> bytes | None:
    return record.value


def _journal(record: Held) -> bytes | None:
    """Events and policy activations; these lie in every partition, each with the partition's number."""
    if record.key in _CLOCK_KEYS or record.value is None:
        return None
    if is_control_key(record.key):
        control = decode_journal(record.value)
        if isinstance(control, PolicyActivated):
            return encode_journal(msgspec.structs.replace(control, home=None))
    return record.value


def _dead_letter(record: Held) -> bytes:
    """Key, original value and headers as text, since a refused value may be anything."""
    headers = {
        name: _text(value)
        for name, value in sorted(record.headers)
        if name not in _COORDINATES and not name.startswith("kafka_dlt-")
    }
    return msgspec.json.encode({"key": _text(record.key), "value": _text(record.value), "headers": headers})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


_LINE_OF: dict[str, Callable[[Held], bytes | None]] = {
    "customer-events": _journal,
    "tier-changes": _value,
    "churn-risk": _value,
    "notices": _value,
    PROFILES: _value,
    "dead-letters": _dead_letter,
}
