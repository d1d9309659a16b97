"""The reasons of a published decision in a few words."""

from schemas.decisions import ChurnRiskChanged, Reason, TierChanged
from schemas.money import minor_to_decimal

_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}


def reasons_of(decision: TierChanged | ChurnRiskChanged) -> tuple[str, ...]:
    """Each condition in words, as `spend 365 d 257.30 ≥ 250.00 USD`."""
    return tuple(_reason(reason, decision.customer.currency) for reason in decision.reasons)


def _reason(reason: Reason, currency: str) -> str:
    days = reason.window.removesuffix("d")
    window = f"{days} d" if days.isdigit() else reason.window
    sign = _SIGNS.get(reason.operator, reason.operator)
    match reason.metric:
        case "spend_minor":
            value, threshold = (minor_to_decimal(int(amount), currency) for amount in (reason.value, reason.threshold))
            return f"spend {window} {value} {sign} {threshold} {currency}"
        case "p_no_purchase":
            return f"no purchase in {window} {reason.value:.1%} {sign} {reason.threshold:.0%}"
        case metric:
            return f"{metric} {window} {reason.value:,} {sign} {reason.threshold:,}"
