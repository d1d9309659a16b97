"""The reasons of a published decision in a few words."""

from collections.abc import Iterable

from schemas.decisions import Decision, Reason
from schemas.money import minor_to_decimal

_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}


def reasons_of(decision: Decision) -> tuple[str, ...]:
    """Each condition in words, as `spend 365 d 257.30 ≥ 250.00 USD`."""
    return words_of(decision.reasons, decision.customer.currency)


def words_of(reasons: Iterable[Reason], currency: str) -> tuple[str, ...]:
    """The same of reasons alone."""
    parts = (_parts(reason, currency) for reason in reasons)
    return tuple(f"{name} {value} {sign} {threshold}" for name, value, sign, threshold in parts)


def conditions_of(reasons: Iterable[Reason], currency: str) -> tuple[str, ...]:
    """What was asked for, without what was measured, as `spend 365 d ≥ 250.00 USD`."""
    parts = (_parts(reason, currency) for reason in reasons)
    return tuple(f"{name} {sign} {threshold}" for name, _, sign, threshold in parts)


def _parts(reason: Reason, currency: str) -> tuple[str, str, str, str]:
    """Metric and window, the value, the sign, the threshold."""
    days = reason.window.removesuffix("d")
    window = f"{days} d" if days.isdigit() else reason.window
    sign = _SIGNS.get(reason.operator, reason.operator)
    value, threshold = reason.value, reason.threshold
    if not isinstance(value, int | float) or not isinstance(threshold, int | float):
        return f"{reason.metric} {window}", str(value), sign, str(threshold)
    if reason.metric.endswith("_minor"):
        name = reason.metric.removesuffix("_minor").replace("_", " ")
        told, asked = (minor_to_decimal(int(amount), currency) for amount in (value, threshold))
        return f"{name} {window}", told, sign, f"{asked} {currency}"
    if reason.metric == "p_no_purchase":
        return f"no purchase in {window}", f"{value:.1%}", sign, f"{threshold:.0%}"
    return f"{reason.metric} {window}", f"{value:,}", sign, f"{threshold:,}"
