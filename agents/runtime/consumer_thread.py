"""The thread in which aiokafka's consumer lives: group membership, heartbeats and fetching, beside the folding loop."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import aiokafka
import structlog
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from mode import Service

from agents.runtime import names
from agents.runtime.chunks import IDLE, ChunkReader
from agents.runtime.inbox import Chunk
from agents.runtime.membership import assignment_stands, watch_membership
from agents.runtime.wire import Member

FETCH_BYTES_PER_PARTITION = 1_000_000
CLOSE_WITHIN_S = 2.0
GROUP_COMMIT_WITHIN_S = 2.0
GROUP_ANSWERS_WITHIN_S = 2.0
COORDINATOR_CHECK_S = 0.5

log = structlog.get_logger(__name__)


class PausingListener(driver.ConsumerRebalanceListener):
    """Pauses everything that is assigned, before aiokafka fetches from the group's offsets."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Called in the consumer's thread."""
        self._thread.reader.assigned(assigned)
        await super().on_partitions_assigned(assigned)


class ChunkThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with our consumer and our way of reading it."""

    logger = logging.getLogger(names.FAUST_LOGGER)
    reader: ChunkReader

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 - Faust is untyped
        conf = self.app.conf
        self._assignor = self.app.assignor
        consumer = aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # a position comes from the changelog or not at all
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES_PER_PARTITION,
            fetch_max_wait_ms=IDLE.wait_ms,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )
        self.reader = ChunkReader(consumer, self._on_moved)
        return consumer

    async def on_start(self) -> None:
        """Start aiokafka's consumer, and learn when its group membership is taken over."""
        await super().on_start()
        if self._consumer._group_instance_id is not None:  # noqa: SLF001
            watch_membership(self._consumer._coordinator, lambda error: self._report(error, dead=True))  # noqa: SLF001

    async def take(self, timeout_s: float) -> list[Chunk]:
        """Wait for chunks. Called in the thread."""
        try:
            return await self.reader.take(timeout_s, self.app.consumer_generation_id)
        except KafkaError as error:
            self._report(error)
            await asyncio.sleep(COORDINATOR_CHECK_S)
            return []

    async def commit_positions(self, offsets: Mapping[Any, int]) -> bool:
        """Commit the group's offsets, within a time; a failure is only noted. Called in the thread."""
        positions = {driver.ensure_aiokafka_TP(tp): offset for tp, offset in offsets.items()}
        try:
            async with asyncio.timeout(GROUP_COMMIT_WITHIN_S):
                await self._ensure_consumer().commit(positions)
        except (KafkaError, TimeoutError) as error:
            log.debug("group offsets not committed", why=repr(error))
            return False
        return True

    async def assignment_stands(self) -> bool:
        """Ask the group about this member, within a time. Called in the thread."""
        if self._consumer is None:
            return False
        try:
            async with asyncio.timeout(GROUP_ANSWERS_WITHIN_S):
                return await assignment_stands(self._consumer._coordinator)  # noqa: SLF001 - aiokafka tells it nowhere else
        except TimeoutError:
            return False

    def post(self, act: Callable[..., None], *args: Any) -> None:  # noqa: ANN401
        """Have something done in the thread, in the order of the calls; nothing is returned."""
        with contextlib.suppress(RuntimeError):  # the thread has ended: there is nothing to steer
            self.thread_loop.call_soon_threadsafe(act, *args)

    def _on_moved(self, tp: Any, error: Exception) -> None:  # noqa: ANN401
        self.parent_loop.call_soon_threadsafe(self.consumer.moved, tp, error)

    @Service.task
    async def _listen_to_coordinator(self) -> None:
        """Take the coordinator's errors from it: it stands still until somebody does, also during a rebalance."""
        while not self.should_stop:
            await asyncio.sleep(COORDINATOR_CHECK_S)
            coordinator = self._consumer._coordinator if self._consumer is not None else None  # noqa: SLF001
            if coordinator is None:
                continue
            task = coordinator._coordination_task  # noqa: SLF001
            if task.done() and not coordinator._closing.done():  # noqa: SLF001
                self._report(task.exception() or KafkaError("the coordination task ended"), dead=True)
                return
            try:
                coordinator.check_errors()
            except KafkaError as error:
                self._report(error)

    def _report(self, error: BaseException, *, dead: bool = False) -> None:
        self.parent_loop.call_soon_threadsafe(self.consumer.coordinator_failed, error, dead)

    async def on_thread_stop(self) -> None:
        """Close, in bounded time, without a word to the group: `leave_group` has the last one, and needs the name."""
        consumer = self._consumer
        if consumer is None:
            await super().on_thread_stop()
            return
        coordinator = consumer._coordinator  # noqa: SLF001

        async def keep_still() -> None:
            self._note_member(coordinator)

        coordinator._maybe_leave_group = keep_still  # noqa: SLF001
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await super().on_thread_stop()
        except TimeoutError:  # a join waits for the others: it must not be answered after the group was told
            coordinator._coordination_task.cancel()  # noqa: SLF001
            self._note_member(coordinator)
            log.warning("the consumer did not close in time", seconds=CLOSE_WITHIN_S)

    def _note_member(self, coordinator: Any) -> None:  # noqa: ANN401
        self.consumer.member = Member(coordinator.member_id, coordinator._group_instance_id)  # noqa: SLF001
