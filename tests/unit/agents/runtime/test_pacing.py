"""When commits are due."""

import time

import pytest

from agents.runtime.engine_settings import Pace
from agents.runtime.pacing import (
    CATCH_UP_INTERVAL_MAX_S,
    COMMIT_LAG_MAX_S,
    EVENTS_LATELY_S,
    WORK_BESIDE_EVENTS_S,
    WORK_PER_COMMIT_S,
    CommitClock,
)

PACE = Pace(commit_interval_s=0.1, commit_records_max=5_000)


@pytest.fixture
def clock() -> CommitClock:
    """A clock whose last commit began at 100."""
    made = CommitClock(PACE)
    made.started = 100.0
    return made


def arrived(seconds_ago: float) -> int:
    """Return that moment in epoch milliseconds."""
    return int((time.time() - seconds_ago) * 1000)


@pytest.mark.parametrize(
    ("age_s", "interval_s"),
    [(0.0, 0.1), (0.5, 0.1), (0.9, 0.2), (1.5, 0.5), (60, CATCH_UP_INTERVAL_MAX_S)],
)
def test_the_interval_grows_with_the_age_of_what_is_pending(
    clock: CommitClock, age_s: float, interval_s: float
) -> None:
    """Fresh input has its tenth of a second; a backlog is committed in larger steps."""
    assert clock.due_at(10, arrived(age_s)) == pytest.approx(100 + interval_s, abs=0.02)


def test_work_without_input_keeps_the_interval(clock: CommitClock) -> None:
    """Due customers have no arrival."""
    assert clock.due_at(0, 0) == pytest.approx(100.1)


def test_a_full_batch_is_due_at_once(clock: CommitClock) -> None:
    """However short ago the last commit was."""
    assert clock.due_at(5_000, arrived(60)) == 0


def test_a_slow_commit_stops_the_fold(clock: CommitClock) -> None:
    """By records, or by time: what is pending stays bounded."""
    assert not clock.saturated(4_999, 0.5)
    assert clock.saturated(5_000, 0.0)
    assert clock.saturated(1, COMMIT_LAG_MAX_S + 0.01)


def test_due_work_has_its_share_of_a_commit(clock: CommitClock) -> None:
    """All partitions together: what they did has to be encoded and written before a live event is seen."""
    clock.worked(0.6 * WORK_PER_COMMIT_S)
    assert not clock.work_done
    clock.worked(0.6 * WORK_PER_COMMIT_S)
    assert clock.work_done
    clock.taken()
    assert not clock.work_done


def test_due_work_has_a_small_share_beside_events(clock: CommitClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the whole one again as soon as no events have come for a while."""
    clock.met_events()
    clock.worked(1.1 * WORK_BESIDE_EVENTS_S)
    assert clock.work_done
    later = time.monotonic() + EVENTS_LATELY_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not clock.work_done
