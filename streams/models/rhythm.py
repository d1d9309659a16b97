"""When the next order is to be expected, by the customer's own pace."""

from math import expm1

from streams.models.crossing import REACH_MS
from streams.models.scoring import LN_2, ChurnInputs, Scorer, silence_at

LN_GROWTH_MAX = 50.0


def expected_next_order_by(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> int | None:
    """The instant by which half of such customers who have not left will have bought again; None beyond a century.

    P(purchase | alive) = 1/2: ((alpha + t) / (alpha + t + h))^(r + x) is solved for h. Calibration has no part in it.
    """
    ln_growth = LN_2 / (scorer.r + inputs.repeats)
    if ln_growth > LN_GROWTH_MAX:
        return None
    age = scorer.alpha + inputs.recency + silence_at(scorer, inputs, at_ms)
    wait_ms = age * expm1(ln_growth) * scorer.ms_per_unit
    return at_ms + int(wait_ms) if wait_ms <= REACH_MS else None
