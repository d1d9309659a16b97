"""What an assignment does to the tasks of a stage: lost ones end, kept ones go on, new ones begin."""

from pathlib import Path

import pytest
from faust.types import TP

from agents.runtime import table as module
from agents.runtime.context import Context
from agents.runtime.engine_settings import EngineSettings
from agents.runtime.faust_app import new_app
from agents.runtime.stage import Stage
from agents.runtime.table import TransactionalTable
from agents.runtime.writer import StageWriter
from tests.unit.agents.runtime.fakes import FakeSource, ToyStage, chunk, context

LOG: list[str] = []


class FakeTask:
    """Notes what is asked of it."""

    tenure = None

    def __init__(self, context: Context, stage: Stage, partition: int, writer: StageWriter) -> None:
        del context, stage, writer
        self.partition = partition

    def start(self) -> None:
        """Note it."""
        LOG.append(f"start {self.partition}")

    def refetch(self) -> None:
        """Note it."""
        LOG.append(f"refetch {self.partition}")

    def deliver(self, taken: object) -> None:
        """Note it."""
        del taken
        LOG.append(f"deliver {self.partition}")

    async def stop(self, within_s: float) -> None:
        """Note it."""
        assert within_s > 0
        LOG.append(f"stop {self.partition}")


@pytest.fixture
async def table(monkeypatch: pytest.MonkeyPatch) -> TransactionalTable:
    """A table whose tasks are fakes."""
    LOG.clear()
    monkeypatch.setattr(module, "PartitionTask", FakeTask)
    app = new_app(EngineSettings("app", "nowhere:1", 4, Path("x")))
    made: TransactionalTable = app.Table("toy", key_type=bytes, value_type=bytes, partitions=4)
    return made.bind(context(FakeSource(), []), ToyStage())


async def assign(table: TransactionalTable, generation: int, *partitions: int) -> list[str]:
    """Assign partitions of changelog and source; returns what happened."""
    LOG.clear()
    tps = {TP(topic, number) for number in partitions for topic in ("app-toy-changelog", "in")}
    await table.on_rebalance(tps, set(), set(), generation)
    return list(LOG)


async def test_tasks_follow_the_assignment(table: TransactionalTable) -> None:
    """In generation 1 partitions 0 and 1 are given; in generation 2 partition 1 is taken and 2 is given."""
    assert await assign(table, 1, 0, 1) == ["start 0", "start 1"]
    assert await assign(table, 2, 0, 2) == ["stop 1", "refetch 0", "start 2"]
    assert sorted(table.tasks) == [0, 2]


async def test_after_a_missed_generation_nothing_was_kept(table: TransactionalTable) -> None:
    """Another may have owned the partitions in the generation that went by without us."""
    await assign(table, 1, 0, 1)

    assert await assign(table, 3, 0, 1) == ["stop 0", "stop 1", "start 0", "start 1"]


async def test_the_first_generation_may_have_any_number(table: TransactionalTable) -> None:
    """A group lives longer than its workers."""
    assert await assign(table, 70, 3) == ["start 3"]


async def test_chunks_of_partitions_that_are_gone_are_dropped(table: TransactionalTable) -> None:
    """Without a word: they are somebody else's now."""
    await assign(table, 1, 1)
    LOG.clear()

    table.deliver(chunk(0, 1))

    assert LOG == []


async def test_dropping_stops_every_task(table: TransactionalTable) -> None:
    """At the end of the worker."""
    await assign(table, 1, 0, 1, 2)
    LOG.clear()

    await table.drop()

    assert sorted(LOG) == ["stop 0", "stop 1", "stop 2"]
    assert table.tasks == {}


async def test_the_changelog_has_the_name_that_is_created(table: TransactionalTable) -> None:
    """`topics apply` and Faust agree."""
    assert table.changelog_topic_name == "app-toy-changelog"
