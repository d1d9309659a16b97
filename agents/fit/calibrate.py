"""The logistic layer on top, fitted to what customers did within the horizon after dates that lie in the data.

The signs that the score's laws need are bounds of the search: silence never lowers the risk, a visit never raises it.
"""

from collections.abc import Sequence
from math import log1p

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from agents.fit.histories import Customer, inputs_at
from agents.fit.likelihood import Floats
from streams.models.churn_model import Calibration, ChurnModel
from streams.models.drivers import logit_of_score
from streams.models.scoring import ChurnInputs, Scorer, frustration_at, scorer_of, silence_at, visits_at

COLUMNS = ("risk", "silence", "repeats", "tenure", "first_order", "mean_order", "visits", "frustration")
_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "risk": (0.0, None),
    "silence": (0.0, None),
    "tenure": (0.0, None),
    "visits": (None, 0.0),
    "frustration": (0.0, None),
}
RIDGE = 1.0
"""On standardised inputs, against 1 per customer: it settles what the data leave open, and hides nothing."""


def fit_calibration(
    model: ChurnModel, horizon_days: int, dates: Sequence[int], customers: Sequence[Customer]
) -> Calibration:
    """Fit the layer over a model that has none yet; `dates` are days with a whole horizon observed after them."""
    scorer = scorer_of(model, horizon_days)
    rows: list[list[float]] = []
    stayed_away: list[bool] = []
    for day in dates:
        for customer in customers:
            if customer.days[0] <= day:
                rows.append(row_of(scorer, inputs_at(customer, day, model), day))
                stayed_away.append(not customer.buys_within(day, horizon_days))
    intercept, weights = _logistic_regression(np.array(rows), np.array(stayed_away, dtype=float))
    named = dict(zip(COLUMNS, (float(weight) for weight in weights), strict=True))
    return Calibration(horizon_days=horizon_days, intercept=intercept, **named)


def row_of(scorer: Scorer, inputs: ChurnInputs, day: int) -> list[float]:
    """The inputs of the layer, in the order of COLUMNS, as `scoring.calibrated` multiplies them."""
    at_ms = day * 86_400_000
    return [
        logit_of_score(scorer, inputs, at_ms),
        log1p(silence_at(scorer, inputs, at_ms)),
        log1p(inputs.repeats),
        log1p(inputs.recency + silence_at(scorer, inputs, at_ms)),
        log1p(max(0, inputs.first_order_minor) / scorer.minor_per_major),
        log1p(max(0, inputs.mean_order_minor) / scorer.minor_per_major),
        log1p(visits_at(scorer, inputs, at_ms)),
        frustration_at(scorer, inputs, at_ms),
    ]


def _logistic_regression(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Intercept and weights within the bounds; a column that never varies gets 0."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    told = spread > 0
    scaled = (x[:, told] - mean[told]) / spread[told]
    names = [name for name, used in zip(COLUMNS, told, strict=True) if used]
    bounds = [(None, None), *(_BOUNDS.get(name, (None, None)) for name in names)]

    def cost(weights: Floats) -> tuple[float, Floats]:
        z = weights[0] + scaled @ weights[1:]
        error = expit(z) - y
        gradient = np.concatenate(([error.sum()], scaled.T @ error + RIDGE * weights[1:]))
        value = float(np.sum(np.logaddexp(0.0, z) - y * z) + RIDGE / 2 * weights[1:] @ weights[1:])
        return value, gradient

    start = np.zeros(len(names) + 1)
    start[1 : 1 + names.count("risk")] = 1.0
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1_000}).x
    weights = np.zeros(len(COLUMNS))
    weights[told] = found[1:] / spread[told]
    return float(found[0] - weights @ mean), weights
