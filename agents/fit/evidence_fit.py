"""What visits and troubles are worth, from customers of whom it is known whether they bought within the horizon after.

Both are fitted over a purchase model that is already there, and are left out where there are too few to tell.
"""

from collections.abc import Sequence
from itertools import chain
from math import expm1, inf, log1p
from typing import NamedTuple

import msgspec
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from agents.fit.histories import Customer, evidence_at, inputs_at
from agents.fit.likelihood import Floats
from schemas.clock import MS_PER_DAY
from streams.models.churn_model import DAYS_OF_UNIT, ChurnModel, FrustrationParameters, VisitParameters
from streams.models.evidence import visits_after
from streams.models.scoring import LN_2, ChurnInputs, ln_odds_of_death, scorer_of, silence_at

CUSTOMERS_MIN = 100
"""Fewer than so many with visits, or with troubles, tell nothing."""
VISIT_HALF_LIFE_DAYS = 28.0
TROUBLE_HALF_LIVES_DAYS = (14.0, 28.0, 56.0)
TURNS = 30
RATE_MIN = 1e-4
RATIO_MAX = 0.9
"""Who has left has to come by clearly less often, or visits tell nothing."""
WEIGHT_MAX, WEIGHT_MIN = 5.0, 0.01


class _Known(NamedTuple):
    """Customers at a day, and what became of them."""

    ln_odds: Floats
    """Of having left by the day, before what is to be fitted."""
    ln_nothing: Floats
    """ln P(no purchase within the horizon | alive)."""
    bought: Floats
    """1 for who bought within it."""


def fit_visits(model: ChurnModel, horizon_days: int, day: int, customers: Sequence[Customer]) -> VisitParameters | None:
    """Visit days per unit of those who are there and of those who have left, by expectation and maximisation.

    Who bought within the horizon was there; of the others the model says how likely they had left.
    """
    watched = [each for each in customers if each.visits and each.visits[0] <= day and each.days[0] <= day]
    if len(watched) < CUSTOMERS_MIN:
        return None
    known = _known(model, horizon_days, day, watched)
    table = np.array([_watched(model, each, day) for each in watched])
    visits, exposure = table[:, 0], table[:, 1]
    ln_odds = known.ln_odds - known.ln_nothing  # given that nothing was bought within the horizon
    gone = np.where(known.bought == 1, 0.0, expit(ln_odds))
    for _ in range(TURNS):
        alive_rate = _rate(visits, exposure, 1 - gone)
        gone_rate = min(_rate(visits, exposure, gone), alive_rate)
        evidence = (alive_rate - gone_rate) * exposure - visits * np.log(alive_rate / gone_rate)
        gone = np.where(known.bought == 1, 0.0, expit(ln_odds + evidence))
    if gone_rate >= alive_rate * RATIO_MAX:
        return None
    return VisitParameters(
        alive_per_unit=float(alive_rate), gone_per_unit=float(gone_rate), half_life_days=VISIT_HALF_LIFE_DAYS
    )


def fit_frustration(
    model: ChurnModel, horizon_days: int, day: int, customers: Sequence[Customer]
) -> FrustrationParameters | None:
    """What tickets, bad ratings and refunds add to the log-odds of having left, none of them below 0."""
    present = [each for each in customers if each.days[0] <= day]
    troubled = sum(_first_trouble(each) <= day for each in present)
    if troubled < CUSTOMERS_MIN:
        return None
    known = _known(model, horizon_days, day, present)
    best: tuple[float, FrustrationParameters] | None = None
    for half_life in TROUBLE_HALF_LIVES_DAYS:
        probe = msgspec.structs.replace(model, frustration=FrustrationParameters(half_life_days=half_life))
        inputs = [inputs_at(each, day, probe) for each in present]
        parts = np.array([_trouble(each, day, half_life) for each in inputs])
        cost, weights = _weights(known, parts)
        found = FrustrationParameters(
            half_life_days=half_life,
            ticket=float(weights[0]),
            solved_share=float(min(1.0, weights[1] / weights[0])) if weights[0] > WEIGHT_MIN else 0.0,
            bad_rating=float(weights[2]),
            refund=float(weights[3]),
        )
        if best is None or cost < best[0]:
            best = cost, found
    if best is None or max(best[1].ticket, best[1].bad_rating, best[1].refund) < WEIGHT_MIN:
        return None
    return best[1]


def _trouble(inputs: ChurnInputs, day: int, half_life_days: float) -> list[float]:
    """Open and solved tickets, bad ratings and refunds as of a day, softened as the score softens them."""
    age_days = day - inputs.frustration_at_ms / MS_PER_DAY
    left = 0.5 ** (max(0.0, age_days) / half_life_days) / (1 + inputs.repeats)
    return [left * inputs.open_tickets, left * inputs.solved_tickets, left * inputs.bad_ratings, left * inputs.refunds]


def _known(model: ChurnModel, horizon_days: int, day: int, customers: Sequence[Customer]) -> _Known:
    scorer, at_ms = scorer_of(model, horizon_days), day * MS_PER_DAY
    rows = []
    for customer in customers:
        inputs = inputs_at(customer, day, model)
        age = scorer.alpha + inputs.recency + silence_at(scorer, inputs, at_ms)
        ln_nothing = -(scorer.r + inputs.repeats) * log1p(scorer.horizon / age)
        rows.append((ln_odds_of_death(scorer, inputs, at_ms), ln_nothing, customer.buys_within(day, horizon_days)))
    table = np.array(rows, dtype=float)
    return _Known(table[:, 0], table[:, 1], table[:, 2])


def _watched(model: ChurnModel, customer: Customer, day: int) -> tuple[float, float]:
    """Decayed visit days after the last purchase day, and decayed time in which they could be seen."""
    evidence = evidence_at(customer, day)
    last = customer.days[customer.purchases_until(day) - 1]
    visits = visits_after(evidence, last, VISIT_HALF_LIFE_DAYS)
    watched_days = max(0, day - max(last, evidence.visited_first))
    exposure = VISIT_HALF_LIFE_DAYS / LN_2 * -expm1(-LN_2 * watched_days / VISIT_HALF_LIFE_DAYS)
    visits *= 0.5 ** ((day - evidence.visited_last) / VISIT_HALF_LIFE_DAYS)
    if evidence.visited_first > last:  # it opened the watch: counted too, it would make every rate too high
        visits -= 0.5 ** ((day - evidence.visited_first) / VISIT_HALF_LIFE_DAYS)
    return max(0.0, visits), exposure / DAYS_OF_UNIT[model.time_unit]


def _rate(visits: Floats, exposure: Floats, weight: Floats) -> float:
    return float(max(RATE_MIN, np.sum(weight * visits) / max(RATE_MIN, np.sum(weight * exposure))))


def _first_trouble(customer: Customer) -> float:
    days = chain(customer.ratings[:1], customer.refunds[:1], (word.day for word in customer.tickets[:1]))
    return min(days, default=inf)


def _weights(known: _Known, parts: Floats) -> tuple[float, Floats]:
    """Open and solved tickets, bad ratings and refunds: the weights under which what happened is likeliest."""
    ln_buys = np.log(-np.expm1(known.ln_nothing))

    def cost(weights: Floats) -> float:
        ln_odds = known.ln_odds + parts @ weights
        bought = np.clip(np.exp(ln_buys - np.logaddexp(0.0, ln_odds)), 1e-12, 1 - 1e-12)
        return -float(np.sum(np.where(known.bought == 1, np.log(bought), np.log1p(-bought))))

    seen = np.any(parts, axis=0).tolist()
    bounds = [(0.0, WEIGHT_MAX if each else 0.0) for each in seen]
    found = minimize(cost, np.where(seen, 0.1, 0.0), method="L-BFGS-B", bounds=bounds)
    return float(found.fun), found.x
