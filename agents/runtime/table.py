"""A Faust table whose partitions are restored in bulk and written in transactions; Faust assigns them through it.

It is a real `faust.Table`, so that the assignor places its changelog beside the sources; but nothing is ever read from
or written to it as a table. Its partition tasks live as long as the assignment of their changelog partition.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.tables.table import Table
from faust.types import TP
from mode import Service

from agents.runtime import names
from agents.runtime.context import Context
from agents.runtime.inbox import Chunk
from agents.runtime.partition import PartitionTask
from agents.runtime.stage import Stage
from agents.runtime.writer import StageWriter

QUIESCE_WITHIN_S = 2.0
"""How long a rebalance or a stop waits for open commits; heartbeats rest meanwhile, so it must stay under a session."""


class TransactionalTable(Table):
    """The partitions of one stage that this worker owns."""

    logger = logging.getLogger(names.FAUST_LOGGER)
    context: Context
    stage: Stage
    writer: StageWriter

    def bind(self, context: Context, stage: Stage) -> "TransactionalTable":
        """Give the table its stage; before the application starts."""
        self.context, self.stage = context, stage
        name = names.writer_id(context.application, stage.name, context.member)
        self.writer = StageWriter(context.cluster, name, context.pace)
        self.tasks: dict[int, PartitionTask] = {}
        self._generation = 0
        return self

    def deliver(self, chunk: Chunk) -> None:
        """Hand a chunk to its partition's task. Never waits, never raises."""
        task = self.tasks.get(chunk.partition)
        if task is not None:
            task.deliver(chunk)

    def passed(self) -> Iterator[tuple[TopicPartition, int]]:
        """Yield each source partition at work with the offset before which everything is committed."""
        for task in self.tasks.values():
            if task.tenure is not None:
                for tp in task.tenure.tps:
                    yield tp, task.tenure.passed(tp.topic)

    async def hold(self) -> None:
        """Let open commits finish, and begin no new ones: a rebalance is about to say who owns what."""
        await asyncio.gather(*(task.hold(QUIESCE_WITHIN_S) for task in self.tasks.values()))

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Stop what was lost, go on with what was kept, begin what is new; restoring goes on after this returns."""
        del revoked, newly_assigned  # Faust compares with an assignment that it may have missed
        mine = {tp.partition for tp in assigned if tp.topic == self.changelog_topic_name}
        missed = generation_id > self._generation + 1
        self._generation = generation_id
        # After a generation that went by without this member, another may have owned what seems to have been kept.
        await self.drop(set(self.tasks) if missed else set(self.tasks) - mine)
        for task in self.tasks.values():
            task.refetch()
        for partition in sorted(mine - set(self.tasks)):
            task = self.tasks[partition] = PartitionTask(self.context, self.stage, partition, self.writer)
            task.start()

    async def drop(self, partitions: set[int] | None = None) -> None:
        """Stop these tasks, or all, each finishing its open commit within the time."""
        lost = [self.tasks.pop(p) for p in list(self.tasks) if partitions is None or p in partitions]
        await asyncio.gather(*(task.stop(QUIESCE_WITHIN_S) for task in lost))

    @property
    def changelog_topic_name(self) -> str:
        """The changelog's full name."""
        return str(self.changelog_topic.get_topic_name())

    def persisted_offset(self, tp: TP) -> None:
        """Return None: Faust's store is unused."""

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Do nothing: there is no recovery of Faust's."""


class NoRecovery(Recovery):
    """Lets streams go on at once after a rebalance; every partition waits for its own restore only.

    Faust's own recovery must never read a changelog: it waits for ever for a commit marker after the last record, and
    steered through `persisted_offset` it hung every kept partition at the first rebalance, alive and silent.
    """

    logger = logging.getLogger(names.FAUST_LOGGER)

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):
                return
            self.signal_recovery_start.clear()
            try:
                await self._resume_streams(generation_id=self._generation_id)
            except (RebalanceAgain, IllegalStateError):
                continue  # another rebalance has begun: it signals again
            except ServiceStopped:
                return

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Read nothing."""

    @Service.task
    async def _publish_stats(self) -> None:
        """Say nothing: restore.py does."""


class BulkTableManager(TableManager):
    """Faust's table manager without its recovery and its wait of a second at the start."""

    logger = logging.getLogger(names.FAUST_LOGGER)

    @property
    def recovery(self) -> Recovery:
        """The recovery that does nothing."""
        if self._recovery is None:
            self._recovery: Recovery | None = NoRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Register the tables at once: all of them were made before the application started."""
        await self._update_channels()
        await self.recovery.start()

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust is untyped
        """Count, and go on as Faust does."""
        for table in self.values():
            table.context.metrics.rebalances.inc()
            break
        await super().on_rebalance(*args, **kwargs)
