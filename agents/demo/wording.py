"""Published decisions in the few words that one line of the demo's screen has room for."""

from collections.abc import Sequence

from agents.demo.board import Change
from agents.reason_words import reasons_of
from schemas.clock import parse_instant
from schemas.decisions import ChurnRiskChanged, TierChanged, TierRef

_DIRECTIONS: dict[str, int] = {"initial": 0, "upgrade": 1, "downgrade": -1, "lateral": 0}


def tier_change(decision: TierChanged) -> Change:
    """A change of tier as a line."""
    return Change(
        kind="tier",
        effective_at=parse_instant(decision.effective_at),
        customer_id=decision.customer_id,
        before=_name(decision.previous_tier),
        after=_name(decision.tier),
        direction=_DIRECTIONS[decision.direction],
        reasons=reasons_of(decision),
        by_time=decision.cause == "time",
    )


def risk_change(decision: ChurnRiskChanged, bands: Sequence[str]) -> Change:
    """A change of churn risk as a line; `bands` from the lowest risk to the highest."""
    before, after = decision.previous_band, decision.band
    direction = 0
    if before is not None and after is not None:
        direction = 1 if bands.index(after) < bands.index(before) else -1
    return Change(
        kind="risk",
        effective_at=parse_instant(decision.effective_at),
        customer_id=decision.customer_id,
        before=before and band_label(before),
        after=after and band_label(after),
        direction=direction,
        reasons=reasons_of(decision),
        by_time=decision.cause == "time",
    )


def band_label(band: str) -> str:
    """`very_high` as people write it."""
    return band.replace("_", " ")


def _name(tier: TierRef | None) -> str | None:
    return None if tier is None else tier.name
