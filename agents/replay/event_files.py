"""What the topics hold as files, one JSON object per line, so that two runs can be compared byte by byte.

Lines stand in key, then topic order. Only what depends on the run is left out: ticks, the clock's daily advance, and
where a record lay. Of control records, activations come first, in their order, and the clock's end last.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import msgspec

from schemas.journal import (
    ClockClosed,
    CountersDeclared,
    ModelActivated,
    PolicyActivated,
    decode_journal,
    encode_journal,
    is_control_key,
)

JOURNAL = "customer-events"
CHANGES = ("tier-changes", "churn-risk", "notices")
"""Topics on which decisions are published, each with a sequence per customer."""
PROFILES = "customer-profiles"
DEAD_LETTERS = "dead-letters"
FILES = {JOURNAL: "journal.jsonl", **{topic: f"{topic}.jsonl" for topic in CHANGES}} | {
    PROFILES: "profiles.jsonl",
    DEAD_LETTERS: "dead-letters.jsonl",
}
"""Topic to file."""

Line = tuple[bytes, bytes]
"""Key and line."""
Headers = Sequence[tuple[str, bytes | None]]

_CLOSED_KEY = b"\x00clock.closed"
_PASSING_KEYS = frozenset({b"\x00clock.tick", b"\x00clock.advanced"})
_COORDINATES = frozenset({"tierstream-dlq-partition", "tierstream-dlq-offset", "tierstream-dlq-timestamp"})


class Collector:
    """The lines that the records of a topic make; any set of whole partitions may be given, each in its order."""

    def __init__(self, topic: str) -> None:
        self._line_of = LINE_OF[topic]
        self._last_only = topic == PROFILES
        self._lines: list[Line] = []
        self._last: dict[bytes, Line] = {}

    @property
    def lines(self) -> list[Line]:
        """What has been collected."""
        return [*self._lines, *self._last.values()]

    def take(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Add a record."""
        key, line = key or b"", self._line_of(key, value, headers)
        if self._last_only:
            self._last.pop(key, None)
            if line is not None:
                self._last[key] = key, line
        elif line is not None:
            self._lines.append((key, line))


def write_file(folder: Path, topic: str, lines: Iterable[Line]) -> int:
    """Write one topic's file from the lines of all its partitions; returns how many there are.

    A key lies in one partition, so the order of arrival is kept. Control records, the same in all partitions, are
    written once.
    """
    return write_sorted(folder, topic, sorted(lines, key=collation))


def collation(line: Line) -> bytes:
    """What lines are sorted by: the key. Control records share one, since a model follows the policy before it."""
    return b"\0" if is_control_key(line[0]) else line[0]


def write_sorted(folder: Path, topic: str, lines: Iterable[Line]) -> int:
    """The same for lines that are sorted already, and may be more than memory holds."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILES[topic]).open("wb") as file:
        count = 0
        for line in _arranged(lines):
            file.write(line + b"\n")
            count += 1
    return count


def _arranged(lines: Iterable[Line]) -> Iterator[bytes]:
    closing: dict[bytes, None] = {}
    for control, group in groupby(lines, key=lambda line: is_control_key(line[0])):
        if not control:  # control keys begin with a zero byte: they sort first
            yield from (line for _, line in group)
            continue
        found = dict.fromkeys(group)
        yield from (line for key, line in found if key != _CLOSED_KEY)
        closing = {line: None for key, line in found if key == _CLOSED_KEY}
    yield from closing


def _value(_key: bytes | None, value: bytes | None, _headers: Headers) -> bytes | None:
    return value


def _journal(key: bytes | None, value: bytes | None, _headers: Headers) -> bytes | None:
    """Events, activations and the clock's end; these lie in every partition, each with the partition's number."""
    if key in _PASSING_KEYS or value is None:
        return None
    if is_control_key(key):
        control = decode_journal(value)
        if isinstance(control, PolicyActivated | ModelActivated | CountersDeclared | ClockClosed):
            return encode_journal(msgspec.structs.replace(control, home=None))
    return value


def _dead_letter(key: bytes | None, value: bytes | None, headers: Headers) -> bytes:
    """Key, original value and headers as text, since a refused value may be anything."""
    told = {
        name: _text(value)
        for name, value in sorted(headers, key=itemgetter(0))
        if name not in _COORDINATES and not name.startswith("kafka_dlt-")
    }
    return msgspec.json.encode({"key": _text(key), "value": _text(value), "headers": told})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


LINE_OF: dict[str, Callable[[bytes | None, bytes | None, Headers], bytes | None]] = {
    JOURNAL: _journal,
    **dict.fromkeys(CHANGES, _value),
    PROFILES: _value,
    DEAD_LETTERS: _dead_letter,
}
"""Topic to what a record becomes: its line, or None."""
