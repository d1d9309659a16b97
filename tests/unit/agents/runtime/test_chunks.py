"""How fetched bytes leave aiokafka's fetcher: whole, once, with positions, and only of partitions that are open."""

import asyncio
from collections import OrderedDict
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.errors import CorruptRecordException, IllegalStateError, OffsetOutOfRangeError
from aiokafka.record.memory_records import MemoryRecords

from agents.runtime.chunks import BUSY, IDLE, ChunkReader
from agents.runtime.records import ProducerState, pack

A0, B0 = TopicPartition("a", 0), TopicPartition("b", 0)


class Consumer:
    """As much of aiokafka's consumer as is read."""

    def __init__(self, *assigned: TopicPartition) -> None:
        self.assignment = Assignment(assigned)
        self.calls: list[tuple[str, TopicPartition]] = []
        self._subscription = SimpleNamespace(reassignment_in_progress=False, fetch_context=nullcontext)
        self._fetcher = SimpleNamespace(
            _records=OrderedDict[TopicPartition, Any](),
            _wait_consume_future=None,
            _notify=lambda _: None,
            _create_fetch_waiter=asyncio.get_running_loop().create_future,
        )

    def fetched(self, tp: TopicPartition, begin: int, end: int, data: bytes | None = None) -> None:
        """Lay an answer of the positions [begin, end) into the fetcher."""
        if data is None:
            (packed,) = pack([(b"k", b"%d" % n, ()) for n in range(begin, end)], ProducerState(1, 0), 0, "x")
            data = begin.to_bytes(8, "big") + packed.data[8:]
        content = PartitionRecords(tp, MemoryRecords(data), [], begin, None, None, True, 1)  # noqa: FBT003 - aiokafka wants it so
        self._fetcher._records[tp] = FetchResult(tp, assignment=self.assignment, partition_records=content, backoff=0)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Move, as aiokafka does; what was fetched before is dropped."""
        self._known(tp)
        self.assignment.state_value(tp).seek(offset)
        self._fetcher._records.pop(tp, None)

    def pause(self, tp: TopicPartition) -> None:
        """Note it."""
        self._known(tp)
        self.calls.append(("pause", tp))

    def resume(self, tp: TopicPartition) -> None:
        """Note it."""
        self._known(tp)
        self.calls.append(("resume", tp))

    def _known(self, tp: TopicPartition) -> None:
        if self.assignment.state_value(tp) is None:
            raise IllegalStateError(f"{tp} is not assigned")


class Case:
    """A reader on a consumer that was just assigned both partitions."""

    def __init__(self) -> None:
        self.consumer = Consumer(A0, B0)
        self.moved: list[tuple[TopicPartition, Exception]] = []
        self.reader = ChunkReader(self.consumer, lambda tp, error: self.moved.append((tp, error)))
        self.reader.assigned([A0, B0])


async def test_everything_assigned_is_paused_until_it_is_opened() -> None:
    """Else aiokafka fetches from the group's offsets, and whole changelogs."""
    case = Case()
    assert case.consumer.calls == [("pause", A0), ("pause", B0)]

    case.reader.open({A0: 5}, seek=1)
    case.consumer.fetched(A0, 5, 8)
    case.consumer.fetched(B0, 0, 3)

    (chunk,) = await case.reader.take(0.01, generation=4)
    assert (chunk.topic, chunk.begin, chunk.end, chunk.seek, chunk.generation) == ("a", 5, 8, 1, 4)
    assert B0 in case.consumer._fetcher._records


async def test_a_chunk_is_taken_once_and_the_next_fetch_goes_on_behind_it() -> None:
    """The position is the end of what was fetched."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    case.consumer.fetched(A0, 5, 8)

    assert len(await case.reader.take(0.01, 1)) == 1
    assert await case.reader.take(0.01, 1) == []
    assert case.consumer.assignment.state_value(A0).position == 8


async def test_a_paused_partition_keeps_what_was_fetched() -> None:
    """Nothing is fetched twice because a task was full for a moment."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    case.consumer.fetched(A0, 5, 8)
    case.reader.pause([A0])
    assert await case.reader.take(0.01, 1) == []

    case.reader.resume([A0])

    assert len(await case.reader.take(0.01, 1)) == 1


async def test_what_was_fetched_before_a_seek_is_dropped() -> None:
    """Its position is not the partition's any more."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    case.consumer.fetched(A0, 5, 8)
    case.consumer.assignment.state_value(A0).seek(2)

    assert await case.reader.take(0.01, 1) == []


async def test_a_new_assignment_closes_everything() -> None:
    """Every kept partition is opened again by its task."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    case.reader.assigned([A0, B0])
    case.consumer.fetched(A0, 5, 8)

    assert await case.reader.take(0.01, 1) == []


async def test_opening_what_was_just_taken_away_is_ignored() -> None:
    """The next assignment says what counts."""
    case = Case()

    case.reader.open({TopicPartition("gone", 0): 5}, seek=1)
    case.reader.shut([TopicPartition("gone", 0)])


async def test_a_waiting_reader_notices_that_a_partition_is_resumed() -> None:
    """It does not sleep its time-out away."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    case.reader.pause([A0])
    case.consumer.fetched(A0, 5, 8)
    taking = asyncio.create_task(case.reader.take(10, 1))
    await asyncio.sleep(0.01)

    case.reader.resume([A0])

    assert len(await asyncio.wait_for(taking, 1)) == 1


async def test_a_position_out_of_reach_is_reported() -> None:
    """Once; the partition is closed until its task is built again."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    error = OffsetOutOfRangeError({A0: 5})
    case.consumer._fetcher._records[A0] = FetchError(error=error, backoff=0)

    assert await case.reader.take(0.01, 1) == []
    assert case.moved == [(A0, error)]


async def test_damaged_bytes_are_reported_and_not_passed_on() -> None:
    """A wrong checksum is no record."""
    case = Case()
    case.reader.open({A0: 0}, seek=1)
    (packed,) = pack([(b"k", b"value", ())], ProducerState(1, 0), 0, "x")
    case.consumer.fetched(A0, 0, 1, data=packed.data[:-1] + b"\xff")

    assert await case.reader.take(0.01, 1) == []
    ((_, error),) = case.moved
    assert isinstance(error, CorruptRecordException)


async def test_nothing_is_read_while_the_group_assigns_anew() -> None:
    """What is fetched may belong to another already."""
    case = Case()
    case.reader.open({A0: 5}, seek=1)
    case.consumer.fetched(A0, 5, 8)
    case.consumer._subscription.reassignment_in_progress = True

    assert await case.reader.take(0.01, 1) == []


async def test_the_coordinators_errors_come_out() -> None:
    """They are handed to whoever waits for records."""
    case = Case()
    waiter = asyncio.get_running_loop().create_future()
    case.consumer._fetcher._create_fetch_waiter = lambda: waiter
    waiter.set_exception(IllegalStateError("group"))

    with pytest.raises(IllegalStateError):
        await case.reader.take(0.01, 1)


async def test_while_there_is_input_the_broker_gathers_it() -> None:
    """And answers with the first byte again when nothing came for a while."""
    case = Case()
    fetcher = case.consumer._fetcher
    case.reader.open({A0: 0}, seek=1)
    case.consumer.fetched(A0, 0, 3)

    await case.reader.take(0.01, 1)
    assert (fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes) == BUSY

    await case.reader.take(0.01, 1)
    assert (fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes) == IDLE
