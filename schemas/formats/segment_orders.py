"""Segment's order events. Money comes as decimals, in numbers or in text, and goes out as whole minor units."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from schemas.clock import parse_instant
from schemas.fields import LIST_LENGTH_MAX, WORD_LENGTH_MAX
from schemas.formats.mapping import Field
from schemas.formats.segment_parts import Call, campaign_of, text_of
from schemas.formats.values import UnusableError, as_minor, as_number
from schemas.money import EXPONENTS
from schemas.rejections import RefusalReason
from schemas.screening import quoted

_MONEY: Final = Field(target="", kind="money", required=True, money="decimal")
_STATES: Final = {
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "refunded": "refunded",
    "open": "open",
    "pending": "open",
    "unpaid": "open",
}
"""Status of an updated order to ours; any other, and none, is an order that was paid."""
_PIECES_MAX: Final = 10**6
_OPTIONAL_AMOUNTS: Final = ("subtotal", "tax", "shipping", "discount")


def completed(call: Call) -> tuple[str, dict[str, Any]]:
    """An order: `total`, else `revenue`, is what the customer paid."""
    currency = _currency(call)
    members: dict[str, Any] = {
        "order_id": _order_id(call),
        "currency": currency,
        "total_minor": _total(call, currency, ("total", "revenue")),
        "products": _products(call, currency),
        "coupon": text_of(call.properties.get("coupon")),
        "payment_method": text_of(call.properties.get("payment_method"), WORD_LENGTH_MAX),
        "campaign": campaign_of(call),
    }
    for name in _OPTIONAL_AMOUNTS:
        if call.properties.get(name) is not None:
            members[f"{name}_minor"] = _minor(call.properties[name], currency, f"$.properties.{name}")
    return "order.completed", {name: value for name, value in members.items() if value not in ("", [], {})}


def refunded(call: Call) -> tuple[str, dict[str, Any]]:
    """A refund: `total`, else `revenue`, else what all its products cost; `refund_id`, else the message, names it."""
    currency = _currency(call)
    named = _has_amount(call, ("total", "revenue"))
    cost = None if named else _cost_of_products(call, currency)
    amount = _total(call, currency, ("total", "revenue")) if cost is None else cost
    refund_id = text_of(call.properties.get("refund_id")) or text_of(call.document.get("messageId"))
    if not refund_id:
        raise UnusableError(RefusalReason.SCHEMA, "$.messageId", "missing, and so is $.properties.refund_id")
    members = {
        "order_id": _order_id(call),
        "refund_id": refund_id,
        "currency": currency,
        "refund_minor": amount,
        "products": _products(call, currency),
    }
    return "order.refunded", {name: value for name, value in members.items() if value != []}


def cancelled(call: Call) -> tuple[str, dict[str, Any]]:
    """The rest of an order is called off."""
    return "order.cancelled", {"order_id": _order_id(call)}


def updated(call: Call) -> tuple[str, dict[str, Any]]:
    """The whole order as it is now; the later of two updates holds.

    An update says nothing of refunds, so one that comes after a refund takes its place: `total` is what remains.
    """
    currency = _currency(call)
    status = text_of(call.properties.get("status")).lower()
    return "order.state", {
        "order_id": _order_id(call),
        "status": _STATES.get(status, "paid"),
        "currency": currency,
        "total_minor": _total(call, currency, ("total", "revenue")),
        "refunded_minor": 0,
        "revision": max(0, parse_instant(call.time())),
    }


def _order_id(call: Call) -> str:
    order_id = text_of(call.properties.get("order_id"))
    if not order_id:
        raise UnusableError(RefusalReason.SCHEMA, "$.properties.order_id", "missing")
    return order_id


def _currency(call: Call) -> str:
    currency = call.properties.get("currency")
    if isinstance(currency, str) and currency in EXPONENTS:
        return currency
    got = quoted(currency) if isinstance(currency, str) else "nothing"
    complaint = f"expected an ISO 4217 code in capitals, got {got}"
    raise UnusableError(RefusalReason.UNKNOWN_CURRENCY, "$.properties.currency", complaint)


def _has_amount(call: Call, names: tuple[str, ...]) -> bool:
    return any(call.properties.get(name) is not None for name in names)


def _total(call: Call, currency: str, names: tuple[str, ...]) -> int:
    for name in names:
        if call.properties.get(name) is not None:
            return _minor(call.properties[name], currency, f"$.properties.{name}")
    raise UnusableError(RefusalReason.BAD_AMOUNT, f"$.properties.{names[0]}", "missing")


def _cost_of_products(call: Call, currency: str) -> int | None:
    """What all lines cost together, to the last digit; None where one of them has no price."""
    lines, shown = call.properties.get("products"), "$.properties.products"
    if not isinstance(lines, list) or not lines:
        return None
    total = Decimal(0)
    for line in lines:
        if not isinstance(line, dict) or line.get("price") is None:
            return None
        price = as_number(line["price"], _MONEY, shown, RefusalReason.BAD_AMOUNT)
        quantity = line.get("quantity")
        total += price * (1 if quantity is None else as_number(quantity, _MONEY, shown, RefusalReason.BAD_AMOUNT))
    return as_minor(total, _MONEY, currency, shown, exact=False)


def _minor(value: Any, currency: str, shown: str) -> int:  # noqa: ANN401 - any JSON at all
    number = as_number(value, _MONEY, shown, RefusalReason.BAD_AMOUNT)
    return as_minor(number, _MONEY, currency, shown, exact=isinstance(value, str))


def _products(call: Call, currency: str) -> list[dict[str, Any]]:
    """Lines without an id of the product say nothing that we keep; what is beyond the limit of a list is cut off."""
    lines = call.properties.get("products")
    if not isinstance(lines, list):
        return []
    opened = [line for line in lines if isinstance(line, dict)]
    products = [_product(line, currency, index) for index, line in enumerate(opened)]
    return [product for product in products if product["product_id"]][:LIST_LENGTH_MAX]


def _product(line: dict[str, Any], currency: str, index: int) -> dict[str, Any]:
    product: dict[str, Any] = {
        "product_id": text_of(line.get("product_id")) or text_of(line.get("sku")),
        "quantity": _pieces(line.get("quantity"), f"$.properties.products[{index}].quantity"),
    }
    for name in ("sku", "name", "brand", "category", "variant"):
        if text := text_of(line.get(name)):
            product[name] = text
    if line.get("price") is not None:
        product["price_minor"] = _minor(line["price"], currency, f"$.properties.products[{index}].price")
    return product


def _pieces(value: Any, shown: str) -> int:  # noqa: ANN401 - any JSON at all
    """Pieces; goods by weight count as one."""
    if value is None:
        return 1
    number = as_number(value, _MONEY, shown, RefusalReason.SCHEMA)
    whole = number.to_integral_value(ROUND_HALF_UP)
    return int(whole) if whole == number and Decimal(1) <= whole <= _PIECES_MAX else 1
