"""Whether a worker is alive, ready and started, judged from a look at it. Pure: no clock, no I/O.

Alive: restarting would not help. Ready: it does its share now. Started: `alive` may be asked from now on.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from agents.runtime.view import PartitionView, WorkerView

LOOP_SILENT_S_MAX: Final = 20.0
"""A slice of folding takes 20 ms; a loop that has not turned for so long is blocked."""


class Verdict(msgspec.Struct, frozen=True):
    """An answer of a probe; the body of its HTTP answer."""

    ok: bool
    status: str
    """`ok`, or one word for what is the matter."""
    reasons: tuple[str, ...] = ()
    """Why, each with its partition where there is one."""
    partitions: tuple[PartitionView, ...] = ()


def alive(view: WorkerView) -> Verdict:
    """Fail when a restart is the remedy: the loop is blocked, or a partition has input and stands still.

    Restoring does not fail it, nor does a broker that is away: it would be away for the next process too.
    """
    reasons = []
    if view.loop_turned_s > LOOP_SILENT_S_MAX:
        reasons.append(f"the event loop last turned {view.loop_turned_s:.0f} s ago")
    if view.consumer_turned_s > view.stalled_after_s and any(p.waiting_s for p in view.partitions):
        reasons.append(f"there is input, and the consumer last turned {view.consumer_turned_s:.0f} s ago")
    reasons += _stuck(view)
    return Verdict(not reasons, "stuck" if reasons else "ok", tuple(reasons), view.partitions)


def ready(view: WorkerView) -> Verdict:
    """Fail while it does not do its share: not joined, something not restored, no broker answers, or not alive."""
    first = alive(view)
    if not first.ok:
        return first
    if not view.joined:
        return Verdict(ok=False, status="joining", reasons=("the group has assigned nothing yet",))
    if view.brokers_answered_s > view.answer_within_s:
        why = f"no broker has answered for {view.brokers_answered_s:.0f} s"
        return Verdict(ok=False, status="brokers away", reasons=(why,), partitions=view.partitions)
    reasons = tuple(f"{_named(p)} {_progress(p)}" for p in view.partitions if p.state != "working")
    return Verdict(not reasons, "restoring" if reasons else "ok", reasons, view.partitions)


def started(view: WorkerView) -> Verdict:
    """Succeed as soon as the start needs no more patience: a restore that comes on, however long, is no failure."""
    if view.restored_once:
        return Verdict(ok=True, status="ok", partitions=view.partitions)
    if not view.joined:
        return Verdict(ok=False, status="joining", reasons=("the group has assigned nothing yet",))
    stuck = tuple(_stuck(view))
    if stuck:
        return Verdict(ok=False, status="stuck", reasons=stuck, partitions=view.partitions)
    moving = tuple(f"{_named(p)} {_progress(p)}" for p in view.partitions if p.state != "working")
    return Verdict(ok=True, status="restoring", reasons=moving, partitions=view.partitions)


PROBES: Final[Mapping[str, Callable[[WorkerView], Verdict]]] = {"/livez": alive, "/readyz": ready, "/startupz": started}
"""Path of each probe."""


def _stuck(view: WorkerView) -> list[str]:
    return [
        f"{_named(p)} has not moved for {p.waiting_s:.0f} s: {p.why}"
        for p in view.partitions
        if p.waiting_s > view.stalled_after_s
    ]


def _named(partition: PartitionView) -> str:
    return f"{partition.stage}, partition {partition.partition}:"


def _progress(partition: PartitionView) -> str:
    if partition.state == "restoring":
        return f"restoring, {partition.remaining} changelog offsets to go"
    return "waiting for its turn to restore, or for the brokers to hand over its producer's name"
