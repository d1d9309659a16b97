"""The churn score at an instant: P(no purchase within the horizon), from the counters that the fold keeps.

Three layers, each O(1): the purchase model's log-odds of having left; visits as evidence and trouble as hazard, added
to them; a logistic calibration on top. All that moves by time alone is of two kinds. *Rising* parts (silence, visits
that fade or do not come) only raise the score; the one *falling* part, frustration, only lets it fall. So the score on
a stretch of time lies between two evaluations, which is what `band_crossing.py` searches by.
"""

from math import exp, expm1, inf, log, log1p
from typing import NamedTuple

from schemas.clock import MS_PER_DAY
from schemas.money import EXPONENTS
from streams.models.churn_model import DAYS_OF_UNIT, ChurnModel
from streams.models.scorer import Scorer as Scorer  # noqa: PLC0414 - scores and what makes them are asked for together

LN_2 = log(2.0)
FADED_HALF_LIVES = 40
"""After so many half-lives frustration is 0: a millionth of a millionth of it is left."""


class ChurnInputs(NamedTuple):
    """A customer's counters. They hold until the next event, whatever the instant of asking."""

    repeats: int
    """Purchase days after the first."""
    recency: float
    """From the first purchase day to the last, in the model's unit of time."""
    anchor_ms: int
    """The start of the last purchase day: silence is counted from there."""
    first_order_minor: int = 0
    """Spend of the first purchase day."""
    mean_order_minor: int = 0
    """Mean spend of a purchase day."""
    visits: float = 0.0
    """Visit days after the last purchase day, each halved per half-life, as of `visits_at_ms`."""
    visits_at_ms: int = 0
    watched_from_ms: int | None = None
    """Since when a visit would have been seen; None: never seen to browse, and no visit means nothing."""
    open_tickets: float = 0.0
    """Unresolved tickets, solved ones, bad ratings, refunds: each halved per half-life, as of `frustration_at_ms`."""
    solved_tickets: float = 0.0
    bad_ratings: float = 0.0
    refunds: float = 0.0
    frustration_at_ms: int = 0


def scorer_of(model: ChurnModel, horizon_days: int) -> Scorer:
    """Make a model ready for a horizon. ValueError if it is calibrated to another one."""
    calibration, visits, trouble = model.calibration, model.visits, model.frustration
    if calibration is not None and calibration.horizon_days != horizon_days:
        raise ValueError(f"model {model.name} is calibrated to {calibration.horizon_days} days, not {horizon_days}")
    unit_days = DAYS_OF_UNIT[model.time_unit]
    half_life = None if visits is None else visits.half_life_days
    return Scorer(
        model=model,
        horizon=horizon_days / unit_days,
        ms_per_unit=float(unit_days * MS_PER_DAY),
        r=model.r,
        alpha=model.alpha,
        a=model.a,
        b=model.b,
        one_more_chance=1 if model.family == "bg-nbd" else 0,
        minor_per_major=float(10 ** EXPONENTS.get(model.currency, 0)),
        visit_half_life_ms=inf if half_life is None else half_life * MS_PER_DAY,
        ln_visit_ratio=0.0 if visits is None else log(visits.alive_per_unit / visits.gone_per_unit),
        visit_rate_excess=0.0 if visits is None else visits.alive_per_unit - visits.gone_per_unit,
        frustration_half_life_ms=0.0 if trouble is None else trouble.half_life_days * MS_PER_DAY,
        calibration=calibration,
    )


def score(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """P(no purchase within the horizon after `at_ms`)."""
    return score_between(scorer, inputs, at_ms, at_ms)


def score_between(scorer: Scorer, inputs: ChurnInputs, rising_ms: int, falling_ms: int) -> float:
    """The score with rising parts as of one instant, falling ones as of another: a bound on all instants between."""
    since = rising_ms - inputs.anchor_ms
    silence = since / scorer.ms_per_unit if since > 0 else 0.0
    ln_odds = ln_odds_of_purchases(scorer, inputs, silence)
    if inputs.watched_from_ms is not None:
        ln_odds += visit_evidence(scorer, inputs, rising_ms)
    frustration = frustration_at(scorer, inputs, falling_ms)
    ln_odds += frustration
    c = scorer.r + inputs.repeats
    ln_nothing_if_alive = -c * log1p(scorer.horizon / (scorer.alpha + inputs.recency + silence))
    if scorer.calibration is None:
        return 1.0 - _purchase(-expm1(ln_nothing_if_alive), ln_odds)
    return logistic(
        calibrated(scorer, inputs, risk_logit(ln_nothing_if_alive, ln_odds), silence, rising_ms, frustration)
    )


def p_alive(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """The probability that the customer has not left by `at_ms`: purchases, visits and trouble, before calibration."""
    return logistic(-ln_odds_of_death(scorer, inputs, at_ms))


def ln_odds_of_death(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """Logarithm of P(gone) / P(alive); minus infinity for BG/NBD's once-only buyers, who never leave."""
    ln_odds = ln_odds_of_purchases(scorer, inputs, silence_at(scorer, inputs, at_ms))
    return ln_odds + visit_evidence(scorer, inputs, at_ms) + frustration_at(scorer, inputs, at_ms)


def silence_at(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """Units of time since the start of the last purchase day."""
    return max(0, at_ms - inputs.anchor_ms) / scorer.ms_per_unit


def ln_odds_of_purchases(scorer: Scorer, inputs: ChurnInputs, silence: float) -> float:
    """What the purchase model alone says about having left."""
    x = inputs.repeats
    if x < scorer.one_more_chance:
        return -inf
    chances = scorer.b + x - scorer.one_more_chance
    return log(scorer.a / chances) + (scorer.r + x) * log1p(silence / (scorer.alpha + inputs.recency))


def visit_evidence(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """What visits add to the log-odds of having left: they lower them, days watched without one raise them.

    The likelihood ratio of two Poisson processes, in which a day of watching weighs half after a half-life.
    """
    if inputs.watched_from_ms is None or scorer.visit_rate_excess == 0.0:
        return 0.0
    half_life = scorer.visit_half_life_ms
    watched_ms = float(max(0, at_ms - max(inputs.anchor_ms, inputs.watched_from_ms)))
    if half_life != inf:
        watched_ms = half_life / LN_2 * -expm1(-LN_2 * watched_ms / half_life)
    return scorer.visit_rate_excess * watched_ms / scorer.ms_per_unit - scorer.ln_visit_ratio * visits_at(
        scorer, inputs, at_ms
    )


def visits_at(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """Visit days after the last purchase day, decayed to an instant."""
    age_ms = at_ms - inputs.visits_at_ms
    if inputs.visits == 0.0 or age_ms <= 0:
        return inputs.visits
    return inputs.visits * exp(-LN_2 * age_ms / scorer.visit_half_life_ms)


def frustration_at(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """What trouble adds to the log-odds of having left; only falls with time."""
    trouble = scorer.model.frustration
    if trouble is None:
        return 0.0
    _, _, _, _, _, _, _, _, tickets, solved, ratings, refunds, since_ms = inputs
    whole = trouble.ticket * (tickets + trouble.solved_share * solved)
    whole += trouble.bad_rating * ratings + trouble.refund * refunds
    if whole == 0.0:
        return 0.0
    half_lives = (at_ms - since_ms) / scorer.frustration_half_life_ms
    if half_lives >= FADED_HALF_LIVES:
        return 0.0
    softened = whole * exp(-trouble.softening * log1p(inputs.repeats))
    return softened * exp(-LN_2 * half_lives) if half_lives > 0.0 else softened


def frustration_parts(scorer: Scorer, inputs: ChurnInputs) -> tuple[float, float, float, float] | None:
    """Open tickets, solved ones, bad ratings, refunds: their shares as of `frustration_at_ms`; None without any."""
    trouble = scorer.model.frustration
    if trouble is None:
        return None
    tickets, solved, ratings, refunds = inputs[8:12]
    if not (tickets or solved or ratings or refunds):
        return None
    softened = exp(-trouble.softening * log1p(inputs.repeats))
    return (
        trouble.ticket * tickets * softened,
        trouble.ticket * trouble.solved_share * solved * softened,
        trouble.bad_rating * ratings * softened,
        trouble.refund * refunds * softened,
    )


def faded_ms(scorer: Scorer, inputs: ChurnInputs) -> int:
    """From which instant on frustration is 0."""
    return inputs.frustration_at_ms + int(FADED_HALF_LIVES * scorer.frustration_half_life_ms)


def risk_logit(ln_nothing_if_alive: float, ln_odds: float) -> float:
    """The logit of P(no purchase), from ln P(nothing | alive) and the log-odds of having left; finite for any input."""
    ln_alive, ln_gone = -softplus(ln_odds), -softplus(-ln_odds)
    ln_nothing, larger = ln_nothing_if_alive + ln_alive, ln_gone
    if ln_nothing > larger:
        ln_nothing, larger = larger, ln_nothing
    ln_risk = larger + log1p(exp(ln_nothing - larger))
    return ln_risk - ln_alive - log(-expm1(ln_nothing_if_alive))


def calibrated(
    scorer: Scorer, inputs: ChurnInputs, logit: float, silence: float, rising_ms: int, frustration: float
) -> float:
    """The logit of the final score."""
    k = scorer.calibration
    if k is None:
        return logit
    z = k.intercept + k.risk * logit + k.silence * log1p(silence) + k.repeats * log1p(inputs.repeats)
    z += k.tenure * log1p(inputs.recency + silence) + order_value(scorer, inputs)
    if k.visits != 0.0:
        z += k.visits * log1p(visits_at(scorer, inputs, rising_ms))
    return z + k.frustration * frustration


def order_value(scorer: Scorer, inputs: ChurnInputs) -> float:
    """What the sizes of a customer's orders add to the logit of the final score."""
    k = scorer.calibration
    if k is None or (k.first_order == 0.0 and k.mean_order == 0.0):
        return 0.0
    first = log1p(max(0, inputs.first_order_minor) / scorer.minor_per_major)
    mean = log1p(max(0, inputs.mean_order_minor) / scorer.minor_per_major)
    return k.first_order * first + k.mean_order * mean


def logistic(z: float) -> float:
    """1 / (1 + e^-z) without overflow."""
    if z < 0.0:
        e = exp(z)
        return e / (1.0 + e)
    return 1.0 / (1.0 + exp(-z))


def softplus(z: float) -> float:
    """ln(1 + e^z) without overflow."""
    return z + log1p(exp(-z)) if z > 0.0 else log1p(exp(z))


def _purchase(buys_if_alive: float, ln_odds: float) -> float:
    if ln_odds > 0.0:
        odds_of_life = exp(-ln_odds)
        return buys_if_alive * odds_of_life / (1.0 + odds_of_life)
    return buys_if_alive / (1.0 + exp(ln_odds))
