"""Notices a partition that stands still though there is input: alive and silent is the worst way to fail.

It asks the brokers themselves for the partitions' ends, so that a consumer whose fetching died unnoticed is found too.
While no broker answers there is nothing to judge. It also measures how late the event loop is.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from agents.errors import StalledError
from agents.metrics import RuntimeMetrics
from agents.runtime.cluster import Cluster, Instant
from agents.runtime.failures import TenureFailure
from agents.runtime.partition import PartitionTask
from agents.runtime.restore import RestoreProgress

LOOK_INTERVAL_S = 1.0
LOOKS_PER_LIMIT = 6

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Watchdog:
    """Looks at all partition tasks of a worker."""

    cluster: Cluster
    metrics: RuntimeMetrics
    restores: RestoreProgress
    tasks: Callable[[], Iterable[PartitionTask]]
    fail: Callable[[BaseException], None]
    consumer_silent_s: Callable[[], float]
    """How long ago the drain loop last turned."""
    stalled_after_s: float

    async def run(self) -> None:
        """Measure the loop every second, and look at the partitions a few times per limit."""
        every_s = max(LOOK_INTERVAL_S, self.stalled_after_s / LOOKS_PER_LIMIT)
        next_look = time.monotonic() + every_s
        since: dict[tuple[str, int], float] = {}
        while True:
            due = time.monotonic() + LOOK_INTERVAL_S
            await asyncio.sleep(LOOK_INTERVAL_S)
            now = time.monotonic()
            self.metrics.loop_lag.set(now - due)
            self._show_restores()
            if now >= next_look:
                next_look = now + every_s
                since = await self._look(since, now)

    async def _look(self, since: dict[tuple[str, int], float], now: float) -> dict[tuple[str, int], float]:
        """Return since when each partition has been waiting with input; fails the worker when that is too long."""
        try:
            waiting = await self._waiting()
        except TenureFailure as error:
            log.warning("watchdog: the cluster does not answer", why=str(error))
            return {}
        following = {}
        for task in waiting:
            key = (task.stage.name, task.partition)
            moved = task.moved_at(self.restores)
            following[key] = begun = max(since.get(key, now), moved)
            if now - begun > self.stalled_after_s:
                self.fail(self._stalled(task, now - begun))
        return following

    async def _waiting(self) -> list[PartitionTask]:
        tasks = list(self.tasks())
        tps = [tp for task in tasks if task.tenure is not None for tp in task.tenure.tps]
        ends = await self.cluster.offsets(tps, Instant.END) if tps else {}
        return [task for task in tasks if task.waiting(ends)]

    def _stalled(self, task: PartitionTask, seconds: float) -> StalledError:
        return StalledError(
            "A partition has input but commits nothing.",
            where=f"{task.stage.name}, partition {task.partition}",
            why=f"for {seconds:.0f} s: {task.stuck_at(self.consumer_silent_s())}",
            next_step="start the worker again; if it comes back, send the log of the last minutes",
        )

    def _show_restores(self) -> None:
        self.metrics.restoring.set(self.restores.partitions)
        self.metrics.restore_remaining.set(self.restores.remaining)
        self.metrics.restored.inc(self.restores.take_counted())
