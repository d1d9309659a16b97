"""A shop whose truth is known, from its events to the fit: the parameters come back, and the scores are honest."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from agents.fit.collector import Collector
from agents.fit.fitting import Options, fit
from agents.fit.histories import Histories, inputs_at
from agents.fit.judging import Judgement, judge
from agents.fit.likelihood import Floats, counters, purchases_log_likelihood, spend_log_likelihood, spends
from agents.fit.maximum import fit_purchases, fit_spend
from agents.simulator.habits import Habits
from agents.simulator.model import CDNOW_SPEND
from agents.simulator.shop import Options as ShopOptions
from agents.simulator.shop import Shop, Truth
from schemas.clock import MS_PER_DAY, parse_instant
from streams.calendar import Calendar
from streams.models.churn_model import ChurnModel
from streams.models.mbgnbd import CDNOW_1997
from streams.models.scoring import p_alive, score, scorer_of

CUSTOMERS, DAYS, HORIZON_DAYS = 3_000, 640, 90
TRUTH = (CDNOW_1997.r, CDNOW_1997.alpha, CDNOW_1997.a, CDNOW_1997.b)
STANDARD_ERRORS = 3.0
STEP = 1e-3
QUIET = Habits(
    visits_per_week=0, gone_visits_per_week=0, wandering=0, checkouts=0, anonymous=0, tickets=0, refunds=0,
    cancellations=0, coupons=0, late=0,
)  # fmt: skip
"""Orders alone, each of which is kept: exactly the model's."""


class Known(NamedTuple):
    """What a shop sent, as a fit reads it, and the truth about each customer."""

    histories: Histories
    truths: list[Truth]
    until: int
    """The last day that the fit sees; a whole horizon comes after it."""


@cache
def shop() -> Known:
    simulated = Shop(ShopOptions(customers=CUSTOMERS, days=DAYS, seed=3, habits=QUIET))
    made = [simulated.customer(number) for number in range(1, CUSTOMERS + 1)]
    collector = Collector("simulated", "USD", Calendar("UTC"))
    for each in made:
        for happening in each.happenings:
            collector.add(happening.event)
    histories = collector.histories()
    return Known(histories, [each.truth for each in made], histories.last_day - HORIZON_DAYS)


def standard_errors(of: Callable[[Floats], float], fitted: Sequence[float]) -> Floats:
    """Of the logarithms of the parameters: roots of the diagonal of the inverse of minus the Hessian."""
    logs, size = np.log(fitted), len(fitted)
    steps = np.eye(size) * STEP
    hessian = np.empty((size, size))
    for row, column in product(range(size), repeat=2):
        corners = [
            of(np.exp(logs + up * steps[row] + across * steps[column])) * up * across
            for up, across in product((1, -1), repeat=2)
        ]
        hessian[row, column] = sum(corners) / (4 * STEP * STEP)
    errors: Floats = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    return errors


def off_by(of: Callable[[Floats], float], fitted: Sequence[float], truth: Sequence[float]) -> list[float]:
    """How many standard errors each parameter is away from the truth."""
    return list(np.abs(np.log(fitted) - np.log(truth)) / standard_errors(of, fitted))


def purchases_off_by(truth: Sequence[float]) -> list[float]:
    data = counters(shop().histories.customers, shop().histories.last_day, "weeks")
    found = fit_purchases("mbg-nbd", data, "weeks")
    assert found.dropout_identified
    return off_by(
        lambda guess: purchases_log_likelihood("mbg-nbd", guess, data), (found.r, found.alpha, found.a, found.b), truth
    )


def test_the_parameters_of_the_purchases_come_back() -> None:
    """r, alpha, a, b, each within three of its standard errors."""
    assert max(purchases_off_by(TRUTH)) < STANDARD_ERRORS


@pytest.mark.parametrize(("wrong", "times"), [(0, 1.6), (1, 1.6), (2, 1.6), (3, 2.4)])
def test_another_truth_would_be_noticed(wrong: int, times: float) -> None:
    """The data are enough to tell: with any one parameter so much larger it would have been another shop."""
    truth = [value * (times if place == wrong else 1.0) for place, value in enumerate(TRUTH)]
    assert purchases_off_by(truth)[wrong] > STANDARD_ERRORS


def test_the_parameters_of_the_spend_come_back() -> None:
    """p, q, gamma."""
    amounts = spends(shop().histories.customers, shop().histories.last_day, 100)
    found = fit_spend(amounts)
    assert found is not None
    fitted = (found.parameters.p, found.parameters.q, found.parameters.gamma)
    truth = (CDNOW_SPEND.p, CDNOW_SPEND.q, CDNOW_SPEND.gamma)
    assert max(off_by(lambda guess: spend_log_likelihood(guess, amounts), fitted, truth)) < STANDARD_ERRORS


@cache
def fitted() -> ChurnModel:
    """To what had happened a horizon before the end."""
    options = Options("simulated", "mbg-nbd", "weeks", HORIZON_DAYS, calibrated=False)
    return fit(shop().histories, shop().until, options, lambda _: None).model


def judged(model: ChurnModel, *, of_life: bool) -> Judgement:
    """P(purchase) against what was bought then, or P(alive) against who was still there."""
    known, scorer = shop(), scorer_of(model, HORIZON_DAYS)
    at_ms = (known.until + 1) * MS_PER_DAY
    customers = [(each, truth) for each, truth in zip(known.histories.customers, known.truths, strict=True)]
    predicted, happened = [], []
    for customer, truth in customers:
        inputs = inputs_at(customer, known.until, model)
        if of_life:
            predicted.append(p_alive(scorer, inputs, at_ms))
            happened.append(truth.left_at is None or parse_instant(truth.left_at) >= at_ms)
        else:
            predicted.append(1.0 - score(scorer, inputs, at_ms))
            happened.append(customer.buys_within(known.until, HORIZON_DAYS))
    found = judge(predicted, happened)
    assert found is not None
    return found


@pytest.mark.parametrize("of_life", [False, True])
def test_the_scores_are_honest(*, of_life: bool) -> None:
    """Brier and ECE of the fit are those of the truth itself, but for what 3,000 customers leave open.

    P(alive) can be held against the kept truth alone: no history tells who has left.
    """
    ours = judged(fitted(), of_life=of_life)
    known = ChurnModel(name="truth", r=TRUTH[0], alpha=TRUTH[1], a=TRUTH[2], b=TRUTH[3])
    best = judged(known, of_life=of_life)
    assert ours.brier < best.brier + 0.002
    assert ours.ece < 0.03
    assert ours.auc > best.auc - 0.01
    gloomy = judged(ChurnModel(name="gloomy", r=TRUTH[0], alpha=TRUTH[1], a=4 * TRUTH[2], b=TRUTH[3]), of_life=of_life)
    assert gloomy.ece > 0.03
