"""How a model would have done: its predictions at dates inside the data, against what customers did afterwards.

Beside it the baseline that any shop has: rank customers by how long they have been silent.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from agents.fit.histories import Histories, inputs_at
from agents.fit.judging import Judgement, auc, judge
from schemas.clock import MS_PER_DAY
from streams.models.churn_model import ChurnModel
from streams.models.scoring import ChurnInputs, score, scorer_of

Group = Literal["all", "once", "repeat"]
"""Everybody; who has bought on one day; who has bought on more."""
GROUPS: tuple[Group, ...] = ("all", "once", "repeat")
DATES_MAX = 3
APART_DAYS_MIN = 28


class Outcome(NamedTuple):
    """What was predicted at a day for a group of customers, and how that turned out."""

    day: int
    group: Group
    model: Judgement
    uncalibrated: Judgement | None
    """The same model without its calibration; None if it has none."""
    hiatus_auc: float
    """Of the ranking by silence alone."""


def dates_after(histories: Histories, until: int, horizon_days: int) -> list[int]:
    """Two or three days, from the end of the fit on, after which a whole horizon was observed; none if they are near.

    One day tells nothing about how steady the figures are.
    """
    room = histories.last_day - horizon_days - until
    if room < APART_DAYS_MIN:
        return []
    return list(range(until, until + room + 1, min(room, horizon_days)))[:DATES_MAX]


def backtest(histories: Histories, model: ChurnModel, horizon_days: int, days: Sequence[int]) -> list[Outcome]:
    """Judge P(purchase within the horizon) at each day, for everybody and by whether they had bought again."""
    plain = None if model.calibration is None else msgspec.structs.replace(model, calibration=None)
    found = []
    for day in days:
        present = list(histories.until(day))
        inputs = [inputs_at(customer, day, model) for customer in present]
        bought = [customer.buys_within(day, horizon_days) for customer in present]
        at_ms = day * MS_PER_DAY
        predicted = _predicted(model, horizon_days, inputs, at_ms)
        without = None if plain is None else _predicted(plain, horizon_days, inputs, at_ms)
        for group in GROUPS:
            chosen = [n for n, each in enumerate(inputs) if group == "all" or (each.repeats > 0) == (group == "repeat")]
            outcome = _outcome(day, group, chosen, (predicted, without), bought, [each.anchor_ms for each in inputs])
            if outcome is not None:
                found.append(outcome)
    return found


def _predicted(model: ChurnModel, horizon_days: int, inputs: Sequence[ChurnInputs], at_ms: int) -> list[float]:
    scorer = scorer_of(model, horizon_days)
    return [1.0 - score(scorer, each, at_ms) for each in inputs]


def _outcome(
    day: int,
    group: Group,
    chosen: Sequence[int],
    predicted: tuple[Sequence[float], Sequence[float] | None],
    bought: Sequence[bool],
    last_purchase: Sequence[int],
) -> Outcome | None:
    happened = [bought[n] for n in chosen]
    judged = judge([predicted[0][n] for n in chosen], happened)
    if judged is None:
        return None
    without = predicted[1]
    return Outcome(
        day=day,
        group=group,
        model=judged,
        uncalibrated=None if without is None else judge([without[n] for n in chosen], happened),
        hiatus_auc=auc(np.array([float(last_purchase[n]) for n in chosen]), np.array(happened, dtype=float)),
    )
