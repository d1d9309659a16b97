"""Every record is folded once, whatever the chunks look like in which it comes."""

import pytest
from aiokafka.record.memory_records import MemoryRecords

from agents.errors import BugError
from agents.runtime.cursor import Cursor
from agents.runtime.inbox import Chunk
from agents.runtime.records import ProducerState, pack, unpack


def chunk(begin: int, end: int, *, topic: str = "t", first: int | None = None) -> Chunk:
    """Make a chunk of the positions [begin, end); its one batch may begin earlier, at `first`."""
    base = begin if first is None else first
    batches = []
    if end > base:
        (packed,) = pack([(b"k", b"%d" % offset, ()) for offset in range(base, end)], ProducerState(1, 0), 0, "t")
        data = base.to_bytes(8, "big") + packed.data[8:]
        batches = unpack(MemoryRecords(data), (), begin).batches
    return Chunk(topic, 0, 1, begin, end, batches, 100, 1)


def fold_all(cursor: Cursor, chunk: Chunk) -> list[int]:
    """Fold a whole chunk; returns the offsets."""
    records = cursor.open(chunk)
    if records:
        cursor.folded(records, len(records))
    cursor.close(chunk)
    return [record.offset for record in records]


def test_chunks_in_order_are_taken_whole() -> None:
    """The ordinary case."""
    cursor = Cursor(0, {"t": 5})

    assert fold_all(cursor, chunk(5, 8)) == [5, 6, 7]
    assert fold_all(cursor, chunk(8, 10)) == [8, 9]
    assert cursor.next == {"t": 10}


def test_overlapping_chunks_are_folded_once() -> None:
    """A fetch from the group's offset may arrive before the seek took effect."""
    cursor = Cursor(0, {"t": 5})

    assert fold_all(cursor, chunk(5, 9)) == [5, 6, 7, 8]
    assert fold_all(cursor, chunk(6, 12)) == [9, 10, 11]
    assert fold_all(cursor, chunk(5, 9)) == []
    assert cursor.next == {"t": 12}


def test_a_batch_that_begins_before_the_cursor_is_cut() -> None:
    """The restored position may lie in the middle of a batch."""
    cursor = Cursor(0, {"t": 7})

    assert fold_all(cursor, chunk(7, 10, first=4)) == [7, 8, 9]


def test_a_missing_chunk_stops_everything() -> None:
    """Going on would lose records without a word."""
    cursor = Cursor(0, {"t": 5})

    with pytest.raises(BugError) as caught:
        cursor.open(chunk(6, 8))

    assert "t-0" in caught.value.where
    assert "6" in caught.value.why


def test_control_records_at_the_end_are_passed() -> None:
    """The position after a chunk is its end, not its last record."""
    cursor = Cursor(0, {"t": 5})
    taken = chunk(5, 8)

    assert fold_all(cursor, taken._replace(end=9)) == [5, 6, 7]
    assert cursor.next == {"t": 9}


def test_a_slice_moves_the_cursor_record_by_record() -> None:
    """A commit between two slices of one chunk must find the position after the first."""
    cursor = Cursor(0, {"t": 5, "u": 0})
    records = cursor.open(chunk(5, 9))

    cursor.folded(records, 2)

    assert cursor.next == {"t": 7, "u": 0}
    assert cursor.committed == {"t": 5, "u": 0}
