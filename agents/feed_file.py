"""A file of events, one JSON object per line: which lines can be sent, where, in which order. Reads, never sends."""

import hashlib
import mmap
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.user_files import refuse_utf16, unreadable
from schemas.clock import parse_instant
from schemas.events import TOPIC_OF, InputEvent, type_of
from schemas.journal import journal_key
from schemas.rejections import Rejected
from streams.intake import understood

FINGERPRINT_DIGITS = 16


class Ready(NamedTuple):
    """An event that can be sent."""

    line: int
    topic: str
    """The catalogue's name."""
    key: bytes
    """The customer's, as the journal will have it."""
    value: bytes
    occurred_at: int
    """Epoch ms."""
    place: int = 0
    """Place in the feed, where that is not the line."""


class PassedLine(NamedTuple):
    """A line that gives no event and is no mistake."""

    line: int
    cause: str
    """`duplicate`, or why a record of the format means nothing here."""
    detail: str


class RefusedLine(NamedTuple):
    """A line that intake would refuse: it stays where it is, to be corrected there."""

    line: int
    reason: str
    detail: str


def ready(event: InputEvent, value: bytes, *, line: int = 0) -> Ready:
    """A checked event and its bytes, with where they go."""
    return Ready(line, TOPIC_OF[type_of(event)], journal_key(event), value, parse_instant(event.time))


class EventFile:
    """An open file of events; made by `open_events`."""

    def __init__(self, content: bytes | mmap.mmap) -> None:
        self._content = content
        self.size = len(content)
        self.fingerprint = hashlib.sha256(content).hexdigest()[:FINGERPRINT_DIGITS]
        """Names the content: the same file sent again is recognised by it."""

    def in_file_order(self) -> Iterator[Ready | RefusedLine]:
        """Every line that is not blank, judged, in the order of the file."""
        return (judged(self._line(start, end), line) for line, start, end in self._lines())

    def in_time_order(self) -> tuple[list[RefusedLine], Iterator[Ready]]:
        """What is refused, and the rest in (time, id) order. Holds an index of the file in memory, not the file."""
        refused: list[RefusedLine] = []
        index: list[tuple[int, str, int, int, int]] = []
        for line, start, end in self._lines():
            event = understood(self._line(start, end))
            if isinstance(event, Rejected):
                refused.append(RefusedLine(line, event.reason.value, event.detail))
            else:
                index.append((parse_instant(event.time), event.id, line, start, end))
        index.sort()
        return refused, (self._at(*entry[2:]) for entry in index)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of every line that is not blank."""
        return ((line, self._line(start, end)) for line, start, end in self._lines())

    def raw_lines(self) -> Iterator[bytes]:
        """Every line with its end, blank ones too."""
        start = 0
        while start < self.size:
            newline = self._content.find(b"\n", start)
            end = self.size if newline < 0 else newline + 1
            yield bytes(self._content[start:end])
            start = end

    def _at(self, line: int, start: int, end: int) -> Ready:
        event = judged(self._line(start, end), line)
        assert isinstance(event, Ready)  # noqa: S101 - it was judged when the index was made
        return event

    def _line(self, start: int, end: int) -> bytes:
        line = bytes(self._content[start:end])
        return (line if start else line.removeprefix(BOM_UTF8)).strip()  # a file may begin with one, a record may not

    def _lines(self) -> Iterator[tuple[int, int, int]]:
        """Number, begin and end of every line that is not blank."""
        content, start, line = self._content, 0, 0
        while start < self.size:
            newline = content.find(b"\n", start)
            end = self.size if newline < 0 else newline
            line += 1
            if self._line(start, end):
                yield line, start, end
            start = end + 1


@contextmanager
def open_events(path: Path) -> Iterator[EventFile]:
    """Open a file of events; ConfigurationError when it cannot be read."""
    try:
        with path.open("rb") as file:
            # An empty file cannot be mapped.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
            refuse_utf16(content[:2], path, "The file of events")
    except OSError as error:
        raise unreadable(path, "The file of events", error) from error
    try:
        yield EventFile(content)
    finally:
        if isinstance(content, mmap.mmap):
            content.close()


def judged(value: bytes, line: int) -> Ready | RefusedLine:
    """One line as it can be sent, or why it cannot."""
    event = understood(value)
    if isinstance(event, Rejected):
        return RefusedLine(line, event.reason.value, event.detail)
    return ready(event, value, line=line)
