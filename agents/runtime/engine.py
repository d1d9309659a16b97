"""Puts the runtime together for some stages. One engine is one worker process."""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from faust.types import TP

from agents.errors import BugError, RefusedPositionError, StalledError, TierstreamError
from agents.metrics import RuntimeMetrics
from agents.runtime.access_guard import guard_access
from agents.runtime.cluster import Cluster
from agents.runtime.context import Context
from agents.runtime.denials import as_denied
from agents.runtime.engine_settings import EngineSettings
from agents.runtime.failures import InputMovedError
from agents.runtime.faust_app import add_stage, new_app
from agents.runtime.heartbeat import Heartbeat
from agents.runtime.leaving import leave_group
from agents.runtime.partition import PartitionTask
from agents.runtime.progress import ProgressPublisher
from agents.runtime.restore import RestoreProgress
from agents.runtime.stage import Stage
from agents.runtime.topics_check import check_topics
from agents.runtime.watchdog import Watchdog
from agents.runtime.watermark import WatermarkReader, Watermarks

log = structlog.get_logger(__name__)


class Engine:
    """The parts of a running worker; made and used within one event loop."""

    def __init__(
        self, settings: EngineSettings, stages: Sequence[Stage], metrics: RuntimeMetrics | None = None
    ) -> None:
        self.settings, self.stages = settings, tuple(stages)
        self.metrics = metrics or RuntimeMetrics()
        self.cluster = Cluster(settings.bootstrap, client_id=settings.application, security=settings.security)
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()
        self._leaving = False
        self.joined = self.restored_once = False
        """Whether the first assignment came; whether all of one has been restored."""
        progress = settings.progress
        self._marks = Watermarks(self._tps(progress.sources)) if progress else None
        self._services: list[asyncio.Task[None]] = []
        self.app = new_app(settings)
        self.app.before_stop = self._quiesce
        self.app.on_partitions_revoked.connect(self._hold)
        consumer = self.app.consumer
        consumer.positions, consumer.on_moved, consumer.on_dead = self._positions, self._moved, self._dead
        self.context = Context(
            application=settings.application,
            member=settings.instance_id or uuid4().hex,
            app_version=settings.app_version,
            cluster=self.cluster,
            source=consumer,
            pace=settings.pace,
            metrics=self.metrics,
            restores=RestoreProgress(_say_restore),
            fail=self.fail,
            watermark=self._watermark,
            accepted_topics=settings.accepted_topics,
        )
        self.tables = [add_stage(self.app, self.context, stage, settings.partitions) for stage in self.stages]
        self.heartbeat = Heartbeat(self.metrics, self.context.restores)
        self.watchdog = Watchdog(
            self.cluster,
            self.metrics,
            self.context.restores,
            self._tasks,
            self.fail,
            lambda: time.monotonic() - consumer.last_turn,
            settings.pace.stalled_after_s,
        )
        self.metrics.watermark = self._watermark
        self.metrics.tasks = lambda: [(task.stage.name, task.tenure is not None) for task in self._tasks()]

    def fail(self, failure: BaseException) -> None:
        """End the worker with this failure; the first one counts."""
        if self.failure is None:
            self.failure = failure
        self.ended.set()

    def end(self) -> None:
        """End the worker in order, telling the group not to wait for this member."""
        self._leaving = True
        self.ended.set()

    async def start(self) -> None:
        """Connect, check the topics and join; returns when the first assignment came."""
        await self.cluster.start()
        await check_topics(self.cluster, self.settings, self.stages)
        self._services = [self._service(service) for service in self._new_services()]
        await self.app.start()
        self.joined = True

    async def stop(self) -> None:
        """Finish open commits, leave or go silent, close everything."""
        for service in self._services:
            service.cancel()
        await asyncio.gather(*self._services, return_exceptions=True)
        if self.app.started:
            await self.app.stop()
            await self._leave()
        for table in self.tables:
            await table.writer.close()
        await self.cluster.close()

    async def _leave(self) -> None:
        """Have the group forget this member, if it will not come back; one without a name never does."""
        member = self.app.consumer.member
        if member is not None and any(member) and (self._leaving or member.instance_id is None):
            await leave_group(self.cluster, self.settings.application, member)

    async def _quiesce(self) -> None:
        """Stop fetching and folding; open commits have their time to finish."""
        consumer = self.app.consumer
        consumer.stop_flow()
        await asyncio.gather(*(table.hold() for table in self.tables))
        if not self.app.rebalancing:
            await consumer.show_positions()
        await asyncio.gather(*(table.drop() for table in self.tables))

    # what runs beside the partitions

    def _new_services(self) -> Iterator[Coroutine[Any, Any, None]]:
        settings = self.settings
        yield self.heartbeat.run()
        yield self.watchdog.run()
        yield guard_access(self.cluster, settings.bootstrap, settings.security)
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

    def _tasks(self) -> list[PartitionTask]:
        return [task for table in self.tables for task in table.tasks.copy().values()]

    def _tps(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for topic in topics for number in range(self.settings.partitions)]

    # what the parts report

    def _watermark(self) -> int | None:
        return self._marks.current() if self._marks is not None else None

    async def _hold(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Faust is untyped
        await asyncio.gather(*(table.hold() for table in self.tables))

    def _positions(self) -> dict[TP, int]:
        return {TP(*tp): offset for table in self.tables for tp, offset in table.passed()}

    def _moved(self, tp: TopicPartition, error: Exception) -> None:
        where = f"{tp.topic}-{tp.partition}"
        if isinstance(error, CorruptRecordException):
            self.fail(
                RefusedPositionError(
                    "Records of a source topic are damaged.",
                    where=where,
                    why=str(error),
                    next_step="check the broker's disks; restore the partition from a replica",
                )
            )
        for table in self.tables:
            if tp.topic in table.stage.sources and tp.partition in table.tasks:
                table.tasks[tp.partition].break_off(InputMovedError(f"{where}: {error!r}"))

    def _dead(self, error: BaseException) -> None:
        error = as_denied(error) or error
        if not isinstance(error, TierstreamError):
            error = StalledError(
                "The consumer's group membership ended by itself.",
                where=self.settings.application,
                why=repr(error),
                next_step="start the worker again",
            )
        self.fail(error)


def _say_restore(records: int, remaining: int, seconds: float) -> None:
    log.info("restoring", records=records, remaining=remaining, seconds=round(seconds, 1))


def as_failure(error: BaseException) -> TierstreamError:
    """Return the error that the operator sees for whatever ended the worker."""
    if isinstance(error, TierstreamError):
        return error
    bug = BugError("The worker broke.", why=type(error).__name__, next_step="report it with the trace in the log")
    bug.__cause__ = error
    return bug
