"""The parameters that make what was observed likeliest. Searched in log space, within bounds, from two starts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from agents.fit.likelihood import Counters, Floats, Spends, purchases_log_likelihood, spend_log_likelihood
from streams.models.churn_model import DAYS_OF_UNIT, Family, SpendParameters, TimeUnit

PARAMETER_MIN, PARAMETER_MAX = 1e-3, 1e4
DROPOUT_MEAN_MIN = 0.002
"""A mean chance of leaving per purchase below this is none that the data could show."""
NEAR_BOUND = 1.05


class Purchases(NamedTuple):
    """A fitted purchase model."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    dropout_identified: bool
    """False: the data do not tell leaving from buying seldom; P(alive) means little then."""


class Spend(NamedTuple):
    """A fitted Gamma-Gamma model."""

    parameters: SpendParameters
    log_likelihood: float
    customers: int


def fit_purchases(family: Family, data: Counters, unit: TimeUnit) -> Purchases:
    """Maximum likelihood of r, alpha, a, b."""
    week = 7 / DAYS_OF_UNIT[unit]
    starts = ((1.0, 3.0 * week, 1.0, 3.0), (0.5, 8.0 * week, 0.2, 2.0))
    found, value = _maximum(lambda guess: purchases_log_likelihood(family, guess, data), starts)
    r, alpha, a, b = (float(each) for each in found)
    at_bound = min(a, b) < PARAMETER_MIN * NEAR_BOUND or max(a, b) > PARAMETER_MAX / NEAR_BOUND
    return Purchases(r, alpha, a, b, value, not at_bound and a / (a + b) > DROPOUT_MEAN_MIN)


def fit_spend(data: Spends) -> Spend | None:
    """Maximum likelihood of p, q, gamma; None if the mean spend over customers would not exist (q <= 1)."""
    typical = float(np.median(data.mean))
    found, value = _maximum(
        lambda guess: spend_log_likelihood(guess, data), ((6.0, 4.0, typical / 2), (2.0, 3.0, typical))
    )
    p, q, gamma = (float(each) for each in found)
    if q <= 1.0:
        return None
    return Spend(SpendParameters(p=p, q=q, gamma=gamma), value, len(data.x))


def _maximum(of: Callable[[Floats], float], starts: Sequence[Sequence[float]]) -> tuple[Floats, float]:
    """A rough search from each start, and from the best of them a fine one."""
    bounds = [(np.log(PARAMETER_MIN), np.log(PARAMETER_MAX))] * len(starts[0])

    def cost(logs: Floats) -> float:
        value = of(np.exp(logs))
        return -value if np.isfinite(value) else 1e300

    rough = [minimize(cost, np.log(start), method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(rough, key=lambda each: float(each.fun))
    fine = minimize(
        cost, best.x, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4_000}
    )
    if fine.fun > best.fun:
        fine = best
    return np.exp(fine.x), -float(fine.fun)
