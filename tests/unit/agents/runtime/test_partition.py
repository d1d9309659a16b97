"""What a partition's task does after each kind of failure: build again, wait, or end the worker with a name."""

import asyncio
from collections.abc import Callable

import pytest

from agents.errors import (
    BreakerOpenError,
    BugError,
    FencedError,
    RefusedPositionError,
    TierstreamError,
    UnknownOutcomeError,
)
from agents.runtime import failures, partition
from agents.runtime.context import Context
from agents.runtime.engine_settings import Pace
from agents.runtime.partition import REBUILDS_MAX, PartitionTask
from agents.runtime.position import Position, TopicPosition
from agents.runtime.stage import Stage
from agents.runtime.tenure import Tenure
from agents.runtime.writer import StageWriter
from tests.unit.agents.runtime.fakes import (
    IDENTITY,
    FakeProducer,
    FakeSource,
    FakeWriter,
    NotingPartition,
    ToyStage,
    chunk,
    context,
)


class Openings:
    """Stands for `open_tenure`: each opening fails as planned, or makes a tenure."""

    def __init__(self, *plan: Exception | None) -> None:
        self.plan = list(plan)
        self.made: list[tuple[Tenure, FakeProducer]] = []
        self.tried = 0

    async def __call__(self, context: Context, stage: Stage, number: int, writer: StageWriter) -> Tenure:
        """Open the next one."""
        self.tried += 1
        failure = self.plan.pop(0) if self.plan else None
        if failure is not None:
            raise failure
        assert isinstance(writer, FakeWriter)
        term = await writer.ready()
        position = Position({"in": TopicPosition("id", 1, 0)}, "1")
        tenure = Tenure(context, stage, number, writer, NotingPartition(), position, {"in": IDENTITY})
        writer.join(tenure, term)
        self.made.append((tenure, writer.made[-1]))
        return tenure


class Case:
    """A task whose openings are planned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *plan: Exception | None) -> None:
        self.openings, self.source = Openings(*plan), FakeSource()
        self.failures: list[BaseException] = []
        monkeypatch.setattr(partition, "open_tenure", self.openings)
        monkeypatch.setattr(partition, "BACKOFF_S", (0.001,))
        monkeypatch.setattr(partition, "ASK_AGAIN_S", 0.01)
        self.writer = FakeWriter(Pace())
        self.task = PartitionTask(context(self.source, self.failures, Pace()), ToyStage(), 0, self.writer)
        self.task.start()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(2):
            while not condition():  # noqa: ASYNC110 - a test's patience
                await asyncio.sleep(0.001)

    async def at_work(self, times: int = 1) -> tuple[Tenure, FakeProducer]:
        """Wait for the tenure of that number."""
        await self.until(lambda: len(self.openings.made) >= times and self.task.tenure is self.openings.made[-1][0])
        return self.openings.made[-1]

    async def ended(self) -> TierstreamError:
        """Wait for the failure that the worker is told."""
        await self.until(lambda: bool(self.failures))
        (failure,) = self.failures
        assert isinstance(failure, TierstreamError)
        return failure


async def fail_commit(case: Case, failure: Exception, times: int = 1) -> None:
    """Have the present tenure's next commit fail."""
    tenure, producer = await case.at_work(times)
    producer.failure = failure
    tenure.deliver(chunk(0, 1, seek=tenure.seek))


async def test_a_cluster_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as it takes."""
    case = Case(monkeypatch, *[failures.ClusterAwayError("away")] * 30)

    await case.at_work()

    assert case.openings.tried == 31
    assert case.failures == []


async def test_an_outage_does_not_count_among_the_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the cluster was away: what fails once when it is back is a first failure."""
    away, lost = failures.ClusterAwayError("away"), failures.UnknownOutcomeError("lost")
    case = Case(monkeypatch, *[away] * 30, lost, *[away] * 30, lost)

    await case.at_work()

    assert case.openings.tried == 63
    assert case.failures == []


async def test_failures_far_apart_are_not_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition without input commits nothing, and shares the failures of its writer for weeks."""
    monkeypatch.setattr(partition, "PROVED_AFTER_S", 0.01)
    case = Case(monkeypatch)
    for times in range(1, 3 * REBUILDS_MAX):
        tenure, _ = await case.at_work(times)
        await asyncio.sleep(0.02)
        tenure.break_off(failures.UnknownOutcomeError("lost"))

    await case.at_work(3 * REBUILDS_MAX)
    assert case.failures == []


async def test_an_unknown_outcome_builds_the_task_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new epoch, a restored state, the input from the restored position; the process goes on."""
    case = Case(monkeypatch)
    await fail_commit(case, failures.UnknownOutcomeError("lost"))

    tenure, _ = await case.at_work(times=2)

    assert case.openings.made[0][1].closed
    assert case.task.tenure is tenure
    assert [kind for kind, _ in case.source.calls] == ["open", "shut", "open"]
    assert case.failures == []


async def test_unknown_outcomes_without_end_end_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five in a row without a commit between are enough."""
    case = Case(monkeypatch)
    for times in range(1, REBUILDS_MAX + 2):
        await fail_commit(case, failures.UnknownOutcomeError("lost"), times)

    assert isinstance(await case.ended(), UnknownOutcomeError)


async def test_a_commit_between_makes_the_count_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is bad now and then is no reason to end."""
    case = Case(monkeypatch)
    for times in range(1, 3 * REBUILDS_MAX):
        tenure, producer = await case.at_work(times)
        tenure.deliver(chunk(0, 1, seek=tenure.seek))
        await case.until(lambda tenure=tenure: tenure.passed("in") == 1)  # type: ignore[misc]  # bound in the loop
        producer.failure = failures.UnknownOutcomeError("lost")
        tenure.deliver(chunk(1, 2, seek=tenure.seek))

    await case.at_work(3 * REBUILDS_MAX)
    assert case.failures == []


@pytest.mark.parametrize(
    "failure", [RefusedPositionError("refused"), BreakerOpenError("open"), BugError("bug")], ids=lambda f: f.what
)
async def test_a_named_failure_ends_the_worker_as_it_is(
    monkeypatch: pytest.MonkeyPatch, failure: TierstreamError
) -> None:
    """With its own exit code."""
    case = Case(monkeypatch, failure)

    assert await case.ended() is failure


async def test_an_unforeseen_error_ends_the_worker_as_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing escapes into Faust, which would go on with the next event; the log has the place, not the text."""
    case = Case(monkeypatch, KeyError("customer-4711"))

    failure = await case.ended()

    assert isinstance(failure, BugError)
    said = capsys.readouterr().out
    assert "4711" not in str(failure) + said
    assert "partition.py" in said


async def test_fenced_long_ago_builds_again_when_the_group_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer with nothing to commit notices its fencing long after the rebalance that another owner came by."""
    case = Case(monkeypatch)
    await fail_commit(case, failures.FencedOffError("epoch"))

    await case.at_work(times=2)
    assert case.source.asked == 1
    assert case.failures == []


async def test_fenced_while_the_group_does_not_answer_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an end of the worker nor a claim of what may be another's, however long it takes."""
    case = Case(monkeypatch)
    case.source.stands = False
    await fail_commit(case, failures.FencedOffError("epoch"))
    await case.until(lambda: case.source.asked > 5)

    assert len(case.openings.made) == 1
    case.source.stands = True
    await case.at_work(times=2)
    assert case.failures == []


async def test_fenced_while_a_rebalance_takes_the_partition_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The partition is not claimed again before it is revoked."""
    case = Case(monkeypatch)
    case.source.stands = False
    await fail_commit(case, failures.FencedOffError("epoch"))
    await case.until(lambda: case.task.tenure is None)

    await case.task.stop(within_s=1)
    await asyncio.sleep(0.05)

    assert len(case.openings.made) == 1
    assert case.failures == []


async def test_fenced_and_assigned_anew_builds_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new assignment says the same as an answer of the group."""
    case = Case(monkeypatch)
    case.source.stands = False
    await fail_commit(case, failures.FencedOffError("epoch"))
    await case.until(lambda: case.task.tenure is None and case.source.asked > 0)

    case.task.refetch()

    await case.at_work(times=2)
    assert case.failures == []


async def test_fenced_in_a_rebalance_waits_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group's answer may be older than the revocation that is under way here."""
    case = Case(monkeypatch)
    await fail_commit(case, failures.FencedOffError("epoch"))
    case.source.stands = False
    await case.until(lambda: case.source.asked > 0)
    await case.task.hold(within_s=1)
    case.source.stands = True
    await asyncio.sleep(0.05)
    assert len(case.openings.made) == 1

    case.task.refetch()

    await case.at_work(times=2)


async def test_fenced_again_and_again_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else writes under the same names, though the group gives us the partition."""
    case = Case(monkeypatch)
    for times in range(1, REBUILDS_MAX + 2):
        await fail_commit(case, failures.FencedOffError("epoch"), times)

    assert isinstance(await case.ended(), FencedError)


async def test_a_stopped_task_takes_deliveries_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A put to a stopped task returns at once."""
    case = Case(monkeypatch)
    await case.at_work()
    await case.task.stop(within_s=1)

    case.task.deliver(chunk(0, 1))


async def test_stopping_during_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore under way is given up."""
    case = Case(monkeypatch, *[failures.ClusterAwayError("away")] * 10_000)

    await asyncio.wait_for(case.task.stop(within_s=1), 1)

    assert case.failures == []
