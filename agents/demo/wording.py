"""Published decisions in the few words that one line of the demo's screen has room for."""

from collections.abc import Sequence

from agents.demo.board import Change
from schemas.clock import parse_instant
from schemas.decisions import ChurnRiskChanged, Reason, TierChanged, TierRef
from schemas.money import minor_to_decimal

_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}
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
        reasons=_reasons(decision),
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
        reasons=_reasons(decision),
        by_time=decision.cause == "time",
    )


def band_label(band: str) -> str:
    """`very_high` as people write it."""
    return band.replace("_", " ")


def _name(tier: TierRef | None) -> str | None:
    return None if tier is None else tier.name


def _reasons(decision: TierChanged | ChurnRiskChanged) -> tuple[str, ...]:
    """Each condition in words, as `spend 365 d 257.30 ≥ 250.00 USD`."""
    return tuple(_reason(reason, decision.customer.currency) for reason in decision.reasons)


def _reason(reason: Reason, currency: str) -> str:
    days = reason.window.removesuffix("d")
    window = f"{days} d" if days.isdigit() else reason.window
    sign = _SIGNS.get(reason.operator, reason.operator)
    value, threshold = reason.value, reason.threshold
    if not isinstance(value, int | float) or not isinstance(threshold, int | float):
        return f"{reason.metric} {window} {value} {sign} {threshold}"
    if reason.metric.endswith("_minor"):
        name = reason.metric.removesuffix("_minor").replace("_", " ")
        told, asked = (minor_to_decimal(int(amount), currency) for amount in (value, threshold))
        return f"{name} {window} {told} {sign} {asked} {currency}"
    if reason.metric == "p_no_purchase":
        return f"no purchase in {window} {value:.1%} {sign} {threshold:.0%}"
    return f"{reason.metric} {window} {value:,} {sign} {threshold:,}"
