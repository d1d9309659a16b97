"""MBG/NBD, the "modified BG/NBD" model of non-contractual buying (Batislam et al. 2007; Hoppe and Wagner 2007).

A customer buys at a rate drawn from Gamma(r, alpha) and, after every purchase including the first, may leave for good
with a probability drawn from Beta(a, b). Three counters say all that the model needs to know about a customer:
`x` repeat purchase days, `tx` the time from the first to the last of them, `t` the time from the first to now.
Times are **weeks**, because the parameters below were fitted in weeks. `t` before `tx` counts as `tx`.

Everything stays in log space: no overflow and no NaN up to x = 100,000 and t = 1e9.
Here live the model's own probabilities; instants in milliseconds belong to `crossing.py`.
"""

from collections.abc import Mapping
from math import exp, expm1, inf, log, log1p
from types import MappingProxyType

import msgspec

# e to this power is still a double.
LN_MAX = 700.0


class Parameters(msgspec.Struct, frozen=True):
    """One fitted MBG/NBD model; all four numbers are positive, `alpha` is in weeks."""

    name: str
    r: float
    alpha: float
    a: float
    b: float


# Maximum likelihood on the CDNOW 1/10 sample: 2,357 customers who first bought in 1997-01 to 1997-03, observed to
# 1997-09-30 (log-likelihood -9582.1357).
CDNOW_1997 = Parameters(name="cdnow-1997", r=0.524843, alpha=6.183085, a=0.891359, b=1.614002)

BUILT_IN: Mapping[str, Parameters] = MappingProxyType({CDNOW_1997.name: CDNOW_1997})


def ln_odds_of_death(model: Parameters, x: int, tx: float, t: float) -> float:
    """Natural logarithm of P(gone) / P(alive) at `t`; rises with `t` for as long as nothing is bought."""
    silence = t - tx if t > tx else 0.0
    return log(model.a / (model.b + x)) + (model.r + x) * log1p(silence / (model.alpha + tx))


def p_alive(model: Parameters, x: int, tx: float, t: float) -> float:
    """Return the probability that the customer has not left for good by `t`."""
    ln_odds = ln_odds_of_death(model, x, tx, t)
    if ln_odds > 0.0:
        odds_of_life = exp(-ln_odds)
        return odds_of_life / (1.0 + odds_of_life)
    return 1.0 / (1.0 + exp(ln_odds))


def p_purchase_within(model: Parameters, x: int, tx: float, t: float, h: float) -> float:
    """Return the probability of at least one purchase in (t, t + h]; falls with `t`, never above P(alive)."""
    return purchase_after_silence(model, x, tx, t - tx if t > tx else 0.0, h)


def purchase_after_silence(model: Parameters, x: int, tx: float, silence: float, h: float) -> float:
    """As `p_purchase_within` at t = tx + silence, `silence` >= 0: the difference t - tx would round, this does not."""
    return after_silence(model, x, tx, silence, h)[0]


def after_silence(model: Parameters, x: int, tx: float, silence: float, h: float) -> tuple[float, float]:
    """P(at least one purchase within `h`) and P(alive) after a silence of `silence` >= 0."""
    c = model.r + x
    u = model.alpha + tx
    ln_odds = log(model.a / (model.b + x)) + c * log1p(silence / u)
    buys_if_alive = -expm1(-c * log1p(h / (u + silence)))
    if ln_odds > 0.0:
        odds_of_life = exp(-ln_odds)
        return buys_if_alive * odds_of_life / (1.0 + odds_of_life), odds_of_life / (1.0 + odds_of_life)
    odds_of_death = exp(ln_odds)
    return buys_if_alive / (1.0 + odds_of_death), 1.0 / (1.0 + odds_of_death)


def p_alive_crossing(model: Parameters, x: int, tx: float, p: float) -> float:
    """Return the `t` at which P(alive) has fallen to `p` (0 < p < 1), at least `tx`; infinity beyond any number."""
    ln_growth = (log((1.0 - p) / p) + log((model.b + x) / model.a)) / (model.r + x)
    if ln_growth <= 0.0:
        return tx
    if ln_growth > LN_MAX:
        return inf
    return tx + (model.alpha + tx) * expm1(ln_growth)
