"""Crossings of the churn score on a few customers whose numbers can be followed by hand."""

import pytest

from streams.models.crossing import MS_PER_WEEK, REACH_MS, score_at, score_crossing, score_crossing_lower_bound
from streams.models.mbgnbd import CDNOW_1997, Parameters, p_purchase_within

WEEKS_90_DAYS = 90 / 7
ANCHOR_MS = 867_715_200_000  # 1997-07-01T00:00:00Z


def crossing(x: int, tx: float, threshold: float, from_ms: int = ANCHOR_MS) -> int | None:
    """Ask for a crossing by a customer whose last purchase day began at the anchor."""
    return score_crossing(CDNOW_1997, x, tx, WEEKS_90_DAYS, threshold, ANCHOR_MS, from_ms)


def bound(x: int, tx: float, threshold: float, from_ms: int = ANCHOR_MS) -> int | None:
    """Ask for the bound on the same crossing."""
    return score_crossing_lower_bound(CDNOW_1997, x, tx, WEEKS_90_DAYS, threshold, ANCHOR_MS, from_ms)


def test_the_score_is_the_complement_of_buying_within_the_horizon() -> None:
    """Eight weeks of silence are eight weeks on the model's clock."""
    at_ms = ANCHOR_MS + 8 * MS_PER_WEEK
    expected = 1 - p_purchase_within(CDNOW_1997, 2, 11.0, 19.0, WEEKS_90_DAYS)
    assert score_at(CDNOW_1997, 2, 11.0, WEEKS_90_DAYS, ANCHOR_MS, at_ms) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("x", "tx", "threshold"), [(0, 0.0, 0.85), (2, 11.0, 0.65), (7, 30.0, 0.95), (40, 50.0, 0.5)])
def test_one_millisecond_straddles_the_threshold(x: int, tx: float, threshold: float) -> None:
    """The score reaches the threshold at the crossing and not a millisecond before."""
    at_ms = crossing(x, tx, threshold)
    assert at_ms is not None
    assert score_at(CDNOW_1997, x, tx, WEEKS_90_DAYS, ANCHOR_MS, at_ms) >= threshold
    assert score_at(CDNOW_1997, x, tx, WEEKS_90_DAYS, ANCHOR_MS, at_ms - 1) < threshold


def test_who_is_over_the_threshold_at_the_purchase_crosses_at_once() -> None:
    """A once-only buyer starts above 0.6: the crossing is the instant asked from."""
    assert crossing(0, 0.0, 0.5) == ANCHOR_MS
    assert crossing(0, 0.0, 0.5, from_ms=ANCHOR_MS + 12_345) == ANCHOR_MS + 12_345
    assert bound(0, 0.0, 0.5) == ANCHOR_MS


def test_asking_later_does_not_move_the_crossing() -> None:
    """Before the crossing every instant of asking gives the same millisecond; after it, the instant itself."""
    at_ms = crossing(7, 30.0, 0.85)
    assert at_ms is not None
    assert crossing(7, 30.0, 0.85, from_ms=at_ms - 5) == at_ms
    assert crossing(7, 30.0, 0.85, from_ms=at_ms + 5) == at_ms + 5
    assert crossing(7, 30.0, 0.85, from_ms=ANCHOR_MS - MS_PER_WEEK) == at_ms


@pytest.mark.parametrize("threshold", [1.0, 1.5])
def test_certainty_is_never_reached(threshold: float) -> None:
    """No silence proves that nobody comes back."""
    assert crossing(3, 20.0, threshold) is None
    assert bound(3, 20.0, threshold) is None


def test_what_a_century_does_not_reach_is_never_reached() -> None:
    """A model in which customers hardly ever leave gives no instant to wait for."""
    loyal = Parameters(name="loyal", r=0.6, alpha=50.0, a=1e-6, b=1e6)
    assert score_crossing(loyal, 0, 0.0, WEEKS_90_DAYS, 0.999, ANCHOR_MS, ANCHOR_MS) is None
    assert score_crossing_lower_bound(loyal, 0, 0.0, WEEKS_90_DAYS, 0.999, ANCHOR_MS, ANCHOR_MS) is None
    assert score_at(loyal, 0, 0.0, WEEKS_90_DAYS, ANCHOR_MS, ANCHOR_MS + REACH_MS) < 0.999


@pytest.mark.parametrize(("x", "tx", "threshold"), [(2, 11.0, 0.65), (7, 30.0, 0.95), (40, 50.0, 0.95)])
def test_the_bound_skips_at_least_half_of_the_way(x: int, tx: float, threshold: float) -> None:
    """On ordinary customers the bound is far ahead, so that a review seldom comes for nothing."""
    at_ms, bound_ms = crossing(x, tx, threshold), bound(x, tx, threshold)
    assert at_ms is not None
    assert bound_ms is not None
    assert (at_ms - ANCHOR_MS) / 2 < bound_ms - ANCHOR_MS <= at_ms - ANCHOR_MS
