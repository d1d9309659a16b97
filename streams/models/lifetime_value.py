"""What a customer will buy and spend within a time: expectations of the purchase model, times the expected spend.

Given that somebody is still there, the rate is Gamma(r + x, alpha + t) and the chance to leave after each purchase is
Beta(a, b + chances withstood). A customer of rate m and chance p makes (1 - e^(-m p h)) / p purchases within h; the
mean over m is a power, the mean over p an integral, taken by the double exponential rule: it needs no special function,
has no poles in `a`, and stays finite for any counters. About 0.1 ms: for a profile or a report, not every event.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import asinh, cosh, exp, expm1, inf, lgamma, log, log1p, pi, sinh
from typing import NamedTuple

from schemas.clock import MS_PER_DAY
from streams.models.scoring import ChurnInputs, Scorer, p_alive, silence_at, softplus
from streams.models.spend import expected_spend

NODES = 48
"""Enough for nine digits (`tests/unit/streams/models/test_lifetime_value.py` compares with an adaptive rule)."""
LN_NEGLIGIBLE = 40.0
"""Where the weight is below e^-40 the integral ends."""
DAYS_PER_YEAR = 365.25
# Gauss-Legendre on [0, 1] with eight points: nodes and weights of one half, the other is its mirror image.
_LEGENDRE = (
    (0.01985507175123188, 0.05061426814518813),
    (0.10166676129318664, 0.11119051722668724),
    (0.2372337950418355, 0.15685332293894363),
    (0.40828267875217510, 0.18134189168918100),
)


class LifetimeValue(NamedTuple):
    """What is expected of a customer within a horizon, discounted."""

    purchases: float
    """Expected purchase days."""
    spend_minor: int
    """What they bring, in minor units of the model's currency."""
    at_risk_minor: int
    """What they would bring besides if it were certain that the customer has not left."""


def expected_purchases(scorer: Scorer, inputs: ChurnInputs, at_ms: int, days: float) -> float:
    """Expected purchase days within the `days` after `at_ms`. Calibration has no part in it."""
    units = days * MS_PER_DAY / scorer.ms_per_unit
    return p_alive(scorer, inputs, at_ms) * _purchases_if_alive(scorer, inputs, at_ms, (units,))[0]


def clv(
    scorer: Scorer, inputs: ChurnInputs, at_ms: int, horizon_days: float, discount_per_year: float = 0.0
) -> LifetimeValue | None:
    """Value of a customer over the horizon, discounted continuously; None if the model knows nothing of spend.

    `discount_per_year` 0.15: what is spent in a year is worth e^-0.15 of it. Revenue, not margin.
    """
    spend = scorer.model.spend
    if spend is None:
        return None
    horizon = horizon_days * MS_PER_DAY / scorer.ms_per_unit
    if_alive = _discounted(scorer, inputs, at_ms, horizon, discount_per_year * horizon_days / DAYS_PER_YEAR)
    alive = p_alive(scorer, inputs, at_ms)
    # The model is of repeat purchase days; without the first one's spend their mean is what the amounts tell.
    repeats_minor = inputs.mean_order_minor * (inputs.repeats + 1) - inputs.first_order_minor
    mean = max(0, repeats_minor) / max(1, inputs.repeats) / scorer.minor_per_major
    each_minor = expected_spend(spend, inputs.repeats, mean) * scorer.minor_per_major
    return LifetimeValue(
        purchases=alive * if_alive,
        spend_minor=round(alive * if_alive * each_minor),
        at_risk_minor=round((1.0 - alive) * if_alive * each_minor),
    )


def _discounted(scorer: Scorer, inputs: ChurnInputs, at_ms: int, horizon: float, discount: float) -> float:
    """Integral of e^(-discount s / horizon) dE(s), by parts; `discount` is that of the whole horizon."""
    if discount == 0.0:
        return _purchases_if_alive(scorer, inputs, at_ms, (horizon,))[0]
    shares = [node for low, _ in _LEGENDRE for node in (low, 1.0 - low)]
    weights = [weight for _, half in _LEGENDRE for weight in (half, half)]
    expected = _purchases_if_alive(scorer, inputs, at_ms, [*(share * horizon for share in shares), horizon])
    inner = sum(w * exp(-discount * s) * e for w, s, e in zip(weights, shares, expected[:-1], strict=True))
    return exp(-discount) * expected[-1] + discount * inner


def _purchases_if_alive(scorer: Scorer, inputs: ChurnInputs, at_ms: int, within: Sequence[float]) -> list[float]:
    """Expected purchase days of somebody who has not left, within so many units."""
    c = scorer.r + inputs.repeats
    age = scorer.alpha + inputs.recency + silence_at(scorer, inputs, at_ms)
    rule = _beta_rule(scorer.a, scorer.b + inputs.repeats + 1 - scorer.one_more_chance)
    expected = []
    for units in within:
        growth, total = units / age, 0.0
        if units > 0.0:
            for p, weight in rule:
                total -= weight * expm1(-c * log1p(p * growth))
        expected.append(total)
    return expected


@lru_cache(maxsize=256)
def _beta_rule(a: float, b: float) -> tuple[tuple[float, float], ...]:
    """Nodes p and weights of a mean of f(p) / p over Beta(a, b), dense towards both ends on a logarithmic scale."""
    ln_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    # p = 1 / (1 + e^-g), g = pi sinh t; its weight falls as e^(a g) on the left and as e^(-b g) on the right.
    left = asinh((LN_NEGLIGIBLE - ln_beta) / a / pi)
    right = asinh((LN_NEGLIGIBLE - ln_beta) / b / pi)
    step = (left + right) / (NODES - 1)
    rule = []
    for number in range(NODES):
        t = number * step - left
        g = pi * sinh(t)
        ln_weight = log(pi * cosh(t) * step) - a * softplus(-g) - b * softplus(g) - ln_beta
        p = exp(-softplus(-g))
        if p > 0.0 and ln_weight > -inf:
            rule.append((p, exp(ln_weight) / p))
    return tuple(rule)
