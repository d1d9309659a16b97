"""The task of one partition of one stage: keeps a tenure alive, builds a new one after a failure, or ends the worker.

Nothing escapes from here into Faust, whose answer to an exception is to go on with the next event.
"""

import asyncio
import contextlib
import time
import traceback
from collections.abc import Mapping

import structlog
from aiokafka import TopicPartition

from agents.errors import BugError, FencedError, TierstreamError, UnknownOutcomeError
from agents.runtime import failures, names
from agents.runtime.context import Context
from agents.runtime.failures import TenureFailure
from agents.runtime.inbox import Chunk
from agents.runtime.opening import open_tenure
from agents.runtime.restore import RestoreProgress
from agents.runtime.stage import Stage
from agents.runtime.tenure import Tenure
from agents.runtime.writer import StageWriter

REBUILDS_MAX = 5
"""Failures in a row after which building the task again is given up. A broker that is away is no failure."""
PROVED_AFTER_S = 60.0
"""A tenure that lived so long ends the row, as one that committed does: a partition without input commits nothing."""
ASK_AGAIN_S = 0.5
BACKOFF_S = (0.1, 0.5, 1.0, 2.0)
SAY_EVERY = 10

log = structlog.get_logger(__name__)


class PartitionTask:
    """Owns a partition from its assignment to its revocation."""

    def __init__(self, context: Context, stage: Stage, partition: int, writer: StageWriter) -> None:
        self._context, self.stage, self.partition, self._writer = context, stage, partition, writer
        self._log = log.bind(stage=stage.name, partition=partition)
        self._tps = [TopicPartition(topic, partition) for topic in stage.sources]
        self._changelog = TopicPartition(names.changelog(context.application, stage.name), partition)
        self._task: asyncio.Task[None] | None = None
        self._free = asyncio.Event()
        self._free.set()
        self._reassigned = asyncio.Event()
        self.tenure: Tenure | None = None
        """The tenure at work; None while one is being opened."""
        self.since = time.monotonic()
        """When the present tenure was opened, or began to be."""

    def start(self) -> None:
        """Begin to restore and work."""
        self._task = asyncio.create_task(self._live(), name=f"{self.stage.name}[{self.partition}]")

    def deliver(self, chunk: Chunk) -> None:
        """Hand a fetched chunk to the tenure; dropped when there is none (it will be fetched again)."""
        if self.tenure is not None:
            self.tenure.deliver(chunk)

    def waiting(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether there is input beyond the cursor, or no tenure to read it."""
        if self.tenure is None:
            return True
        return any(ends.get(tp, 0) > self.tenure.cursor.next[tp.topic] for tp in self._tps)

    def moved_at(self, restores: RestoreProgress) -> float:
        """Return when the partition last committed or came on with its restore (`time.monotonic()`)."""
        if self.tenure is not None:
            return max(self.tenure.progressed_at(), self.since)
        return max(self.since, restores.moved_at(self._changelog))

    def remaining(self, restores: RestoreProgress) -> int | None:
        """Return the changelog offsets that it has still to read; None when it is not being restored."""
        return restores.remaining_of(self._changelog)

    def stuck_at(self, consumer_silent_s: float) -> str:
        """Say where it hangs, as far as can be told from here."""
        if self.tenure is None:
            return "its task is not ready: the claim of the partition, or the restore, hangs"
        return (
            self.tenure.stuck_at()
            or f"the consumer brings nothing (its loop last turned {consumer_silent_s:.0f} s ago)"
        )

    def break_off(self, failure: TenureFailure) -> None:
        """End the present tenure with a failure noticed elsewhere."""
        if self.tenure is not None:
            self.tenure.break_off(failure)

    def refetch(self) -> None:
        """After a new assignment: fetch on, and go on after `hold`."""
        self._free.set()
        self._reassigned.set()
        if self.tenure is not None:
            self.tenure.fetch()
            self.tenure.release()

    async def hold(self, within_s: float) -> None:
        """Finish the open commit within the time, and begin no other until `refetch` or `stop`."""
        self._free.clear()
        if self.tenure is not None:
            self.tenure.hold()
            await self.tenure.settled(within_s)

    async def stop(self, within_s: float) -> None:
        """Finish the open commit within the time or abort it; then drop everything."""
        task, self._task = self._task, None
        if task is None:
            return
        if self.tenure is not None:
            self.tenure.stop()
            await asyncio.wait([task], timeout=within_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._context.metrics.forget(self.stage.name, self.partition)

    async def _live(self) -> None:
        failed = away = 0
        while True:
            self.since = time.monotonic()
            tenure: Tenure | None = None
            failure: Exception
            try:
                tenure = await open_tenure(self._context, self.stage, self.partition, self._writer)
                self._begin(tenure)
                await tenure.run()
            except Exception as error:  # noqa: BLE001 - judged below: this is where all failures of a partition end
                failure = error
            else:
                return
            finally:
                self.tenure = None
                self._context.source.shut(self._tps)
                if tenure is not None:
                    await tenure.close()
            if tenure is not None and (tenure.commits or time.monotonic() - self.since > PROVED_AFTER_S):
                failed = away = 0
            if isinstance(failure, failures.ClusterAwayError):
                away += 1
            else:
                failed, away = failed + 1, 0
            if not await self._may_rebuild(failure, failed, away):
                return
            self._context.metrics.rebuilds.labels(self.stage.name, type(failure).__name__).inc()
            await asyncio.sleep(BACKOFF_S[min(away or failed, len(BACKOFF_S)) - 1])

    def _begin(self, tenure: Tenure) -> None:
        self.tenure = tenure
        self._log.info("partition ready", seconds=round(time.monotonic() - self.since, 2))
        if not self._free.is_set():
            tenure.hold()
        tenure.fetch()

    async def _may_rebuild(self, failure: Exception, failed: int, away: int) -> bool:
        """Decide whether to build the task again; otherwise the worker is told to end."""
        match failure:
            case failures.ClusterAwayError():
                if away % SAY_EVERY == 1:
                    self._log.warning("the cluster is away; building the task again", why=str(failure), attempt=away)
                return True
            case failures.FencedOffError():
                self._log.warning("fenced", why=str(failure), times=failed)
                if failed <= REBUILDS_MAX:
                    await self._until_ours()
                    return True
                self._fail(_fenced(self.stage.name, self.partition, failure))
            case failures.TenureFailure():
                self._log.warning("building the task again", reason=type(failure).__name__, why=str(failure))
                if failed <= REBUILDS_MAX:
                    return True
                self._fail(
                    UnknownOutcomeError(
                        "A partition cannot be kept at work.",
                        where=f"{self.stage.name}, partition {self.partition}",
                        why=f"{failed} times in a row: {failure}",
                        next_step="look at the brokers' logs and the network between; then start the worker again",
                    )
                )
            case TierstreamError():
                self._fail(failure)
            case _:
                self._fail(_unforeseen(self.stage.name, self.partition, failure))
        return False

    async def _until_ours(self) -> None:
        """Return when the group has said that the partition may be opened again; `stop` ends the waiting otherwise.

        A writer is fenced by whoever takes over a partition that was not given back in order. That one partition is
        lost, the others are ours still. When it was fenced cannot be told: a writer with nothing to commit notices it
        minutes later. So the group is asked now; while a rebalance is under way, its end decides.
        """
        self._reassigned.clear()
        while not (self._reassigned.is_set() or await self._context.source.assignment_stands()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN_S):
                    await self._reassigned.wait()
        await self._free.wait()

    def _fail(self, error: TierstreamError) -> None:
        self._log.error("partition failed", error=type(error).__name__, trace=_frames(error.__cause__))
        self._context.fail(error)


def _frames(error: BaseException | None) -> list[str]:
    """Return where an error came from; its text is left out, since it may hold customer data."""
    return [] if error is None else [line.strip() for line in traceback.format_tb(error.__traceback__)]


def _fenced(stage: str, partition: int, failure: Exception) -> FencedError:
    return FencedError(
        "Another worker has taken over what this one was writing.",
        where=f"{stage}, partition {partition}",
        why=f"{failure}, again and again, and the consumer group still assigns the partition to this worker",
        next_step="make sure that no second deployment runs under this kafka.application_id",
    )


def _unforeseen(stage: str, partition: int, error: Exception) -> BugError:
    bug = BugError(
        "A partition's task broke; nothing uncommitted was acknowledged.",
        where=f"{stage}, partition {partition}",
        why=type(error).__name__,
        next_step="report it with the trace in the log",
    )
    bug.__cause__ = error
    return bug
