"""Faust's transport, carrying one message per fetched chunk of a partition instead of one per record.

Registered as the URL scheme `chunks://`. Faust's own drain loop spends some 60 us per message and sleeps a second when
its buffers are full; its acknowledgements have gaps. Here a message is a chunk, nothing is ever blocked by one full
partition (the partition's task pauses it at the consumer), and the group's offsets follow the tasks' positions.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import TopicPartition
from faust.exceptions import ConsumerNotStarted
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from agents.runtime import names
from agents.runtime.consumer_thread import ChunkThread, PausingListener
from agents.runtime.denials import as_denied
from agents.runtime.inbox import Chunk

if TYPE_CHECKING:
    from agents.runtime.wire import Member

SCHEME = "chunks"
POLL_S = 1.0
PACE_S = 0.01
"""At low rates a fetch per record arriving would cost more than the fold; ten milliseconds are a tenth of a commit."""

log = structlog.get_logger(__name__)


class ChunkConsumer(driver.Consumer):
    """The worker's consumer; also the `Source` that the partition tasks steer."""

    logger = logging.getLogger(names.FAUST_LOGGER)
    RebalanceListener = PausingListener

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust is untyped
        super().__init__(*args, **kwargs)
        self._seeks = 0
        self.positions: Callable[[], Mapping[TP, int]] = dict
        """The tasks' committed positions; what lag tools are shown."""
        self.on_moved: Callable[[TopicPartition, Exception], None] = lambda _tp, _error: None
        self.on_dead: Callable[[BaseException], None] = lambda _error: None
        self.last_turn = time.monotonic()
        """When the drain loop last turned; for the watchdog."""
        self.member: Member | None = None
        """As what the group knows this worker; set when the consumer has closed."""

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    # Source: what a task asks of the consumer

    def open(self, offsets: Mapping[TopicPartition, int]) -> int:
        """See Source."""
        self._seeks += 1
        self._thread.post(self._thread.reader.open, dict(offsets), self._seeks)
        return self._seeks

    def shut(self, tps: Iterable[TopicPartition]) -> None:
        """See Source."""
        self._thread.post(self._thread.reader.shut, tuple(tps))

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        """See Source."""
        self._thread.post(self._thread.reader.pause, tuple(tps))

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        """See Source."""
        self._thread.post(self._thread.reader.resume, tuple(tps))

    async def assignment_stands(self) -> bool:
        """See Source."""
        thread = self._thread
        try:
            future = asyncio.run_coroutine_threadsafe(thread.assignment_stands(), thread.thread_loop)
        except RuntimeError:  # the thread has ended
            return False
        return await asyncio.wrap_future(future)

    # reports from the thread

    def moved(self, tp: TopicPartition, error: Exception) -> None:
        """Take note that a partition's position is out of reach."""
        self.on_moved(tp, error)

    def coordinator_failed(self, error: BaseException, dead: bool) -> None:  # noqa: FBT001 - called through the loop
        """Take note of what the group's coordinator said; it goes on by itself unless it is dead."""
        log.warning("consumer group", why=repr(error), dead=dead)
        if dead or as_denied(error):
            self.on_dead(error)

    # Faust's side

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - Faust is untyped
        """Carry chunks from the thread to Faust's conductor until stopped."""
        while not (self.should_stop or fetcher.should_stop):
            self.last_turn = started = time.monotonic()
            if not self.flow_active:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self.can_resume_flow.wait()
                continue
            for chunk in await self._take():
                await self._hand_over(chunk)
            if (rest := started + PACE_S - time.monotonic()) > 0:
                await asyncio.sleep(rest)

    async def _take(self) -> list[Chunk]:
        thread = self._thread
        future = asyncio.run_coroutine_threadsafe(thread.take(POLL_S), thread.thread_loop)
        return await asyncio.wrap_future(future)

    async def _hand_over(self, chunk: Chunk) -> None:
        if not self.flow_active or chunk.generation != self.app.consumer_generation_id:
            return  # a rebalance is under way: every kept partition will be opened again
        tp = TP(chunk.topic, chunk.partition)
        message = ConsumerMessage(
            chunk.topic, chunk.partition, chunk.begin, 0.0, 0, (), b"", chunk, None, 0, chunk.size, tp,
            generation_id=chunk.generation,
        )  # fmt: skip
        try:
            await self.callback(message)
        except KeyError:  # Faust's index of partitions has just changed
            log.debug("chunk without an agent", topic=chunk.topic, partition=chunk.partition)

    async def perform_seek(self) -> None:
        """Do nothing: the tasks seek, each when its state is restored."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Do nothing, as above."""
        return {}

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: the watchdog asks the broker instead."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ANN401, FBT001, FBT002 - Faust's signature
        """Show the tasks' positions to lag tools; the truth is in the changelog, so a failure is only noted."""
        del topics, start_new_transaction
        return not self.app.rebalancing and self.flow_active and await self.show_positions()

    async def show_positions(self) -> bool:
        """Commit the tasks' positions as the group's offsets."""
        try:
            assigned = self.assignment()
        except ConsumerNotStarted:
            return False
        offsets = {tp: offset for tp, offset in self.positions().items() if tp in assigned}
        if not offsets:
            return False
        thread = self._thread
        future = asyncio.run_coroutine_threadsafe(thread.commit_positions(offsets), thread.thread_loop)
        return await asyncio.wrap_future(future)


class Transport(driver.Transport):
    """aiokafka's transport with our consumer."""

    Consumer = ChunkConsumer


def register() -> None:
    """Make `chunks://` known to Faust."""
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
