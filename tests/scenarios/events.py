"""The events of a story's steps as producers send them: flat native JSON, without who and when."""

from typing import Any

from schemas.money import decimal_to_minor
from tests.scenarios.language import Order, Refund, State, Step


def body(step: Step, base: str) -> dict[str, Any]:
    """Type and own members of a step's event; `base` is the policy's currency."""
    told = [*_order_events(step, base), *_other_events(step)]
    assert len(told) == 1, f"one thing happens at a time, at {step.at}: {told}"
    return told[0]


def _order_events(step: Step, base: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    if step.order is not None:
        told.append(_completed(step.order, base))
    if step.refund is not None:
        told.append(_refunded(step.refund, base))
    if step.state is not None:
        told.append(_stated(step.state, base))
    if step.cancel:
        told.append({"type": "order.cancelled", "order_id": step.cancel})
    if step.goods_back is not None:
        back = step.goods_back
        told.append({"type": "order.returned", "order_id": back["order"], "return_id": back["id"]})
    return told


def _other_events(step: Step) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    if step.browse:
        told.append({"type": "browse.activity", "action": step.browse})
    if step.ticket:
        told.append({"type": "support.ticket_created", "ticket_id": step.ticket, "status": "new"})
    if step.ticket_update:
        told.append({"type": "support.ticket_updated", "ticket_id": step.ticket_update, "status": "open"})
    if step.ticket_solved:
        told.append({"type": "support.ticket_solved", "ticket_id": step.ticket_solved, "status": "solved"})
    if step.rating:
        rated = {"rating": float(step.rating), "scale_max": 5}
        told.append({"type": "support.satisfaction_rated", "ticket_id": "t", **rated})
    if step.locale:
        told.append({"type": "identity.identified", "traits": {"locale": step.locale}})
    if step.consent is not None:
        channels = {name: answer == "yes" for name, answer in step.consent.items()}
        told.append({"type": "consent.updated", "purposes": {}, "channels": channels})
    return told


def _completed(order: Order, base: str) -> dict[str, Any]:
    currency = order.currency or base
    said = {"currency": currency, "total_minor": decimal_to_minor(order.total, currency)}
    if order.base_total:
        said["base_total_minor"] = decimal_to_minor(order.base_total, base)
    return {"type": "order.completed", "order_id": order.id, **said}


def _refunded(refund: Refund, base: str) -> dict[str, Any]:
    currency = refund.currency or base
    amount = {"currency": currency, "refund_minor": decimal_to_minor(refund.amount, currency)}
    return {"type": "order.refunded", "order_id": refund.order, "refund_id": refund.id, **amount}


def _stated(state: State, base: str) -> dict[str, Any]:
    currency = state.currency or base
    return {
        "type": "order.state",
        "order_id": state.order,
        "status": state.status,
        "currency": currency,
        "total_minor": decimal_to_minor(state.total, currency),
        "refunded_minor": decimal_to_minor(state.refunded, currency),
        "revision": int(state.revision),
    }
