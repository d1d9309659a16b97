"""The MBG/NBD model against published points, another implementation and its own limits."""

import timeit
import warnings
from math import inf, isfinite

import pytest

from streams.models.mbgnbd import CDNOW_1997, Parameters, ln_odds_of_death, p_alive, p_alive_crossing, p_purchase_within

# x, tx, t of customers of the CDNOW sample in weeks, P(alive) at t, and the t at which it reaches one half.
ANCHORS = [
    (0, 0.0, 38.86, 0.389715, 12.9814),
    (1, 1.71, 38.86, 0.170820, 9.8005),
    (2, 30.43, 38.86, 0.706126, 57.5578),
    (7, 29.43, 38.86, 0.622639, 41.9595),
    (26, 30.86, 31.0, 0.965553, 35.9789),
]


@pytest.mark.parametrize(("x", "tx", "t", "alive", "half"), ANCHORS)
def test_point_values_and_crossings_are_those_of_the_fit(
    x: int, tx: float, t: float, alive: float, half: float
) -> None:
    """P(alive) agrees to 1e-6, its crossing of 0.5 to the four decimals known."""
    assert p_alive(CDNOW_1997, x, tx, t) == pytest.approx(alive, abs=1e-6)
    assert p_alive_crossing(CDNOW_1997, x, tx, 0.5) == pytest.approx(half, abs=5e-5)


@pytest.mark.parametrize(("x", "tx", "t", "alive", "half"), ANCHORS)
def test_another_implementation_agrees(x: int, tx: float, t: float, alive: float, half: float) -> None:
    """The `lifetimes` package, given the same parameters, computes the same P(alive)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lifetimes = pytest.importorskip("lifetimes")
    oracle = lifetimes.ModifiedBetaGeoFitter()
    model = CDNOW_1997
    oracle.params_ = {"r": model.r, "alpha": model.alpha, "a": model.a, "b": model.b}
    theirs = oracle.conditional_probability_alive(x, tx, t).item()
    assert p_alive(model, x, tx, t) == pytest.approx(theirs, abs=1e-12)


def test_purchase_within_a_horizon_has_its_published_value() -> None:
    """A once-only buyer buys again within 90 days with the probability that the formula gives on paper."""
    alive = 1 / (1 + 0.891359 / 1.614002 * ((6.183085 + 10) / 6.183085) ** 0.524843)
    buys = 1 - ((6.183085 + 10) / (6.183085 + 10 + 90 / 7)) ** 0.524843
    assert p_purchase_within(CDNOW_1997, 0, 0.0, 10.0, 90 / 7) == pytest.approx(alive * buys, rel=1e-12)


@pytest.mark.parametrize("x", [0, 1, 100, 100_000])
@pytest.mark.parametrize("tx", [0.0, 1e-9, 52.0, 1e9])
@pytest.mark.parametrize("silence", [0.0, 1e-12, 1.0, 1e9])
def test_extremes_give_probabilities(x: int, tx: float, silence: float) -> None:
    """Neither very many purchases nor very long silence overflows or yields NaN."""
    assert isfinite(ln_odds_of_death(CDNOW_1997, x, tx, tx + silence))
    assert 0.0 <= p_alive(CDNOW_1997, x, tx, tx + silence) <= 1.0
    assert 0.0 <= p_purchase_within(CDNOW_1997, x, tx, tx + silence, 90 / 7) <= 1.0


def test_an_instant_before_the_last_purchase_counts_as_that_purchase() -> None:
    """An order stamped a little ahead of the clock does not make its buyer more alive than the purchase itself."""
    assert p_alive(CDNOW_1997, 3, 20.0, 19.0) == p_alive(CDNOW_1997, 3, 20.0, 20.0)
    assert p_purchase_within(CDNOW_1997, 3, 20.0, 19.0, 4.0) == p_purchase_within(CDNOW_1997, 3, 20.0, 20.0, 4.0)


def test_a_level_already_passed_at_the_last_purchase_is_crossed_there() -> None:
    """Nobody is 99 % alive after a first purchase under these parameters."""
    assert p_alive_crossing(CDNOW_1997, 0, 0.0, 0.99) == 0.0
    assert p_alive_crossing(CDNOW_1997, 1, 3.0, 0.99) == 3.0


def test_a_level_that_no_number_of_weeks_reaches_is_infinitely_far() -> None:
    """With an almost constant dropout the crossing overflows a double; it is no error."""
    faithful = Parameters(name="faithful", r=0.01, alpha=1.0, a=0.0625, b=11.0)
    assert p_alive_crossing(faithful, 0, 0.0, 0.125) == inf


def test_single_calls_are_cheap_enough_for_every_event() -> None:
    """Each closed form costs a few microseconds at most, on a loaded machine too."""
    calls = 2_000
    for call in (
        lambda: p_alive(CDNOW_1997, 3, 20.0, 30.0),
        lambda: p_purchase_within(CDNOW_1997, 3, 20.0, 30.0, 90 / 7),
        lambda: p_alive_crossing(CDNOW_1997, 3, 20.0, 0.5),
    ):
        assert min(timeit.repeat(call, number=calls, repeat=7)) / calls < 2e-6
