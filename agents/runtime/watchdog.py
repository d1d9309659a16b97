"""Notices a partition that stands still though there is input: alive and silent is the worst way to fail.

It asks the brokers themselves for the partitions' ends, so that a consumer whose fetching died unnoticed is found too.
While no broker answers there is nothing to judge. The ends also tell the lag.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from agents.errors import StalledError
from agents.metrics import RuntimeMetrics
from agents.runtime.cluster import Cluster, Instant
from agents.runtime.failures import TenureFailure
from agents.runtime.lag import LagTracker
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
    waiting_since: dict[tuple[str, int], float] = field(default_factory=dict)
    """Since when each partition has had input and not moved, as of the last look (`time.monotonic()`)."""
    answered_at: float = field(default_factory=time.monotonic)
    """When the brokers last answered, or nothing had to be asked."""
    lags: LagTracker = field(default_factory=LagTracker)

    async def run(self) -> None:
        """Look at the partitions a few times per limit."""
        while True:
            await asyncio.sleep(self.look_every_s)
            self.waiting_since = await self._look(self.waiting_since, time.monotonic())

    @property
    def look_every_s(self) -> float:
        """Seconds from one look to the next."""
        return max(LOOK_INTERVAL_S, self.stalled_after_s / LOOKS_PER_LIMIT)

    async def _look(self, since: dict[tuple[str, int], float], now: float) -> dict[tuple[str, int], float]:
        """Return since when each partition has been waiting with input; fails the worker when that is too long."""
        try:
            waiting = await self._waiting()
        except TenureFailure as error:
            log.warning("watchdog: the cluster does not answer", why=str(error))
            return {}
        self.answered_at = time.monotonic()
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
        asked_ms = int(time.time() * 1000)
        ends = await self.cluster.offsets(tps, Instant.END) if tps else {}
        self.metrics.lags = self.lags.look(tasks, ends, asked_ms)
        return [task for task in tasks if task.waiting(ends)]

    def _stalled(self, task: PartitionTask, seconds: float) -> StalledError:
        return StalledError(
            "A partition has input but commits nothing.",
            where=f"{task.stage.name}, partition {task.partition}",
            why=f"for {seconds:.0f} s: {task.stuck_at(self.consumer_silent_s())}",
            next_step="start the worker again; if it comes back, send the log of the last minutes",
        )
