"""Lag in records is exact; lag in time is bounded by what is known of when the waiting records can have arrived."""

from typing import Any

from aiokafka import TopicPartition

from agents.metrics import Lag
from agents.runtime.lag import LagTracker
from agents.runtime.partition import PartitionTask
from tests.unit.agents.runtime.fakes import Bench, FakeSource, ToyStage, context

IN = TopicPartition("in", 0)
KEY = ("toy", "in", 0)


class Case:
    """A tracker over one partition."""

    def __init__(self) -> None:
        self.tracker, self.bench = LagTracker(), Bench()
        self.task = PartitionTask(context(FakeSource(), []), ToyStage(), 0, self.bench.writer)
        self.task.tenure = self.bench.tenure

    def look(self, end: int, at_ms: int) -> Lag | None:
        """Look once."""
        return self.tracker.look([self.task], {IN: end}, at_ms).get(KEY)

    def commit(self, offset: int, arrived_ms: int) -> None:
        """Have everything before the offset committed."""
        cursor: Any = self.bench.tenure.cursor
        cursor.next["in"] = cursor.committed["in"] = offset
        self.bench.tenure.metrics.folded("in", arrived_ms)


async def test_nothing_waits() -> None:
    """The cursor is at the end."""
    case = Case()
    case.commit(5, 1_000)

    assert case.look(5, 9_000) == Lag(0, 1_000)


async def test_what_waits_arrived_after_the_newest_committed_record() -> None:
    """A backlog: the age shrinks as it is worked off."""
    case = Case()
    case.commit(5, 1_000)
    assert case.look(50, 90_000) == Lag(45, 1_000)
    case.commit(40, 80_000)

    assert case.look(50, 91_000) == Lag(10, 80_000)


async def test_after_a_silence_the_last_look_without_lag_is_the_bound() -> None:
    """A burst after a quiet night is not a night old."""
    case = Case()
    case.commit(5, 1_000)
    case.look(5, 60_000)

    assert case.look(9, 65_000) == Lag(4, 60_000)
    assert case.look(9, 70_000) == Lag(4, 60_000)


async def test_before_anything_is_known_there_is_no_age() -> None:
    """A worker that has just started behind a backlog."""
    assert Case().look(9, 65_000) == Lag(9, None)


async def test_a_partition_that_is_not_at_work_has_no_lag() -> None:
    """And when it comes back, what was known of it is forgotten: another may have owned it."""
    case = Case()
    case.look(0, 1_000)
    case.task.tenure = None
    assert case.look(9, 2_000) is None
    case.task.tenure = case.bench.tenure

    assert case.look(9, 3_000) == Lag(9, None)
