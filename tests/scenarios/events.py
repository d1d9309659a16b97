"""The events of a story's steps as producers send them: flat native JSON, without who and when."""

from collections.abc import Callable
from typing import Any, Final

from schemas.money import decimal_to_minor
from tests.scenarios.language import Membership, Order, Place, Rating, Refund, State, Step

RATED: Final = {"support": "support.satisfaction_rated", "order": "review.submitted", "survey": "survey.answered"}
NUMBERS: Final = ("birth_month", "birth_day")


def body(step: Step, base: str, instant: Callable[[str], str]) -> dict[str, Any]:
    """Type and own members of a step's event.

    `base` is the policy's currency, `instant` writes a time of the story as events do.
    """
    told = [*_order_events(step, base), *_other_events(step), *_governance_events(step, instant)]
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
    if step.solved:
        told.append({"type": "support.ticket_solved", "ticket_id": step.solved, "status": "solved"})
    if step.rating is not None:
        told.append(_rated(step.rating))
    if step.locale:
        told.append({"type": "identity.identified", "traits": {"locale": step.locale}})
    if step.consent is not None:
        channels = {name: answer == "yes" for name, answer in step.consent.items()}
        told.append({"type": "consent.updated", "purposes": {}, "channels": channels})
    return told


def _governance_events(step: Step, instant: Callable[[str], str]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    if step.override is not None:
        told.append(_placed("tier.override_set", step.override, instant))
    if step.match is not None:
        told.append(_placed("tier.match_granted", step.match, instant))
    if step.clear:
        cleared = {"type": "tier.override_cleared", "ladder": step.clear}
        told.append({**cleared, "reason": "settled", "actor": "desk"})
    if step.joins is not None:
        told.append(_membership("membership.started", step.joins, instant))
    if step.leaves is not None:
        told.append(_membership("membership.ended", step.leaves, instant))
    if step.traits is not None:
        traits: dict[str, Any] = dict(step.traits)
        traits |= {name: int(traits[name]) for name in NUMBERS if name in traits}
        if "signup_time" in traits:
            traits["signup_time"] = instant(traits["signup_time"])
        told.append({"type": "identity.identified", "traits": traits})
    return told


def _placed(kind: str, place: Place, instant: Callable[[str], str]) -> dict[str, Any]:
    said = {"type": kind, "ladder": place.ladder, "tier": place.tier, "reason": place.reason, "actor": "desk"}
    return said | ({"valid_until": instant(place.until)} if place.until else {})


def _membership(kind: str, held: Membership, instant: Callable[[str], str]) -> dict[str, Any]:
    said = {"type": kind, "programme": held.programme}
    return said | ({"valid_until": instant(held.until)} if held.until else {})


def _rated(rating: Rating) -> dict[str, Any]:
    return {"type": RATED[rating.about], "rating": float(rating.value), "scale_max": float(rating.of)}


def _completed(order: Order, base: str) -> dict[str, Any]:
    currency = order.currency or base
    said: dict[str, Any] = {"currency": currency, "total_minor": decimal_to_minor(order.total, currency)}
    if order.coupon:
        said["coupon"] = order.coupon
    if order.lines:
        said["products"] = [
            {"product_id": f"p{n}", "category": line.category, "quantity": int(line.quantity)}
            | ({"price_minor": decimal_to_minor(line.price, currency)} if line.price else {})
            for n, line in enumerate(order.lines, 1)
        ]
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
