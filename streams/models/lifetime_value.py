"""What a customer will buy and spend within a time: expectations of the purchase model, times the expected spend.

Given that somebody is still there, the rate m is Gamma(c, u) with c = r + x, u = alpha + t, and the chance p to leave
after each purchase is Beta(a, b + chances withstood). Of them e^(-m p s) are still there after s, so purchases come at
the pace

    E'(s) = c/u * mean over p of (1 + p s/u)^-(c+1)  =  c/u * (1 + w)^-a * mean over p of (1 - p w/(1 + w))^-(a+b-c-1)

with w = s/u. The second form (Pfaff's transformation) hardly bends, because x is in b and in c and so cancels: a dozen
nodes give the mean. The integral over the horizon is taken in ln(1 + w), where its end is as smooth as its begin.
"""

from math import exp, log1p
from typing import NamedTuple

from schemas.clock import MS_PER_DAY
from streams.models.quadrature import beta_mean
from streams.models.scoring import ChurnInputs, Scorer, p_alive, silence_at
from streams.models.spend import expected_spend

DAYS_PER_YEAR = 365.25
LN_SAFE = 300.0
"""What a power may come to, in logarithms: far from what a double can't hold."""
NODES = ((3.0, 10, 6), (6.0, 12, 8), (10.0, 14, 9), (30.0, 20, 12), (100.0, 48, 16))
"""Up to which w at the horizon's end how many nodes give six digits and more, over p and over time."""
NODES_BEYOND = (96, 32)
"""For a horizon of more than a hundred times what is known of a customer: three digits."""
NODES_MAX = 64
"""Over time, where parameters are such that nobody stays."""


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
    return p_alive(scorer, inputs, at_ms) * _if_alive(
        scorer, inputs, at_ms, days * MS_PER_DAY / scorer.ms_per_unit, 0.0
    )


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
    if_alive = _if_alive(scorer, inputs, at_ms, horizon, discount_per_year * horizon_days / DAYS_PER_YEAR)
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


def _if_alive(scorer: Scorer, inputs: ChurnInputs, at_ms: int, horizon: float, discount: float) -> float:
    """Expected purchase days of somebody who has not left; `discount` is that of the whole horizon, in logarithms."""
    if horizon <= 0.0:
        return 0.0
    c = scorer.r + inputs.repeats
    a, b = scorer.a, scorer.b + inputs.repeats + 1 - scorer.one_more_chance
    end = horizon / (scorer.alpha + inputs.recency + silence_at(scorer, inputs, at_ms))
    ln_end, rest = log1p(end), a + b - c - 1.0
    over_p, over_time = next(((p, time) for most, p, time in NODES if end <= most), NODES_BEYOND)
    over_time += int((c * a / (a + b) * ln_end + discount) / 3.0)  # it falls the faster the sooner customers leave
    rule, bends_less = beta_mean(a, b, over_p), abs(rest) < c + 1.0 and abs(rest) * ln_end < LN_SAFE
    total = 0.0
    for share, weight in beta_mean(1.0, 1.0, min(over_time, NODES_MAX)):
        grown = exp(ln_end * share)
        w = grown - 1.0
        pace = 0.0
        if bends_less:
            y = w / grown
            for p, part in rule:
                pace += part * (1.0 - p * y) ** -rest
            pace *= grown**-a
        else:
            for p, part in rule:
                pace += part * (1.0 + p * w) ** -(c + 1.0)
        total += weight * grown * exp(-discount * w / end) * pace
    return c * ln_end * total
