"""Puts the runtime together into a Faust application for some stages. One engine is one worker process."""

import asyncio
import logging
import time
from collections.abc import AsyncIterable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
import structlog
from aiokafka import TopicPartition
from faust.app.base import BootStrategy
from faust.types import TP

from agents.errors import BugError, StalledError, TierstreamError
from agents.metrics import RuntimeMetrics
from agents.runtime import names, transport
from agents.runtime.cluster import Cluster
from agents.runtime.context import Context, Pace
from agents.runtime.failures import InputMovedError
from agents.runtime.progress import ProgressPublisher
from agents.runtime.restore import RestoreProgress
from agents.runtime.stage import Stage
from agents.runtime.table import BulkTableManager, TransactionalTable
from agents.runtime.watchdog import Watchdog
from agents.runtime.watermark import WatermarkReader, Watermarks

HEARTBEATS_PER_SESSION = 3
GROUP_OFFSETS_EVERY_S = 5.0
REBALANCE_WITHIN_S = 10
SILENT_LOOP_MAX_S = 60
"""When the folding loop does not ask for chunks for so long, the consumer's thread gives up the membership."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProgressSettings:
    """Where and about what the low watermarks are told."""

    topic: str
    stage: str
    """The stage whose sources are meant; its worker publishes."""
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the runtime needs to know of the settings."""

    application: str
    bootstrap: str
    partitions: int
    data_dir: Path
    instance_id: str | None = None
    session_timeout_s: int = 6
    pace: Pace = field(default_factory=Pace)
    app_version: str = "0"
    accepted_topics: frozenset[str] = frozenset()
    progress: ProgressSettings | None = None
    """None: no watermark is made or read, and the stages are polled with None (event clock)."""


class Boot(BootStrategy):
    """Only the consumer's side: transactions have producers of their own, and metrics their own port."""

    enable_kafka_producer = False
    enable_web = False


class EngineApp(faust.App):
    """The Faust application; gives Faust's hooks to the engine."""

    logger = logging.getLogger(names.FAUST_LOGGER)
    BootStrategy = Boot
    engine: "Engine"

    async def on_stop(self) -> None:
        """Finish open commits before Faust takes the consumer down."""
        await self.engine.quit()
        await super().on_stop()


class Engine:
    """The parts of a running worker."""

    def __init__(
        self, settings: EngineSettings, stages: Sequence[Stage], metrics: RuntimeMetrics | None = None
    ) -> None:
        self.settings, self.stages = settings, tuple(stages)
        self.metrics = metrics or RuntimeMetrics()
        self.cluster = Cluster(settings.bootstrap, client_id=settings.application)
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()
        self.app = self._new_app()
        self.context = Context(
            application=settings.application,
            app_version=settings.app_version,
            cluster=self.cluster,
            source=self.app.consumer,
            pace=settings.pace,
            metrics=self.metrics,
            restores=RestoreProgress(self._say_restore),
            fail=self.fail,
            watermark=self._watermark,
            accepted_topics=settings.accepted_topics,
        )
        self.tables = [self._add_stage(stage) for stage in self.stages]
        self.app.on_partitions_revoked.connect(self._hold)
        progress = settings.progress
        self._marks = Watermarks(self._tps(progress.sources)) if progress else None
        self._services: list[asyncio.Task[None]] = []

    def fail(self, failure: BaseException) -> None:
        """End the worker with this failure; the first one counts."""
        if self.failure is None:
            self.failure = failure
        self.ended.set()

    def end(self, *, leaving: bool) -> None:
        """End the worker in order; `leaving` tells the group not to wait for this member."""
        if self.app._consumer is not None:  # noqa: SLF001 - the property would make one
            self.app.consumer._thread.leaving = leaving  # noqa: SLF001
        self.ended.set()

    async def start(self) -> None:
        """Connect and join; returns when the first assignment came. Raises BrokerUnreachableError."""
        await self.cluster.start()
        self._services = [self._service(service) for service in self._new_services()]
        await self.app.start()

    async def stop(self) -> None:
        """Finish open commits, leave or go silent, close everything."""
        for service in self._services:
            service.cancel()
        await asyncio.gather(*self._services, return_exceptions=True)
        if self.app.started:
            await self.app.stop()
        await self.cluster.close()

    async def quit(self) -> None:
        """Stop fetching and folding; open commits have their time to finish."""
        consumer = self.app.consumer
        consumer.stop_flow()
        await asyncio.gather(*(table.hold() for table in self.tables))
        if not self.app.rebalancing:
            await consumer.show_positions()
        await asyncio.gather(*(table.drop() for table in self.tables))

    # composition

    def _new_app(self) -> EngineApp:
        transport.register()
        settings = self.settings
        app = EngineApp(
            settings.application,
            broker=[f"{transport.SCHEME}://{server}" for server in settings.bootstrap.split(",")],
            datadir=str(settings.data_dir),
            store="memory://",
            Table=TransactionalTable,
            TableManager=BulkTableManager,
            topic_partitions=settings.partitions,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            web_enabled=False,
            stream_wait_empty=False,
            stream_buffer_maxsize=64,  # messages are chunks, and the agents pass them on at once
            stream_recovery_delay=0,
            broker_session_timeout=settings.session_timeout_s,
            broker_heartbeat_interval=settings.session_timeout_s / HEARTBEATS_PER_SESSION,
            broker_rebalance_timeout=REBALANCE_WITHIN_S,
            broker_max_poll_interval=SILENT_LOOP_MAX_S,
            broker_commit_interval=GROUP_OFFSETS_EVERY_S,
            consumer_group_instance_id=settings.instance_id,
        )
        app.engine = self
        app.finalize()
        consumer = app.consumer
        consumer.positions = self._positions
        consumer.on_moved = self._moved
        consumer.on_dead = self._dead
        return app

    def _add_stage(self, stage: Stage) -> TransactionalTable:
        raw: Mapping[str, Any] = {
            "key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw",
        }  # fmt: skip
        source = self.app.topic(*stage.sources, acks=False, **raw)
        table: TransactionalTable = self.app.Table(
            stage.name, key_type=bytes, value_type=bytes, partitions=self.settings.partitions
        )
        table.bind(self.context, stage)

        async def agent(stream: AsyncIterable[Any]) -> None:
            async for event in stream.noack().events():  # type: ignore[attr-defined]  # Faust is untyped
                try:
                    table.deliver(event.message.value)
                except Exception as error:  # noqa: BLE001 - Faust would restart the agent and go on without the chunk
                    self.fail(error)

        self.app.agent(source, name=stage.name)(agent)
        return table

    def _new_services(self) -> Iterator[Coroutine[Any, Any, None]]:
        settings, consumer = self.settings, self.app.consumer
        yield Watchdog(
            self.cluster,
            self.metrics,
            self.context.restores,
            lambda: [task for table in self.tables for task in table.tasks.values()],
            self.fail,
            lambda: time.monotonic() - consumer.last_turn,
            settings.pace.stalled_after_s,
        ).run()
        if settings.progress is None or self._marks is None:
            return
        topic, partitions = settings.progress.topic, settings.partitions
        yield WatermarkReader(self.cluster, topic, partitions, self._marks).run()
        for table in self.tables:
            if table.stage.name == settings.progress.stage:
                yield ProgressPublisher(self.cluster, topic, partitions, table.passed, self._marks).run()

    def _service(self, service: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self.fail(error)

        task = asyncio.create_task(service)
        task.add_done_callback(ended)
        return task

    def _tps(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for topic in topics for number in range(self.settings.partitions)]

    # reports

    def _watermark(self) -> int | None:
        return self._marks.current() if self._marks is not None else None

    async def _hold(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Faust is untyped
        await asyncio.gather(*(table.hold() for table in self.tables))

    def _positions(self) -> dict[TP, int]:
        return {TP(*tp): offset for table in self.tables for tp, offset in table.passed()}

    def _moved(self, tp: TopicPartition, error: Exception) -> None:
        for table in self.tables:
            if tp.topic in table.stage.sources and tp.partition in table.tasks:
                table.tasks[tp.partition].break_off(InputMovedError(f"{tp.topic}-{tp.partition}: {error!r}"))

    def _dead(self, error: BaseException) -> None:
        self.fail(
            error
            if isinstance(error, TierstreamError)
            else StalledError(
                "The consumer's group membership ended by itself.",
                where=self.settings.application,
                why=repr(error),
                next_step="start the worker again",
            )
        )

    def _say_restore(self, records: int, remaining: int, seconds: float) -> None:
        log.info("restoring", records=records, remaining=remaining, seconds=round(seconds, 1))


def as_failure(error: BaseException) -> TierstreamError:
    """Return the error that the operator sees for whatever ended the worker."""
    if isinstance(error, TierstreamError):
        return error
    bug = BugError("The worker broke.", why=type(error).__name__, next_step="report it with the trace in the log")
    bug.__cause__ = error
    return bug
