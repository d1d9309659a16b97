"""Alive, ready, started: each state of a worker, and which probe it fails."""

from typing import Any

import pytest

from agents.health import LOOP_SILENT_S_MAX, alive, ready, started
from agents.runtime.view import PartitionView, WorkerView


def view(**changes: Any) -> WorkerView:  # noqa: ANN401 - any field
    """A worker at work, but for the changes."""
    healthy: dict[str, Any] = {
        "joined": True,
        "restored_once": True,
        "loop_turned_s": 0.5,
        "consumer_turned_s": 0.5,
        "brokers_answered_s": 1.0,
        "answer_within_s": 15.0,
        "stalled_after_s": 30.0,
        "partitions": (partition(),),
    }
    if not changes.get("joined", True):
        healthy |= {"restored_once": False, "partitions": ()}
    return WorkerView(**(healthy | changes))


def partition(*, number: int = 0, **changes: Any) -> PartitionView:  # noqa: ANN401 - any field
    """A partition at work, but for the changes."""
    working: dict[str, Any] = {"stage": "customers", "partition": number, "state": "working"}
    return PartitionView(**(working | changes))


RESTORING = partition(state="restoring", remaining=1_000, waiting_s=4.0)
STUCK = partition(number=7, waiting_s=31.0, why="a commit has been open for 31 s")
STUCK_RESTORE = partition(state="restoring", remaining=1_000, waiting_s=31.0, why="the restore hangs")

STATES = {
    "at work": (view(), (True, True, True)),
    "without partitions": (view(partitions=()), (True, True, True)),
    "not joined yet": (view(joined=False), (True, False, False)),
    "restoring for the first time": (view(restored_once=False, partitions=(RESTORING,)), (True, False, True)),
    "restoring after a rebalance": (view(partitions=(partition(), RESTORING)), (True, False, True)),
    "waiting to restore": (view(restored_once=False, partitions=(partition(state="opening"),)), (True, False, True)),
    "first restore hangs": (view(restored_once=False, partitions=(STUCK_RESTORE,)), (False, False, False)),
    "later restore hangs": (view(partitions=(partition(), STUCK_RESTORE)), (False, False, True)),
    "a partition is stuck": (view(partitions=(partition(), STUCK)), (False, False, True)),
    "a partition is slow": (view(partitions=(partition(waiting_s=29.0),)), (True, True, True)),
    "the loop is blocked": (view(loop_turned_s=LOOP_SILENT_S_MAX + 1), (False, False, True)),
    "the brokers are away": (view(brokers_answered_s=16.0), (True, False, True)),
    "the consumer is silent, nothing to read": (view(consumer_turned_s=60.0), (True, True, True)),
    "the consumer is silent, there is input": (
        view(consumer_turned_s=60.0, partitions=(partition(waiting_s=5.0),)),
        (False, False, True),
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_fails_the_probes_that_it_should(name: str) -> None:
    """Restart only where it helps; take out of service whatever does not do its share."""
    seen, expected = STATES[name]

    assert (alive(seen).ok, ready(seen).ok, started(seen).ok) == expected


def test_a_stuck_partition_is_named_with_what_it_waits_for() -> None:
    """The operator looks there first."""
    verdict = alive(view(partitions=(partition(), STUCK)))

    assert verdict.status == "stuck"
    assert verdict.reasons == ("customers, partition 7: has not moved for 31 s: a commit has been open for 31 s",)
    assert verdict.partitions[1] is STUCK


def test_a_restore_tells_how_far_it_is() -> None:
    """So that a long one can be told from one that hangs."""
    verdict = ready(view(restored_once=False, partitions=(RESTORING,)))

    assert (verdict.status, verdict.reasons) == (
        "restoring",
        ("customers, partition 0: restoring, 1000 changelog offsets to go",),
    )
    hanging = started(view(restored_once=False, partitions=(STUCK_RESTORE,)))
    assert (hanging.status, hanging.reasons) == (
        "stuck",
        ("customers, partition 0: has not moved for 31 s: the restore hangs",),
    )


def test_brokers_that_are_away_are_said() -> None:
    """A restart would not bring them back."""
    verdict = ready(view(brokers_answered_s=16.4))

    assert (verdict.status, verdict.reasons) == ("brokers away", ("no broker has answered for 16 s",))
