"""What a score is made of: signed contributions that add up to the logit of the final score.

A score is built up in steps, from a first-time buyer on the day of the purchase to this customer now; what a step adds
to the logit is the contribution of what it brought in. Trouble is one step, divided by the shares of its parts.
"""

from math import log1p

from schemas.clock import MS_PER_DAY
from schemas.decisions import Driver
from streams.models.reasons import ReasonCode
from streams.models.scoring import (
    ChurnInputs,
    Scorer,
    calibrated,
    frustration_at,
    frustration_parts,
    ln_odds_of_purchases,
    order_value,
    risk_logit,
    silence_at,
    visit_evidence,
    visits_at,
)

_TROUBLE: tuple[ReasonCode, ...] = ("unresolved_ticket", "past_ticket", "bad_rating", "refund")


def logit_of_score(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> float:
    """The logit of the final score, exact also where the score itself rounds to 0 or 1."""
    return _logit(scorer, inputs, at_ms, silence_at(scorer, inputs, at_ms))


def drivers(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> tuple[Driver, ...]:
    """The contributions, the largest first; those that say nothing are left out, `base_rate` never.

    `value` is in the unit that `reasons.py` gives for the code.
    """
    silence = silence_at(scorer, inputs, at_ms)
    quiet = inputs._replace(watched_from_ms=None, visits=0.0, open_tickets=0.0, solved_tickets=0.0)
    quiet = quiet._replace(bad_ratings=0.0, refunds=0.0)
    untroubled = inputs._replace(open_tickets=0.0, solved_tickets=0.0, bad_ratings=0.0, refunds=0.0)
    newcomer = quiet._replace(repeats=0, recency=0.0, first_order_minor=0, mean_order_minor=0)
    money = order_value(scorer, inputs)
    base = _logit(scorer, newcomer, inputs.anchor_ms, 0.0)
    at_purchase = _logit(scorer, quiet, inputs.anchor_ms, 0.0)
    after_silence = _logit(scorer, quiet, at_ms, silence)
    after_visits = _logit(scorer, untroubled, at_ms, silence)
    by_visits = after_visits - after_silence
    found: list[tuple[ReasonCode, float, float]] = [
        ("base_rate", base, 0),
        ("purchase_days", at_purchase - money - base, inputs.repeats + 1),
        ("order_value", money, inputs.mean_order_minor / scorer.minor_per_major),
        ("silence_days", after_silence - at_purchase, round(silence * scorer.ms_per_unit / MS_PER_DAY, 3)),
        ("fewer_visits" if by_visits > 0.0 else "recent_visits", by_visits, visits_at(scorer, inputs, at_ms)),
        *_trouble(scorer, inputs, at_ms, _logit(scorer, inputs, at_ms, silence) - after_visits),
    ]
    told = [each for each in found if each[0] == "base_rate" or each[1] != 0.0]
    told.sort(key=lambda each: -abs(each[1]))
    return tuple(Driver(code=code, contribution=contribution, value=value) for code, contribution, value in told)


def _trouble(
    scorer: Scorer, inputs: ChurnInputs, at_ms: int, contribution: float
) -> list[tuple[ReasonCode, float, float]]:
    parts = frustration_parts(scorer, inputs)
    whole = sum(parts) if parts else 0.0
    if parts is None or whole == 0.0:
        return []
    left = frustration_at(scorer, inputs, at_ms) / whole
    counts = (inputs.open_tickets, inputs.solved_tickets, inputs.bad_ratings, inputs.refunds)
    return [
        (code, contribution * part / whole, count * left)
        for code, part, count in zip(_TROUBLE, parts, counts, strict=True)
    ]


def _logit(scorer: Scorer, inputs: ChurnInputs, at_ms: int, silence: float) -> float:
    frustration = frustration_at(scorer, inputs, at_ms)
    ln_odds = ln_odds_of_purchases(scorer, inputs, silence) + visit_evidence(scorer, inputs, at_ms) + frustration
    c = scorer.r + inputs.repeats
    ln_nothing = -c * log1p(scorer.horizon / (scorer.alpha + inputs.recency + silence))
    return calibrated(scorer, inputs, risk_logit(ln_nothing, ln_odds), silence, at_ms, frustration)
