"""One transaction for all partitions that have something pending, and one failure for all."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from agents.runtime.engine_settings import Pace
from agents.runtime.failures import UnknownOutcomeError, WriterReplacedError
from agents.runtime.pacing import WORK_PER_COMMIT_S
from agents.runtime.stage import OutputRecord
from agents.runtime.writer import Outputs
from tests.unit.agents.runtime.fakes import FakeProducer, FakeWriter

RECORD: OutputRecord = (b"k", b"v", ())


class Partition:
    """A member with as many records pending as it is given, all for one shared topic."""

    def __init__(self) -> None:
        self.pending = self.commits = self.went_on = 0
        self.due = 0.0
        self.failure: Exception | None = None
        self.bug: Exception | None = None

    def due_at(self) -> float:
        """Due when something is pending."""
        return self.due if self.pending else math.inf

    def take(self) -> Outputs | None:
        """Hand over, or break."""
        if self.bug is not None:
            self.pending = 0
            raise self.bug
        pending, self.pending = self.pending, 0
        return {("out", 0): [RECORD] * pending} if pending > 0 else None

    def committed(self) -> None:
        """Count."""
        self.commits += 1

    def go_on(self) -> None:
        """Count."""
        self.went_on += 1

    def break_off(self, failure: Exception) -> None:
        """Keep it."""
        self.failure = failure


@asynccontextmanager
async def writing(*members: Partition) -> AsyncIterator[tuple[FakeWriter, FakeProducer]]:
    """A writer that these have joined."""
    writer = FakeWriter(Pace())
    term = await writer.ready()
    for member in members:
        writer.join(member, term)
    writer.wake()
    try:
        yield writer, writer.made[0]
    finally:
        await writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(2):
        while not condition():  # noqa: ASYNC110 - a test's patience
            await asyncio.sleep(0.001)


async def test_all_that_is_pending_goes_into_one_transaction() -> None:
    """Also what is not due yet: it costs next to nothing beside the others."""
    first, later, idle = Partition(), Partition(), Partition()
    first.pending, later.pending, later.due = 2, 3, 1e12

    async with writing(first, later, idle) as (_, producer):
        await until(lambda: later.commits == 1)

    assert [len(outputs["out", 0]) for outputs in producer.committed] == [5]
    assert (first.commits, idle.commits) == (1, 0)


async def test_nothing_pending_after_all_makes_no_transaction() -> None:
    """A slice of work may have changed nothing."""
    member = Partition()
    member.pending = -1

    async with writing(member) as (_, producer):
        await until(lambda: member.pending == 0)
        await asyncio.sleep(0.01)

    assert producer.begun == 0


async def test_a_failed_commit_ends_the_tenures_of_all() -> None:
    """Also of those that had no part in it: the producer's epoch is theirs too."""
    busy, idle = Partition(), Partition()
    async with writing(busy, idle) as (writer, producer):
        producer.failure = UnknownOutcomeError("lost")
        busy.pending = 1
        writer.wake()
        await until(lambda: idle.failure is not None)

        assert busy.failure is idle.failure is producer.failure
        assert producer.closed
        assert busy.commits == 0


async def test_who_was_claimed_in_an_earlier_term_may_not_join() -> None:
    """Another may have claimed the partition and fenced the writer between: the later epoch knows nothing of it."""
    busy, opening = Partition(), Partition()
    async with writing(busy) as (writer, producer):
        claimed_in = await writer.ready()
        producer.failure = UnknownOutcomeError("lost")
        busy.pending = 1
        writer.wake()
        await until(lambda: busy.failure is not None)
        with pytest.raises(WriterReplacedError):
            writer.join(opening, claimed_in)
        renewed = await writer.ready()
        with pytest.raises(WriterReplacedError):
            writer.join(opening, claimed_in)

        assert renewed != claimed_in
        assert len(writer.made) == 2


async def test_one_partitions_bug_leaves_the_others_commit_alone() -> None:
    """It ends with the bug; what the others had taken is committed."""
    sound, broken = Partition(), Partition()
    sound.pending = broken.pending = 1
    broken.bug = ValueError("bad")

    async with writing(sound, broken):
        await until(lambda: sound.commits == 1)

    assert broken.failure is broken.bug
    assert broken.commits == 0


async def test_a_partition_is_restored_only_when_no_commit_is_under_way() -> None:
    """The commit may hold records of the partition's last tenure here."""
    member = Partition()
    async with writing(member) as (writer, producer):
        producer.gate.clear()
        member.pending = 1
        writer.wake()
        await until(lambda: producer.begun == 1)
        ready = asyncio.create_task(writer.ready())
        await asyncio.sleep(0.02)
        assert not ready.done()
        producer.gate.set()

        assert await asyncio.wait_for(ready, 1) == 1


async def test_who_has_left_is_not_asked_again() -> None:
    """Its part of a commit under way goes on."""
    member = Partition()
    async with writing(member) as (writer, producer):
        producer.gate.clear()
        member.pending = 1
        writer.wake()
        await until(lambda: producer.begun == 1)
        assert writer.holds(member)
        writer.leave(member)
        member.pending = 1
        producer.gate.set()
        await writer.settled(member, 1)
        await asyncio.sleep(0.02)

    assert producer.begun == 1


async def test_all_go_on_with_due_work_once_what_was_done_is_taken() -> None:
    """Also who had no part in the commit: another partition may have used up the time for all."""
    first, idle = Partition(), Partition()
    first.pending = 1
    async with writing(first, idle) as (writer, _):
        writer.clock.worked(WORK_PER_COMMIT_S)
        assert writer.clock.work_done
        await until(lambda: first.commits == 1)

        assert not writer.clock.work_done
        assert (first.went_on, idle.went_on) == (1, 1)
