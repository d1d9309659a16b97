"""Takes what aiokafka fetched out of its fetcher as chunks of undecoded batches. Lives in the consumer's thread.

aiokafka would build an object per record and hand out at most one partition's records per call; the commit needs
positions [from, to) that also cover control records and aborted transactions. Only partitions that were opened are
fetched at all: everything else that is assigned (changelogs too) stays paused.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException, IllegalStateError, OffsetOutOfRangeError

from agents.runtime.inbox import Chunk
from agents.runtime.records import unpack


class FetchPace(NamedTuple):
    """What a broker is asked to wait for before it answers a fetch."""

    wait_ms: int
    bytes_min: int


IDLE = FetchPace(wait_ms=200, bytes_min=1)
"""An answer with the first byte. Not longer: one fetch is under way per broker, and a partition that is opened or
resumed waits for it to return."""
BUSY = FetchPace(wait_ms=30, bytes_min=256_000)
"""A fetch names every open partition, a hundred of them with all raw topics: at an answer per record, asking would
cost more than folding. A third of a commit's interval gathers what comes meanwhile; a backlog is answered at once."""


class ChunkReader:
    """Opens, pauses and reads partitions of one aiokafka consumer; every call comes from the consumer's own loop."""

    def __init__(self, consumer: Any, on_moved: Callable[[TopicPartition, Exception], None]) -> None:  # noqa: ANN401
        self._consumer = consumer
        self._on_moved = on_moved
        self._open: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._changed = asyncio.Event()

    def assigned(self, tps: Iterable[TopicPartition]) -> None:
        """Take note of a new assignment: nothing of it is fetched until it is opened."""
        self._open.clear()
        self._paused.clear()
        for tp in tps:
            self._at_consumer(self._consumer.pause, tp)

    def open(self, offsets: Mapping[TopicPartition, int], seek: int) -> None:
        """Fetch from these offsets; chunks carry the seek's number."""
        for tp, offset in offsets.items():
            if self._at_consumer(self._consumer.seek, tp, offset):
                self._open[tp] = seek
        self.resume(offsets)

    def shut(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch these no more."""
        for tp in tps:
            self._open.pop(tp, None)
            self._at_consumer(self._consumer.pause, tp)

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch these no more for now; what lies in the fetcher stays there."""
        for tp in tps:
            self._paused.add(tp)
            self._at_consumer(self._consumer.pause, tp)

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        """Go on with these."""
        for tp in tps:
            self._paused.discard(tp)
            if tp in self._open:
                self._at_consumer(self._consumer.resume, tp)
        self._changed.set()

    async def take(self, timeout_s: float, generation: int) -> list[Chunk]:
        """Return a chunk per partition that has one; waits for the first up to the time-out, then returns none."""
        # Tells aiokafka that somebody reads: without it, the member leaves the group after the longest poll interval.
        with self._consumer._subscription.fetch_context():  # noqa: SLF001
            chunks = await self._take(timeout_s, generation)
        self._set_pace(BUSY if chunks else IDLE)
        return chunks

    async def _take(self, timeout_s: float, generation: int) -> list[Chunk]:
        fetcher = self._consumer._fetcher  # noqa: SLF001 - the seam this module is about
        if self._consumer._subscription.reassignment_in_progress:  # noqa: SLF001
            await asyncio.sleep(min(timeout_s, 0.05))
            return []
        chunks = self._ready(fetcher, generation)
        if chunks:
            return chunks
        self._changed.clear()
        waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((waiter, changed), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                waiter.result()  # the group's coordinator reports its errors here
        finally:
            waiter.cancel()
            changed.cancel()
        return self._ready(fetcher, generation)

    def _set_pace(self, pace: FetchPace) -> None:
        fetcher = self._consumer._fetcher  # noqa: SLF001
        fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = pace  # noqa: SLF001 - read anew for every request

    def _ready(self, fetcher: Any, generation: int) -> list[Chunk]:  # noqa: ANN401
        chunks = []
        for tp in [tp for tp in fetcher._records if tp in self._open and tp not in self._paused]:  # noqa: SLF001
            fetched = fetcher._records.pop(tp)  # noqa: SLF001
            if type(fetched) is not FetchResult:
                self._failed(tp, fetched)
                continue
            chunk = self._unpacked(tp, fetched, generation)
            if chunk is not None:
                chunks.append(chunk)
        fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001 - the next fetch may leave
        return chunks

    def _unpacked(self, tp: TopicPartition, fetched: Any, generation: int) -> Chunk | None:  # noqa: ANN401
        assignment, content = fetched._assignment, fetched._partition_records  # noqa: SLF001
        state = assignment.state_value(tp)
        begin = content.next_fetch_offset
        if not assignment.active or state is None or not state.has_valid_position or state.position != begin:
            return None  # a seek or an assignment came between
        try:
            batches, end = unpack(content._records, content._aborted_transactions, begin)  # noqa: SLF001
        except CorruptRecordException as error:
            self._on_moved(tp, error)
            return None
        state.consumed_to(end)
        size = content._records.size_in_bytes()  # noqa: SLF001
        return Chunk(tp.topic, tp.partition, self._open[tp], begin, end, batches, size, generation)

    def _failed(self, tp: TopicPartition, failed: Any) -> None:  # noqa: ANN401
        try:
            failed.check_raise()
        except OffsetOutOfRangeError as error:
            self._open.pop(tp, None)
            self._on_moved(tp, error)

    def _at_consumer(self, act: Callable[..., None], *args: Any) -> bool:  # noqa: ANN401
        """Do it unless the assignment has just changed: then the next one opens the partition again."""
        with suppress(IllegalStateError):
            act(*args)
            return True
        return False
