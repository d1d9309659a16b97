"""The reasons of a published decision in a few words."""

from schemas.decisions import Decision, Reason
from schemas.money import minor_to_decimal

_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}


def reasons_of(decision: Decision) -> tuple[str, ...]:
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
