"""What time does to silent customers is done between two commits, a share of each."""

import asyncio

from agents.runtime.pacing import WORK_PER_COMMIT_S
from tests.unit.agents.runtime.fakes import Bench
from tests.unit.agents.runtime.test_tenure import running, until


async def test_work_goes_on_without_input() -> None:
    """Due customers are run slice by slice, committed like input."""
    bench = Bench()
    bench.state.work_left = 20
    async with running(bench):
        await until(lambda: bench.state.works >= 20)

    assert bench.state.polls == 1


async def test_due_work_waits_for_a_slow_commit_and_input_does_not() -> None:
    """What was done for silent customers stays a small part of the next commit, however long this one takes."""
    bench = Bench()
    bench.producer.gate.clear()
    bench.state.work_left, bench.state.work_s = 10_000, WORK_PER_COMMIT_S / 10
    async with running(bench):
        bench.deliver(0, 1)
        await until(lambda: bench.producer.begun == 1)
        await until(lambda: bench.writer.clock.work_done)
        done = bench.state.works
        bench.deliver(1, 6)
        await until(lambda: len(bench.state.folded) == 6)
        await asyncio.sleep(0.05)
        assert bench.state.works == done
        bench.producer.gate.set()
        await until(lambda: bench.state.works > done)
    assert done <= 25
