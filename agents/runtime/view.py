"""What a worker looks like at a moment, as plain values: what health is judged by. Read from another thread."""

import time
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from agents.runtime.engine import Engine
    from agents.runtime.partition import PartitionTask


class PartitionView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One partition of one stage."""

    stage: str
    partition: int
    state: Literal["opening", "restoring", "working"]
    remaining: int | None = None
    """Changelog offsets still to read, while restoring."""
    waiting_s: float = 0.0
    """How long it has had input, or had to be restored, and has not moved; as of the last answer of the brokers."""
    why: str = ""
    """Where it hangs, as far as can be told."""


class WorkerView(msgspec.Struct, frozen=True, kw_only=True):
    """One worker. Seconds are since the thing named."""

    joined: bool
    """Whether the group's first assignment came."""
    restored_once: bool
    """Whether every partition of some assignment has been at work."""
    loop_turned_s: float
    consumer_turned_s: float
    brokers_answered_s: float
    answer_within_s: float
    """How often the brokers are asked, with time for an answer."""
    stalled_after_s: float
    partitions: tuple[PartitionView, ...] = ()


def view_of(engine: "Engine") -> WorkerView:
    """Look at a worker."""
    now, dog = time.monotonic(), engine.watchdog
    tasks = [task for table in engine.tables for task in table.tasks.copy().values()]
    partitions = tuple(_partition(engine, task) for task in tasks)
    if engine.joined and all(view.state == "working" for view in partitions):
        engine.restored_once = True
    return WorkerView(
        joined=engine.joined,
        restored_once=engine.restored_once,
        loop_turned_s=now - engine.heartbeat.turned_at,
        consumer_turned_s=now - engine.app.consumer.last_turn,
        brokers_answered_s=now - dog.answered_at,
        answer_within_s=3 * dog.look_every_s,
        stalled_after_s=engine.settings.pace.stalled_after_s,
        partitions=partitions,
    )


def _partition(engine: "Engine", task: "PartitionTask") -> PartitionView:
    dog = engine.watchdog
    since = dog.waiting_since.get((task.stage.name, task.partition))
    waiting_s = 0.0 if since is None else max(0.0, dog.answered_at - since)
    remaining = task.remaining(engine.context.restores)
    state: Literal["opening", "restoring", "working"] = "opening" if remaining is None else "restoring"
    return PartitionView(
        stage=task.stage.name,
        partition=task.partition,
        state="working" if task.tenure is not None else state,
        remaining=None if task.tenure is not None else remaining,
        waiting_s=round(waiting_s, 1),
        why=task.stuck_at(time.monotonic() - engine.app.consumer.last_turn) if waiting_s else "",
    )
