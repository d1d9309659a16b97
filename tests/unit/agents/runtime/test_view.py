"""A look at a worker: what it says of each partition, and that time without an answer does not count as standstill."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

from agents.metrics import RuntimeMetrics
from agents.runtime.engine import Engine
from agents.runtime.engine_settings import Pace
from agents.runtime.heartbeat import Heartbeat
from agents.runtime.partition import PartitionTask
from agents.runtime.restore import RestoreProgress
from agents.runtime.view import view_of
from tests.unit.agents.runtime.fakes import Bench, FakeSource, FakeWriter, ToyStage, context


def engine_with(*tasks: PartitionTask, **changes: Any) -> Engine:  # noqa: ANN401 - any attribute
    """As much of an engine as is looked at."""
    now = time.monotonic()
    parts: dict[str, Any] = {
        "joined": True,
        "restored_once": False,
        "tables": [SimpleNamespace(tasks={task.partition: task for task in tasks})],
        "heartbeat": SimpleNamespace(turned_at=now),
        "watchdog": SimpleNamespace(waiting_since={}, answered_at=now, look_every_s=5.0),
        "app": SimpleNamespace(consumer=SimpleNamespace(last_turn=now)),
        "context": SimpleNamespace(restores=RestoreProgress(lambda *_: None)),
        "settings": SimpleNamespace(pace=SimpleNamespace(stalled_after_s=30.0)),
    }
    return cast("Engine", SimpleNamespace(**(parts | changes)))


def task(partition: int = 0) -> PartitionTask:
    return PartitionTask(context(FakeSource(), []), ToyStage(), partition, FakeWriter(Pace()))


async def test_a_partition_is_opening_then_restoring_then_working() -> None:
    """With the offsets to go while it restores."""
    restores, seen = RestoreProgress(lambda *_: None), task()
    engine = engine_with(seen, context=SimpleNamespace(restores=restores))
    assert view_of(engine).partitions[0].state == "opening"

    with restores.of(seen._changelog, 120):
        restoring = view_of(engine)
    assert (restoring.partitions[0].state, restoring.partitions[0].remaining) == ("restoring", 120)
    assert not restoring.restored_once

    seen.tenure = Bench().tenure
    assert view_of(engine).partitions[0].state == "working"
    assert view_of(engine).restored_once
    seen.tenure = None  # built again after a failure: the start is over all the same
    assert view_of(engine).restored_once


async def test_how_long_it_waits_is_as_of_the_last_answer() -> None:
    """While no broker answers nobody knows whether there is input: the wait does not grow."""
    now, seen = time.monotonic(), task(3)
    dog = SimpleNamespace(waiting_since={("toy", 3): now - 100}, answered_at=now - 90, look_every_s=5.0)
    (partition,) = view_of(engine_with(seen, watchdog=dog)).partitions

    assert partition.waiting_s == 10.0
    assert "its task is not ready" in partition.why
    assert view_of(engine_with(seen, watchdog=dog)).brokers_answered_s >= 90


async def test_before_the_first_assignment_nothing_is_restored() -> None:
    """No partitions is not all partitions."""
    assert not view_of(engine_with(joined=False)).restored_once
    assert view_of(engine_with()).restored_once


async def test_the_heart_beats_in_the_loop() -> None:
    """And tells how late the loop is, and how the restores go."""
    metrics, restores = RuntimeMetrics(), RestoreProgress(lambda *_: None)
    heart = Heartbeat(metrics, restores)
    heart.turned_at = 0.0
    beating = asyncio.create_task(heart.run())
    with restores.of(task()._changelog, 50):
        await asyncio.sleep(0.9)
        time.sleep(0.4)  # noqa: ASYNC251 - it is the loop that is to be late
        await asyncio.sleep(0.1)
    beating.cancel()

    assert time.monotonic() - heart.turned_at < 5
    assert metrics.loop_lag._value.get() > 0.2
    assert metrics.restoring._value.get() == 1
    assert metrics.restore_remaining._value.get() == 50
