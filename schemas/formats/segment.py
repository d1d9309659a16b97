"""Segment: track, page, screen, identify and alias calls, as its Kafka destinations write them.

Events and calls that say nothing about a customer's standing are passed over and counted: a tracking plan holds
hundreds of names. What is not Segment's form at all is refused.
"""

from collections.abc import Callable
from typing import Any, Final

from schemas.formats import segment_orders as orders
from schemas.formats.building import build, derived_id, nth_id
from schemas.formats.reading import read_object
from schemas.formats.record import Decoded, Raw, SkipCause, Skipped
from schemas.formats.segment_parts import Call, campaign_of, channel_of, part, text_of, traits_of
from schemas.formats.values import UnusableError
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import quoted, refuse

Members = dict[str, Any]

ACTIONS: Final = {
    "product viewed": "view_item",
    "product clicked": "view_item",
    "product list viewed": "view_item_list",
    "product list filtered": "view_item_list",
    "products searched": "search",
    "product added": "add_to_cart",
    "product removed": "remove_from_cart",
    "product added to wishlist": "add_to_wishlist",
    "checkout started": "begin_checkout",
}
"""Name of a track event, in small letters, to the action of `browse.activity`."""

ORDERS: Final[dict[str, Callable[[Call], tuple[str, Members]]]] = {
    "order completed": orders.completed,
    "order refunded": orders.refunded,
    "order cancelled": orders.cancelled,
    "order updated": orders.updated,
}
_SILENT_CALLS: Final = frozenset({"group", "delete"})
CALLS: Final = ("track", "page", "screen", "identify", "alias")


def decode_segment(raw: Raw) -> Decoded:
    """The events of one call."""
    if raw.value is None:
        return Skipped(SkipCause.TOMBSTONE, "a record without a value")
    document = read_object(raw.value)
    if isinstance(document, Rejected):
        return (document,)
    call = Call(document)
    try:
        found = _meant(call)
        if isinstance(found, Skipped | Rejected):
            return (found,) if isinstance(found, Rejected) else found
        shared = _shared(call)
    except UnusableError as unusable:
        return (refuse(unusable.reason, unusable.detail),)
    return tuple(_event(call, name, {**shared, **own}, nth) for nth, (name, own) in enumerate(found))


def _event(call: Call, name: str, members: Members, nth: int) -> Any:  # noqa: ANN401 - what `build` returns
    message_id = text_of(call.document.get("messageId"))
    return build(name, members | {"id": nth_id(message_id, nth) if message_id else derived_id(name, members)})


def _meant(call: Call) -> list[tuple[str, Members]] | Skipped | Rejected:
    kind = call.document.get("type")
    match kind:
        case "track":
            return _tracked(call)
        case "page" | "screen":
            return [("browse.activity", {"action": "page_view", **_visit(call)})]
        case "identify":
            return _identified(call)
        case "alias":
            return _aliased(call)
        case str() if kind in _SILENT_CALLS:
            return Skipped(SkipCause.NO_MEANING, f"call {kind}")
        case _:
            detail = (
                f"$.type: expected one of {', '.join(CALLS)}, got {quoted(kind) if isinstance(kind, str) else 'none'}"
            )
            return refuse(RefusalReason.UNKNOWN_TYPE, detail)


def _tracked(call: Call) -> list[tuple[str, Members]] | Skipped | Rejected:
    name = call.document.get("event")
    if not isinstance(name, str) or not name:
        return refuse(RefusalReason.SCHEMA, "$.event: expected the name of the event")
    known = " ".join(name.replace("_", " ").lower().split())
    if known in ORDERS:
        return [ORDERS[known](call)]
    if known in ACTIONS:
        return [("browse.activity", {"action": ACTIONS[known], **_visit(call)})]
    return Skipped(SkipCause.NO_MEANING, f"track event {quoted(name)}")


def _visit(call: Call) -> Members:
    properties, page = call.properties, part(call.context, "page")
    members = {
        "product_id": text_of(properties.get("product_id")) or text_of(properties.get("sku")),
        "category": text_of(properties.get("category")),
        "query": text_of(properties.get("query")),
        "session_id": text_of(call.context.get("sessionId")),
        "url_path": text_of(properties.get("path")) or text_of(page.get("path")),
        "campaign": campaign_of(call),
    }
    return {name: value for name, value in members.items() if value}


def _identified(call: Call) -> list[tuple[str, Members]]:
    traits = traits_of(call)
    found: list[tuple[str, Members]] = [("identity.identified", {"traits": traits} if traits else {})]
    if call.user_id and call.anonymous_id:
        found.append(("identity.linked", {}))
    return found


def _aliased(call: Call) -> list[tuple[str, Members]] | Rejected:
    """The previous id of an alias is a device's where the call says so, else it is another customer id."""
    previous = text_of(call.document.get("previousId")) or call.anonymous_id
    if not previous:
        return refuse(RefusalReason.SCHEMA, "$.previousId: missing")
    if previous == call.anonymous_id:
        return [("identity.linked", {})]
    return [("identity.merged", {"previous_customer_id": previous})]


def _shared(call: Call) -> Members:
    members = {
        "source": "segment",
        "time": call.time(),
        "customer_id": call.user_id,
        "anonymous_id": call.anonymous_id,
        "channel": channel_of(call),
    }
    return {name: value for name, value in members.items() if value}
