"""A partition that has input and stands still ends the worker; one that is idle, or whose broker is away, does not."""

import time
from collections.abc import Iterable
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from agents.errors import StalledError
from agents.metrics import RuntimeMetrics
from agents.runtime.cluster import Cluster, Instant, Isolation
from agents.runtime.failures import ClusterAwayError
from agents.runtime.partition import PartitionTask
from agents.runtime.restore import RestoreProgress
from agents.runtime.tenure import Taken
from agents.runtime.watchdog import Watchdog
from tests.unit.agents.runtime.fakes import Bench, FakeSource, ToyStage, context

IN = TopicPartition("in", 0)


class EndsCluster(Cluster):
    """Knows one end, or is away."""

    def __init__(self) -> None:
        super().__init__("nowhere:1", client_id="test")
        self.end: int | None = 0

    async def offsets(
        self, tps: Iterable[TopicPartition], at: Instant, isolation: Isolation = Isolation.COMMITTED
    ) -> dict[TopicPartition, int]:
        """Answer with the end that a reader of committed records can reach."""
        assert (at, isolation) == (Instant.END, Isolation.COMMITTED)
        if self.end is None:
            raise ClusterAwayError("away")
        return dict.fromkeys(tps, self.end)


class Case:
    """A watchdog over one task, at times that the test says."""

    def __init__(self) -> None:
        self.cluster, self.failures, self.since = EndsCluster(), list[BaseException](), dict[tuple[str, int], float]()
        self.bench = Bench()
        self.task = PartitionTask(context(FakeSource(), []), ToyStage(), 0, self.bench.writer)
        self.task.tenure = self.bench.tenure
        self.task.since = self.bench.tenure.last_commit = self.bench.tenure.last_move = 0.0
        self.restores = RestoreProgress(lambda *_: None)
        self.dog = Watchdog(
            self.cluster, RuntimeMetrics(), self.restores, lambda: [self.task], self.failures.append, lambda: 7.0, 30.0
        )

    async def look(self, at_s: float) -> None:
        """Look once."""
        self.since = await self.dog._look(self.since, at_s)


async def test_input_without_commits_ends_the_worker() -> None:
    """The error says for how long, where, and what it was waiting for."""
    case = Case()
    case.cluster.end = 5
    for at_s in (100, 115, 131):
        await case.look(at_s)

    (failure,) = case.failures
    assert isinstance(failure, StalledError)
    assert failure.where == "toy, partition 0"
    assert failure.why == "for 31 s: the consumer brings nothing (its loop last turned 7 s ago)"


async def test_an_idle_partition_may_stand_still() -> None:
    """Nothing beyond the cursor, nothing to commit."""
    case = Case()
    for at_s in (100, 200, 300):
        await case.look(at_s)

    assert case.failures == []


async def test_every_commit_gives_new_time() -> None:
    """A backlog is no standstill."""
    case = Case()
    case.cluster.end = 5
    for at_s in (100, 120, 140, 160):
        case.bench.tenure.last_commit = at_s - 5
        await case.look(at_s)

    assert case.failures == []


async def test_passing_input_that_needs_no_commit_is_no_standstill() -> None:
    """Aborted transactions and markers move the cursor only."""
    case = Case()
    case.cluster.end = 5
    for at_s in (100, 120, 140, 160):
        case.bench.tenure.last_move = at_s - 5
        await case.look(at_s)

    assert case.failures == []


async def test_time_without_a_broker_does_not_count() -> None:
    """There is nothing to judge while nobody answers."""
    case = Case()
    for at_s, end in ((100, 5), (120, None), (140, 5), (165, 5)):
        case.cluster.end = end
        await case.look(at_s)

    assert case.failures == []


async def test_a_restore_that_hangs_is_found_and_one_that_moves_is_not() -> None:
    """The brokers answer, but the task does not become ready."""
    case = Case()
    case.task.tenure = None
    for at_s in (100, 131):
        await case.look(at_s)

    assert "not ready" in cast("Any", case.failures[0]).why


async def test_it_says_when_a_commit_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told first is what the operator looks at first."""
    case = Case()
    monkeypatch.setattr(case.bench.tenure, "_commit", Taken({}, 1, 0, time.monotonic()))

    assert case.task.stuck_at(0).startswith("a commit has been open for")
