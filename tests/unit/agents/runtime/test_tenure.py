"""A tenure at work: folding goes on during a commit, commits are paced, and nothing is acknowledged that was not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from agents.errors import BreakerOpenError, BugError
from agents.runtime.failures import InputMovedError, UnknownOutcomeError
from agents.runtime.inbox import BYTES_MAX
from agents.runtime.position import POSITION_KEY, decode_position
from agents.runtime.stage import Record
from tests.unit.agents.runtime.fakes import Bench, chunk


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator["asyncio.Task[None]"]:
    """Run the tenure until the block ends."""
    bench.writer.join(bench.tenure, await bench.writer.ready())
    task = asyncio.create_task(bench.tenure.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bench.writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(2):
        while not condition():  # noqa: ASYNC110 - a test's patience
            await asyncio.sleep(0.001)


async def test_what_is_folded_is_committed_with_its_position() -> None:
    """One transaction holds outputs, states and the position behind them."""
    bench = Bench()
    async with running(bench):
        bench.deliver(0, 3)
        await until(lambda: len(bench.producer.committed) == 1)

    assert bench.committed == [b"0", b"1", b"2"]
    ((_, value, _),) = bench.producer.committed[-1]["app-toy-changelog", 0]
    assert value is not None
    assert decode_position(value, "").topics["in"].offset == 3
    assert bench.producer.committed[-1]["app-toy-changelog", 0][-1][0] == POSITION_KEY


async def test_folding_goes_on_while_a_commit_is_under_way() -> None:
    """Batch k+1 is folded during the transaction of batch k, and is not in it."""
    bench = Bench()
    bench.producer.gate.clear()
    async with running(bench):
        bench.deliver(0, 2)
        await until(lambda: bench.producer.begun == 1)
        bench.deliver(2, 4)
        await until(lambda: len(bench.state.folded) == 4)
        assert bench.producer.begun == 1
        assert bench.tenure.passed("in") == 0
        bench.producer.gate.set()
        await until(lambda: bench.tenure.passed("in") == 4)

    assert [len(outputs["out", 0]) for outputs in bench.producer.committed] == [2, 2]


async def test_a_full_batch_stops_the_fold_until_the_commit_is_done() -> None:
    """What is pending stays bounded while a broker is slow."""
    bench = Bench(records_max=5)
    bench.state.slice_max = 1
    bench.producer.gate.clear()
    async with running(bench):
        bench.deliver(0, 100)
        await until(lambda: bench.producer.begun == 1)
        await asyncio.sleep(0.05)
        waiting = len(bench.state.folded)
        bench.producer.gate.set()
        await until(lambda: len(bench.state.folded) == 100)

    assert waiting <= 5 + 5 + 1


async def test_commits_are_paced() -> None:
    """Many small chunks make few transactions: one per interval."""
    bench = Bench(interval_s=0.1)
    async with running(bench):
        for offset in range(30):
            bench.deliver(offset, offset + 1)
            await asyncio.sleep(0.01)
        await until(lambda: len(bench.committed) == 30)

    assert 3 <= len(bench.producer.committed) <= 6


async def test_a_batch_that_is_full_does_not_wait_for_the_interval() -> None:
    """`commit_records_max` comes first."""
    bench = Bench(interval_s=60, records_max=10)
    async with running(bench):
        bench.deliver(0, 10)
        await until(lambda: len(bench.producer.committed) == 1)  # the very first is due at once
        bench.deliver(10, 25)
        await until(lambda: len(bench.committed) == 25)


async def test_chunks_of_an_older_seek_are_dropped() -> None:
    """After a new assignment everything comes again from where the kept chunks end."""
    bench = Bench()
    bench.deliver(0, 2)
    bench.tenure.fetch()
    bench.deliver(2, 4, seek=1)
    bench.deliver(2, 3)
    async with running(bench):
        await until(lambda: len(bench.committed) == 3)

    assert [list(offsets.values()) for kind, offsets in bench.source.calls if kind == "open"] == [[0], [2]]


async def test_a_full_inbox_pauses_its_own_topics_only() -> None:
    """And resumes them once half is folded."""
    bench = Bench()
    for offset in range(5):
        bench.tenure.deliver(chunk(offset, offset + 1, seek=1, size=BYTES_MAX // 4))
    assert bench.source.calls[-1] == ("pause", bench.tenure.tps)

    async with running(bench):
        await until(lambda: bench.source.calls[-1] == ("resume", bench.tenure.tps))


async def test_nothing_is_folded_or_begun_while_held() -> None:
    """A rebalance decides who owns the partition; what is open may finish."""
    bench = Bench()
    bench.producer.gate.clear()
    async with running(bench):
        bench.deliver(0, 1)
        await until(lambda: bench.producer.begun == 1)
        bench.deliver(1, 2)
        await until(lambda: len(bench.state.folded) == 2)
        bench.tenure.hold()
        bench.deliver(2, 3)
        bench.producer.gate.set()
        await bench.tenure.settled(1)
        await asyncio.sleep(0.05)
        assert bench.state.folded == [b"0", b"1"]
        assert bench.producer.begun == 1
        bench.tenure.release()
        await until(lambda: bench.committed == [b"0", b"1", b"2"])


async def test_stopping_finishes_the_open_commit_and_drops_the_rest() -> None:
    """What was folded after it was never acknowledged: the next owner folds it again."""
    bench = Bench(interval_s=60)
    bench.producer.gate.clear()
    async with running(bench) as task:
        bench.deliver(0, 1)
        await until(lambda: bench.producer.begun == 1)
        bench.deliver(1, 2)
        await until(lambda: len(bench.state.folded) == 2)
        bench.tenure.stop()
        await asyncio.sleep(0.02)
        assert not task.done()
        bench.producer.gate.set()
        await asyncio.wait_for(task, 1)

    assert bench.committed == [b"0"]


async def test_a_bug_in_the_fold_names_the_offsets_and_lets_the_commit_before_it_finish() -> None:
    """The batch of the bug is never committed, the one before it is."""
    bench = Bench()
    bench.state.poison = b"3"
    bench.producer.gate.clear()
    async with running(bench) as task:
        bench.deliver(0, 2)
        await until(lambda: bench.producer.begun == 1)
        bench.deliver(2, 5)
        with pytest.raises(BugError) as caught:
            await task
        asyncio.get_running_loop().call_later(0.05, bench.producer.gate.set)
        await bench.tenure.close()

    assert caught.value.where == "in-0, offsets 2 to 4"
    assert caught.value.why == "ValueError"
    assert bench.committed == [b"0", b"1"]


async def test_a_named_failure_of_the_stage_passes_as_it_is() -> None:
    """A breaker that opens is no bug of ours."""
    bench = Bench()

    def refuse(records: Sequence[Record], deadline: float) -> int:
        raise BreakerOpenError("refused")

    bench.state.fold = refuse  # type: ignore[method-assign]  # a stage that stops the worker
    async with running(bench) as task:
        bench.deliver(0, 1)
        with pytest.raises(BreakerOpenError):
            await task


async def test_a_failed_commit_ends_the_tenure() -> None:
    """Its position is not taken as committed."""
    bench = Bench()
    bench.producer.failure = UnknownOutcomeError("nobody answered")
    async with running(bench) as task:
        bench.deliver(0, 1)
        with pytest.raises(UnknownOutcomeError):
            await task

    assert bench.committed == []
    assert bench.tenure.passed("in") == 0


async def test_an_idle_partition_commits_nothing() -> None:
    """Polled every second, but no empty transactions."""
    bench = Bench()
    async with running(bench):
        await asyncio.sleep(0.1)

    assert bench.state.polls == 1
    assert bench.producer.begun == 0


async def test_control_records_are_passed_without_a_transaction() -> None:
    """A chunk of markers moves the position; it is written with the next real commit."""
    bench = Bench()
    async with running(bench):
        bench.deliver(0, 1)
        await until(lambda: bench.tenure.passed("in") == 1)
        bench.tenure.deliver(chunk(1, 2, seek=1)._replace(batches=[]))
        await until(lambda: bench.tenure.passed("in") == 2)

    assert bench.producer.begun == 1
    assert bench.tenure.cursor.committed["in"] == 1


async def test_a_marker_behind_the_last_record_of_a_chunk_is_no_gap() -> None:
    """The next chunk begins behind the marker."""
    bench = Bench()
    async with running(bench):
        bench.tenure.deliver(chunk(0, 2)._replace(end=3))
        bench.deliver(3, 5)
        await until(lambda: bench.committed == [b"0", b"1", b"3", b"4"])


async def test_a_failure_noticed_elsewhere_ends_it() -> None:
    """The consumer found the position out of reach."""
    bench = Bench()
    async with running(bench) as task:
        await asyncio.sleep(0.01)
        bench.tenure.break_off(InputMovedError("gone"))
        with pytest.raises(InputMovedError):
            await asyncio.wait_for(task, 1)


async def test_stopping_gives_the_partition_back() -> None:
    """Whoever comes next finds nobody to fence; the position is the last one that was committed."""
    bench = Bench(interval_s=60)
    async with running(bench) as task:
        bench.deliver(0, 2)
        await until(lambda: bench.tenure.passed("in") == 2)
        bench.deliver(2, 4)
        await until(lambda: len(bench.state.folded) == 4)
        bench.tenure.stop()
        await asyncio.wait_for(task, 1)

    positions = [
        decode_position(value or b"", "") for o in bench.producer.committed for _, value, _ in o["app-toy-changelog", 0]
    ]
    assert [(p.writer, p.topics["in"].offset) for p in positions] == [("app-toy-writer-w", 2), ("", 2)]


async def test_nothing_of_a_tenure_that_broke_is_committed() -> None:
    """Half of the slice that broke is in its memory, but not in its position: the next tenure folds it again."""
    bench = Bench(interval_s=0.2)
    bench.state.poison = b"5"
    async with running(bench) as task:
        bench.deliver(0, 1)
        await until(lambda: bench.committed == [b"0"])
        bench.deliver(1, 3)
        await until(lambda: len(bench.state.folded) == 3)
        bench.deliver(3, 7)
        with pytest.raises(BugError):
            await task
        await asyncio.sleep(0.3)

    assert bench.state.folded[-1] == b"4"
    assert bench.committed == [b"0"]
