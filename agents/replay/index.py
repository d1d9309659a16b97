"""Where in a journal the records of one customer lie: sorted numbers in files that are never changed, only added to.

A segment covers a stretch of one unit of a journal. Per record it holds 8 bytes: 28 bits of the key's CRC-32 and 36
bits of the position behind the segment's first one; sorted, so that a customer is found by bisection in the mapped
file, without reading it. Two keys may share their bits: whoever looks up compares the keys. No id stands in it.
Control records are entered under their keys; ticks are not: of them the last instant per home is kept in the head.
"""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from agents.partitioning import home_of
from agents.replay.entry import Entry
from agents.replay.journal_file import Home
from agents.replay.unit import Journal
from schemas.clock import parse_canonical
from schemas.journal import ClockAdvanced, ClockClosed, ClockTick, GoLive, decode_journal, is_control_key

ENTRIES_MAX: Final = 4_000_000
"""Of a segment: what is sorted in memory at once."""
_POSITION_BITS: Final = 36
_POSITION_MASK: Final = (1 << _POSITION_BITS) - 1
_HASH_MASK: Final = (1 << 28) - 1
_ALIGNED: Final = 8
_BACKFILL: Final = b'"backfill":true'
_FORMAT: Final = 1
POLICY_KEY: Final = b"\x00policy.activated"
MODEL_KEY: Final = b"\x00model.activated"
DECLARED_KEY: Final = b"\x00counters.declared"
GO_LIVE_KEY: Final = b"\x00go-live"
EVERYWHERE: Final = -1
"""In place of a home's number: control records without a home."""


def history_key(home: Home | None) -> bytes:
    """Under which the first record of a history is entered, whosever it is: from there on a home loads it."""
    return b"\x00history-%d" % (EVERYWHERE if home is None else home[0])


class SegmentHead(msgspec.Struct, frozen=True, array_like=True):
    """What a segment covers, and how things stand at its end."""

    format: int
    journal: str
    proof: str
    base: int
    end: int
    """The first position behind it."""
    entries: int
    ticks: dict[int, int]
    """The latest instant that time was said to have passed to, by the home's number."""
    loading: list[int]
    """Homes that load a history."""


class Segment(NamedTuple):
    """One file."""

    head: SegmentHead
    path: Path
    begins: int
    """Where its numbers begin in the file."""

    def positions(self, key: bytes) -> list[int]:
        """Where records with the key's bits lie, ascending."""
        wanted = crc32(key) & _HASH_MASK
        with (
            self.path.open("rb") as file,
            mmap(file.fileno(), 0, access=ACCESS_READ) as mapped,
            memoryview(mapped) as whole,
            whole[self.begins :] as part,
            part.cast("Q") as numbers,
        ):
            first = bisect_left(numbers, wanted << _POSITION_BITS)
            last = bisect_left(numbers, (wanted + 1) << _POSITION_BITS)
            return [(numbers[at] & _POSITION_MASK) + self.head.base for at in range(first, last)]

    def numbers(self) -> "array[int]":
        """All of them."""
        found = array("Q")
        found.frombytes(self.path.read_bytes()[self.begins :])
        return found


class Marks:
    """What a reader of a journal keeps in mind of its control records: time per home, and whether a history loads."""

    def __init__(self, homes: list[Home | None], ticks: dict[int, int], loading: list[int]) -> None:
        self._homes, self.ticks, self._loading = homes, dict(ticks), set(loading)

    @property
    def loading(self) -> list[int]:
        """Homes that load a history."""
        return sorted(self._loading)

    def key_of(self, entry: Entry) -> bytes | None:
        """Under which key besides its own a record is to be found; None for none. Ticks have none at all: b''."""
        if is_control_key(entry.key):
            match decode_journal(entry.value):
                case ClockTick() | ClockAdvanced() | ClockClosed() as passed:
                    number = EVERYWHERE if passed.home is None else passed.home[0]
                    self.ticks[number] = max(self.ticks.get(number, -1), parse_canonical(passed.instant))
                    return b""
                case GoLive() as live:
                    self._loading -= self._loading if live.home is None else {live.home[0]}
                case _:
                    pass
        elif _BACKFILL in entry.value:
            home = self.home_of(entry.key)
            number = EVERYWHERE if home is None else home[0]
            if number not in self._loading:
                self._loading.add(number)
                return history_key(home)
        return None

    def home_of(self, key: bytes) -> Home | None:
        """A customer's home among those of the unit."""
        return self._homes[0] if len(self._homes) == 1 else self._homes[home_of(key, len(self._homes))]

    def time_of(self, home: Home | None) -> int:
        """The instant up to which time has passed for a home; -1 while it has not."""
        return max(self.ticks.get(EVERYWHERE, -1), -1 if home is None else self.ticks.get(home[0], -1))


class CustomerIndex:
    """The segments of one unit of a journal in a folder."""

    def __init__(self, folder: Path, journal: Journal, unit: str) -> None:
        self._folder, self._journal, self._unit = folder, journal, unit
        self._identity = journal.identity(unit)
        self._stem = f"{crc32(self._identity.encode()):08x}-{unit}-"

    def segments(self) -> list[Segment]:
        """Those that continue each other from the journal's begin on, as far as they still fit it."""
        found = sorted(filter(None, map(_opened, self._folder.glob(f"{self._stem}*.index"))), key=lambda s: s.head.base)
        begin, end = self._journal.span(self._unit)
        fitting: list[Segment] = []
        for segment in found:
            head = segment.head
            expected = fitting[-1].head.end if fitting else head.base
            if (
                head.journal != self._identity
                or head.base != expected
                or not begin <= head.end <= end
                or head.proof != self._journal.proof(head.end)
            ):
                break
            fitting.append(segment)
        return fitting if fitting and fitting[0].head.base <= begin else []

    def extend(self) -> Iterator[int]:
        """Enter what has come since; gives by how much the position advanced. Another one at a time is not noticed."""
        segments = self.segments()
        begin, _ = self._journal.span(self._unit)
        last = segments[-1] if segments else None
        marks = self.marks(segments)
        base = position = last.head.end if last else begin
        numbers: array[int] = array("Q")
        replaced = last if last and last.head.entries < ENTRIES_MAX // 2 else None
        if replaced is not None:
            base, numbers = replaced.head.base, replaced.numbers()
        for entries, after in self._journal.read(self._unit, position):
            for entry in entries:
                place = entry.offset - base
                other = marks.key_of(entry)
                if other != b"":
                    numbers.append((crc32(entry.key) & _HASH_MASK) << _POSITION_BITS | place)
                if other:
                    numbers.append((crc32(other) & _HASH_MASK) << _POSITION_BITS | place)
            yield after - position
            position = after
            if len(numbers) >= ENTRIES_MAX or position - base > _POSITION_MASK // 2:
                self._write(numbers, base, position, marks, replaced)
                base, numbers, replaced = position, array("Q"), None
        if position > (last.head.end if last else begin) and position > base:
            self._write(numbers, base, position, marks, replaced)

    def marks(self, segments: list[Segment]) -> Marks:
        """How things stand behind these segments."""
        homes = self._journal.homes(self._unit)
        return Marks(homes, segments[-1].head.ticks, segments[-1].head.loading) if segments else Marks(homes, {}, [])

    def _write(self, numbers: "array[int]", base: int, end: int, marks: Marks, replaced: Segment | None) -> None:
        head = SegmentHead(
            _FORMAT, self._identity, self._journal.proof(end), base, end, len(numbers), marks.ticks, marks.loading
        )
        said = msgspec.msgpack.encode(head)
        path = self._folder / f"{self._stem}{base:020d}-{end:020d}.index"
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        with beside.open("wb") as file:
            file.write(len(said).to_bytes(_ALIGNED, "big") + said + bytes(-len(said) % _ALIGNED))
            array("Q", sorted(numbers)).tofile(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        if replaced is not None and replaced.path != path:
            replaced.path.unlink(missing_ok=True)


def _opened(path: Path) -> Segment | None:
    """A segment with its head read; None when it is none of ours."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(_ALIGNED), "big")
            head = msgspec.msgpack.decode(file.read(size), type=SegmentHead)
    except (OSError, msgspec.DecodeError):
        return None
    begins = _ALIGNED + size + -size % _ALIGNED
    whole = path.stat().st_size == begins + head.entries * _ALIGNED
    return Segment(head, path, begins) if whole and head.format == _FORMAT else None
