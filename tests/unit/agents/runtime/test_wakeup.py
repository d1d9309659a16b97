"""A flag with a time limit, and taking turns."""

import asyncio
import time

import pytest

from agents.runtime.wakeup import Turns, Wakeup


async def test_a_flag_that_is_set_already_does_not_wait() -> None:
    """Setting before waiting is not lost, and waiting clears it."""
    wakeup = Wakeup()
    wakeup.set()
    await asyncio.wait_for(wakeup.wait(), 0.1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wakeup.wait(), 0.02)


async def test_a_wait_ends_at_its_time() -> None:
    """`until` is on the monotonic clock."""
    wakeup = Wakeup()
    begun = time.monotonic()

    await wakeup.wait(until=begun + 0.03)

    assert 0.02 < time.monotonic() - begun < 0.5


async def test_turns_are_taken_in_order_with_the_loop_between() -> None:
    """No task gets a second turn before the others had theirs, and the loop runs something else in between."""
    turns, order = Turns(), []

    async def worker(name: str) -> None:
        for _ in range(3):
            await turns.take()
            order.append(name)
            asyncio.get_running_loop().call_soon(order.append, "loop")
            turns.leave()

    await asyncio.gather(worker("a"), worker("b"))

    assert [name for name in order if name != "loop"] == ["a", "b", "a", "b", "a", "b"]
    assert all(order[i + 1] == "loop" for i, name in enumerate(order) if name != "loop")


async def test_a_cancelled_waiter_passes_its_turn_on() -> None:
    """A stopped task must not keep the others out."""
    turns = Turns()
    await turns.take()
    first, second = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    turns.leave()

    await asyncio.wait_for(second, 0.5)


async def test_a_turn_cancelled_at_the_moment_it_was_given_is_passed_on() -> None:
    """Between being given the turn and running, a task can be cancelled."""
    turns = Turns()
    await turns.take()
    first, second = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.leave()
    first.cancel()

    await asyncio.wait_for(second, 0.5)
    assert first.cancelled()
