"""Changelog to stage, in bulk: one partition is read from its begin to its end before anything is folded.

In two legs: up to the first transaction that is still open, which shows to whose writer the partition belongs; then,
when that writer is fenced and what it left open has ended, up to the end, which is final by then.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from aiokafka import TopicPartition

from agents.runtime.cluster import Cluster, Fetched, Instant, Isolation
from agents.runtime.holders import Standstill
from agents.runtime.position import POSITION_KEY, Position, decode_position
from agents.runtime.records import Unpacked, unpack
from agents.runtime.stage import RUNTIME_KEYS, Restorable, StateRecord

FETCH_BYTES = 2_000_000
"""About 7,000 states: restoring them holds the event loop for some fifteen milliseconds."""
LONG_POLL_MS = 500
LANE = "restore"
LANES = 4

_RUNTIME_FIRST_BYTE = RUNTIME_KEYS[0]


class RestoreProgress:
    """How far the restoring partitions have come, for the log and the metrics."""

    def __init__(self, say: Callable[[int, int, float], None]) -> None:
        self._say = say
        self._remaining: dict[TopicPartition, int] = {}
        self._since = self._said = 0.0
        self._moved: dict[TopicPartition, float] = {}
        self._records = self._counted = 0

    @property
    def remaining(self) -> int:
        """Offsets still to read over all restoring partitions."""
        return sum(self._remaining.values())

    @property
    def partitions(self) -> int:
        """How many partitions are being restored."""
        return len(self._remaining)

    def moved_at(self, changelog: TopicPartition) -> float:
        """Return when a restoring partition last came on (`time.monotonic()`), 0 when it is not being restored."""
        return self._moved.get(changelog, 0.0)

    def remaining_of(self, changelog: TopicPartition) -> int | None:
        """Return the offsets that one partition has still to read; None when it is not being restored."""
        return self._remaining.get(changelog)

    def take_counted(self) -> int:
        """Return how many records were restored since the last call."""
        count, self._counted = self._records - self._counted, self._records
        return count

    @contextmanager
    def of(self, tp: TopicPartition, offsets: int) -> Iterator[None]:
        """Count a partition as being restored."""
        if not self._remaining:
            self._since = self._said = time.monotonic()
        self._remaining[tp] = offsets
        self._moved[tp] = time.monotonic()
        try:
            yield
        finally:
            del self._remaining[tp], self._moved[tp]

    def advanced(self, tp: TopicPartition, records: int, remaining: int) -> None:
        """Take note of a chunk, an empty one too; says so at most once a second."""
        now = time.monotonic()
        self._records += records
        if remaining < self._remaining[tp]:  # a chunk without anything is no progress: the watchdog counts on it
            self._moved[tp] = now
        self._remaining[tp] = remaining
        if now - self._said >= 1.0:
            self._said = now
            self._say(self._records, self.remaining, now - self._since)


async def restore(
    cluster: Cluster,
    tp: TopicPartition,
    stage: Restorable,
    progress: RestoreProgress,
    fence: Callable[[str], Awaitable[None]],
) -> Position | None:
    """Feed the whole changelog partition to the stage; returns the last position record, None when it is empty.

    `fence` is given the name of the writer to which the partition belongs. The partition must have been claimed: then
    nobody else can enter another one meanwhile.
    """
    offset = (await cluster.offsets([tp], Instant.BEGIN))[tp]
    position: bytes | None = None
    where = f"{tp.topic}-{tp.partition}"
    for isolation in (Isolation.COMMITTED, Isolation.UNCOMMITTED):
        end = (await cluster.offsets([tp], Instant.END, isolation))[tp]
        with progress.of(tp, end - offset):
            async with aclosing(_chunks(cluster, tp, offset, end)) as chunks:
                stand = Standstill(cluster, tp)
                async for batches, following in chunks:
                    await stand.look(following)
                    states, position = _sort_out(batches, offset, position)
                    stage.restore(states)
                    offset = following
                    progress.advanced(tp, len(states), max(0, end - offset))
                    await asyncio.sleep(0)
        if isolation is Isolation.COMMITTED and position is not None:
            await fence(decode_position(position, where).writer)
    stage.ready()
    return None if position is None else decode_position(position, where)


async def _chunks(cluster: Cluster, tp: TopicPartition, offset: int, end: int) -> AsyncGenerator[Unpacked]:
    """Fetch one chunk ahead of the reader until the position (not the last record: markers count) is at the end."""
    lane = f"{LANE} {tp.partition % LANES}"

    def fetch(position: int) -> asyncio.Future[dict[TopicPartition, Fetched]]:
        return asyncio.ensure_future(
            cluster.fetch({tp: position}, bytes_max=FETCH_BYTES, wait_ms=LONG_POLL_MS, lane=lane)
        )

    ahead = fetch(offset) if offset < end else None
    try:
        while ahead is not None:
            fetched = (await ahead)[tp]
            chunk = unpack(fetched.records, fetched.aborted, offset)
            offset = chunk.next_offset
            ahead = fetch(offset) if offset < end else None
            await asyncio.sleep(0)  # the request leaves before the stage works on what came
            yield chunk
    finally:
        if ahead is not None:
            ahead.cancel()


def _sort_out(batches: Sequence[Any], offset: int, position: bytes | None) -> tuple[list[StateRecord], bytes | None]:
    """Part the runtime's records from the stage's; returns the states and the latest position record."""
    states: list[StateRecord] = []
    for batch in batches:
        for record in batch:
            key = record.key
            if key[0] == _RUNTIME_FIRST_BYTE and key.startswith(RUNTIME_KEYS):
                if key == POSITION_KEY and record.offset >= offset:
                    position = record.value
            elif record.offset >= offset:
                states.append((key, record.value))
    return states, position
