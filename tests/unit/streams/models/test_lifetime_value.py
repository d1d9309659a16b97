"""Expected purchases and spend against published points, special functions and a simulation."""

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import asinh, exp, log, log1p, pi

import msgspec
import numpy as np
import pytest
from scipy.special import betaln

from streams.models.churn_model import ChurnModel, SpendParameters
from streams.models.lifetime_value import clv, expected_purchases
from streams.models.scoring import ChurnInputs, Scorer, p_alive, score, scorer_of
from streams.models.spend import expected_spend
from tests.churn import ANCHOR_MS, FULL, after

SAMPLE_BG = scorer_of(ChurnModel(name="bg", family="bg-nbd", r=0.242595, alpha=4.413602, a=0.792922, b=2.425906), 90)
SAMPLE_MBG = scorer_of(ChurnModel(name="mbg", r=0.524843, alpha=6.183085, a=0.891359, b=1.614002), 90)
CDNOW_SPEND = SpendParameters(p=6.2488, q=3.7446, gamma=15.4477)
NEW = ChurnInputs(0, 0.0, ANCHOR_MS)


@contextmanager
def silent() -> Iterator[None]:
    """The oracle is of 2020 and warns of much."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    ("weeks", "purchases"),
    [(0.1429, 0.0078), (1, 0.0532), (3, 0.1506), (31.8571, 1.0405), (32, 1.0437), (78, 1.8576)],
)
def test_a_new_customer_buys_as_published(weeks: float, purchases: float) -> None:
    """E[X(t)] of BG/NBD on the CDNOW sample, four digits."""
    assert expected_purchases(SAMPLE_BG, NEW, ANCHOR_MS, weeks * 7) == pytest.approx(purchases, abs=5e-4)


def test_the_papers_customer_buys_as_published() -> None:
    """Customer 1 of the sample: 1.226 purchases in 39 weeks."""
    first = ChurnInputs(2, 30.43, ANCHOR_MS)

    assert expected_purchases(SAMPLE_BG, first, after((38.86 - 30.43) * 7), 39 * 7) == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize("family", ["bg-nbd", "mbg-nbd"])
def test_another_implementation_agrees_on_random_customers(family: str) -> None:
    """`lifetimes` computes the same by a hypergeometric function, over random parameters and histories."""
    with silent():
        lifetimes = pytest.importorskip("lifetimes")
    dice = random.Random(1)
    for _ in range(200):
        # It has a pole at a = 1, and loses digits near it.
        a = dice.choice((dice.uniform(0.2, 0.9), dice.uniform(1.1, 3.0)))
        r, alpha, b = dice.uniform(0.1, 3.0), dice.uniform(1.0, 20.0), dice.uniform(0.5, 5.0)
        x, tx = dice.randrange(1, 30), dice.uniform(0.1, 40.0)
        silence, weeks = dice.uniform(0.0, 40.0), dice.uniform(1.0, 60.0)
        oracle = lifetimes.BetaGeoFitter() if family == "bg-nbd" else lifetimes.ModifiedBetaGeoFitter()
        oracle.params_ = {"r": r, "alpha": alpha, "a": a, "b": b}
        scorer = scorer_of(ChurnModel(name="any", family=family, r=r, alpha=alpha, a=a, b=b), 90)  # type: ignore[arg-type]  # one of the two
        inputs, at_ms = ChurnInputs(x, tx, ANCHOR_MS), after(silence * 7)
        with silent():
            theirs = float(oracle.conditional_expected_number_of_purchases_up_to_time(weeks, x, tx, tx + silence))
            alive = oracle.conditional_probability_alive(x, tx, tx + silence).item()

        assert p_alive(scorer, inputs, at_ms) == pytest.approx(alive, rel=1e-6)
        assert expected_purchases(scorer, inputs, at_ms, weeks * 7) == pytest.approx(theirs, rel=1e-6)


def discounted(c: float, a: float, b: float, end: float, discount: float) -> float:
    """The integral over w to `end` of c e^(-discount w/end) E[(1 + p w)^-(c+1)], p ~ Beta(a, b), by brute force."""
    left, right = (asinh(60.0 / min(each, 1.0) / pi) + 0.5 for each in (a, b))
    t = np.linspace(-left, right, 4_001)
    logit, step = pi * np.sinh(t), t[1] - t[0]
    ln_weight = np.log(pi * np.cosh(t) * step) - a * np.logaddexp(0, -logit) - b * np.logaddexp(0, logit) - betaln(a, b)
    p, weight = np.exp(-np.logaddexp(0, -logit)), np.exp(ln_weight)
    total = 0.0
    for place, part in zip(*np.polynomial.legendre.leggauss(60), strict=True):
        grown = exp(log1p(end) * (1 + place) / 2)
        pace = float(np.sum(weight * np.exp(-(c + 1) * np.log1p(p * (grown - 1)))))
        total += part / 2 * grown * exp(-discount * (grown - 1) / end) * pace
    return c * log1p(end) * total


@pytest.mark.parametrize("seed", range(4))
def test_brute_force_agrees_to_six_digits(seed: int) -> None:
    """Over parameters that a fit can come to, also where dropout is not identified, and horizons to five years."""
    dice = random.Random(seed)
    for _ in range(40):
        r, alpha = dice.uniform(0.05, 3.0), dice.uniform(0.5, 30.0)
        a, b = exp(dice.uniform(log(0.005), log(20.0))), exp(dice.uniform(log(0.2), log(500.0)))
        family = dice.choice(("bg-nbd", "mbg-nbd"))
        model = ChurnModel(name="any", family=family, r=r, alpha=alpha, a=a, b=b, currency="USD", spend=CDNOW_SPEND)  # type: ignore[arg-type]  # one of the two
        x = dice.choice((0, 1, 1, 2, 3, 5, 8, 20, 60, 300))
        inputs = ChurnInputs(x, x / 7 * dice.uniform(1.0, 8.0), ANCHOR_MS)
        silence, horizon = dice.choice((0, 1, 10, 100, 600)), dice.choice((30, 90, 365, 730, 1825))
        discount, scorer = dice.choice((0.0, 0.1, 0.5)), scorer_of(model, 90)
        found = clv(scorer, inputs, after(silence), horizon, discount)
        assert found is not None
        chances = b + x + (family == "mbg-nbd")
        end = horizon / 7 / (alpha + inputs.recency + silence / 7)
        wanted = discounted(r + x, a, chances, end, discount * horizon / 365.25)

        assert found.purchases == pytest.approx(p_alive(scorer, inputs, after(silence)) * wanted, rel=2e-6)


def test_a_simulation_agrees() -> None:
    """Customers who live by the model: of those alike at one instant, so many buy within 90 days."""
    dice = random.Random(7)
    now, horizon = 20.0, 90 / 7
    groups: dict[int, list[tuple[float, int]]] = {0: [], 1: []}
    for _ in range(60_000):
        rate = dice.gammavariate(SAMPLE_MBG.r, 1 / SAMPLE_MBG.alpha)
        leaves = dice.betavariate(SAMPLE_MBG.a, SAMPLE_MBG.b)
        times, t = [0.0], 0.0
        while dice.random() >= leaves:
            t += dice.expovariate(rate)
            if t > now + horizon:
                break
            times.append(t)
        past = [each for each in times if each <= now]
        if len(past) <= 2:
            groups[len(past) - 1].append((past[-1], len(times) - len(past)))
    for repeats, members in groups.items():
        inputs = [ChurnInputs(repeats, last, after(last * 7)) for last, _ in members]
        buyers = sum(1 - score(SAMPLE_MBG, each, after(now * 7)) for each in inputs)
        purchases = sum(expected_purchases(SAMPLE_MBG, each, after(now * 7), 90) for each in inputs[:3_000]) / 3_000
        later = [bought for _, bought in members]
        count = len(members)

        # Four standard errors.
        share = buyers / count
        assert sum(later > 0 for _, later in members) / count == pytest.approx(
            share, abs=4 * (share * (1 - share) / count) ** 0.5
        )
        spread = (sum(each * each for each in later) / count) ** 0.5
        assert sum(later) / count == pytest.approx(purchases, abs=4 * spread / count**0.5 + 0.02 * purchases)


@pytest.mark.parametrize(
    ("repeats", "mean", "expected"),
    [(2, 22.35, 24.66), (1, 11.77, 18.91), (0, 0.0, 35.17), (7, 73.74, 71.46)],
)
def test_spend_is_as_published(repeats: int, mean: float, expected: float) -> None:
    """Gamma-Gamma on customers of Hardie's note 025."""
    assert expected_spend(CDNOW_SPEND, repeats, mean) == pytest.approx(expected, abs=0.02)


def test_value_is_purchases_times_spend_less_discount() -> None:
    """The parts multiply; discount takes between nothing and the whole horizon's."""
    scorer = scorer_of(msgspec.structs.replace(FULL, calibration=None), 90)
    inputs = ChurnInputs(3, 20.0, ANCHOR_MS, first_order_minor=2_000, mean_order_minor=3_000)
    plain, discounted = clv(scorer, inputs, after(30), 365), clv(scorer, inputs, after(30), 365, 0.15)
    assert plain is not None
    assert discounted is not None
    spend = expected_spend(FULL.spend, 3, (3_000 * 4 - 2_000) / 3 / 100) if FULL.spend else 0.0

    assert plain.purchases == pytest.approx(expected_purchases(scorer, inputs, after(30), 365), rel=1e-12)
    assert plain.spend_minor == round(plain.purchases * spend * 100)
    assert plain.at_risk_minor == pytest.approx(
        plain.spend_minor / p_alive(scorer, inputs, after(30)) * (1 - p_alive(scorer, inputs, after(30))), abs=2
    )
    assert 0.8607 * plain.purchases < discounted.purchases < 0.95 * plain.purchases


def test_discounting_agrees_with_a_sum_over_days() -> None:
    """What is bought on a day is worth less the later the day."""
    scorer = scorer_of(FULL, 90)
    inputs = ChurnInputs(3, 20.0, ANCHOR_MS, mean_order_minor=3_000)
    found = clv(scorer, inputs, after(30), 365.25, 0.15)
    assert found is not None
    until = [expected_purchases(scorer, inputs, after(30), day) for day in range(366)]
    by_days = sum(
        exp(-0.15 * (day - 0.5) / 365.25) * (later - sooner) for day, (sooner, later) in enumerate(pairwise(until), 1)
    )

    assert found.purchases == pytest.approx(by_days, rel=1e-3)


@pytest.mark.parametrize("scorer", [SAMPLE_BG, SAMPLE_MBG])
@pytest.mark.parametrize("x", [0, 1, 100_000])
@pytest.mark.parametrize("tx", [0.0, 1e6])
@pytest.mark.parametrize("silence_days", [0.0, 30_000.0])
def test_extremes_give_numbers(scorer: Scorer, x: int, tx: float, silence_days: float) -> None:
    """Never negative, never NaN, and no more than the rate allows."""
    found = expected_purchases(scorer, ChurnInputs(x, tx, ANCHOR_MS), after(silence_days), 365)

    assert 0.0 <= found <= 60.0 * (scorer.r + x) / (scorer.alpha + tx)


def test_without_spend_there_is_no_value() -> None:
    """Better none than one of invented amounts."""
    assert clv(SAMPLE_MBG, NEW, ANCHOR_MS, 365) is None


@pytest.mark.parametrize(("a", "b"), [(1e-3, 1e4), (1e4, 1e-3), (1e6, 1e6), (0.02, 1.5)])
@pytest.mark.parametrize("alpha", [1e-3, 1e4])
@pytest.mark.parametrize(("x", "tx"), [(0, 0.0), (1, 0.0), (100_000, 1e5)])
def test_no_parameters_give_anything_but_a_value(a: float, b: float, alpha: float, x: int, tx: float) -> None:
    model = ChurnModel(name="odd", r=0.5, alpha=alpha, a=a, b=b, currency="USD", spend=CDNOW_SPEND)
    found = clv(scorer_of(model, 90), ChurnInputs(x, tx, ANCHOR_MS, mean_order_minor=2_000), after(10), 3650, 1.0)
    assert found is not None
    assert 0.0 <= found.purchases <= 3650 / 7 * (0.5 + x) / (alpha + tx)
    assert found.spend_minor >= 0
    assert found.at_risk_minor >= 0
