"""A churn model made ready to score; apart from the arithmetic, which may be compiled, as no msgspec type can be."""

import msgspec

from streams.models.churn_model import Calibration, ChurnModel


class Scorer(msgspec.Struct, frozen=True, gc=False):
    """A model made ready for one horizon; by `scorer_of`."""

    model: ChurnModel
    horizon: float
    """In units of the model's time."""
    ms_per_unit: float
    r: float
    alpha: float
    a: float
    b: float
    one_more_chance: int
    """1 in BG/NBD, where the first purchase is no chance to leave; else 0."""
    minor_per_major: float
    visit_half_life_ms: float
    """Infinite without forgetting."""
    ln_visit_ratio: float
    visit_rate_excess: float
    """Visit days per unit that the living make and those who have left don't."""
    frustration_half_life_ms: float
    calibration: Calibration | None
