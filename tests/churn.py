"""Models and customers for the tests of churn scores."""

from pathlib import Path

import msgspec

from agents.model_file import ModelFile
from schemas.clock import MS_PER_DAY
from streams.models.churn_model import (
    Calibration,
    ChurnModel,
    FrustrationParameters,
    SpendParameters,
    VisitParameters,
    canonical_model,
    model_hash,
)
from streams.models.scoring import ChurnInputs

ANCHOR_MS = 867_715_200_000  # 1997-07-01T00:00:00Z
HORIZON_DAYS = 90
EDGES = (0.0, 0.65, 0.85, 0.95)
FULL = ChurnModel(
    name="full",
    r=0.52,
    alpha=6.2,
    a=0.9,
    b=1.6,
    currency="USD",
    spend=SpendParameters(p=6.25, q=3.74, gamma=15.44),
    visits=VisitParameters(alive_per_unit=0.6, gone_per_unit=0.05, half_life_days=14),
    frustration=FrustrationParameters(half_life_days=21, ticket=1.5, solved_share=0.3, bad_rating=1.0, refund=0.5),
    calibration=Calibration(
        horizon_days=HORIZON_DAYS,
        intercept=0.1,
        risk=0.8,
        silence=0.1,
        repeats=-0.3,
        tenure=0.05,
        first_order=-0.1,
        mean_order=-0.1,
        visits=-0.1,
        frustration=0.1,
    ),
)
"""With every layer."""
TROUBLED = ChurnInputs(
    repeats=3,
    recency=20.0,
    anchor_ms=ANCHOR_MS,
    first_order_minor=2_000,
    mean_order_minor=3_000,
    visits=2.5,
    visits_at_ms=ANCHOR_MS + 9 * MS_PER_DAY,
    watched_from_ms=ANCHOR_MS - 30 * MS_PER_DAY,
    open_tickets=1.2,
    solved_tickets=0.3,
    bad_ratings=0.5,
    refunds=1.0,
    frustration_at_ms=ANCHOR_MS + 5 * MS_PER_DAY,
)
"""With everything that can happen to a customer."""


def model_file(path: Path, model: ChurnModel) -> str:
    """Write a model as `tierstream fit` does; the path."""
    file = ModelFile(model=model, hash=model_hash(canonical_model(model)), fit={}, holdout=[])
    path.write_bytes(msgspec.json.encode(file))
    return str(path)


def after(days: float) -> int:
    """So many days after the last purchase day began."""
    return ANCHOR_MS + round(days * MS_PER_DAY)
