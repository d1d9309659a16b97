"""Orders and what becomes of them. Money is whole minor units of the event's one currency."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.fields import (
    LIST_LENGTH_MAX,
    AmountMinor,
    Count,
    Currency,
    Id,
    OptionalId,
    SignedMinor,
    Text,
    Word,
    word_meta,
)
from schemas.inputs.base import Campaign, Event
from schemas.vocabulary import ORDER_STATUSES


class Product(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One line of an order."""

    product_id: Id
    quantity: Annotated[int, Meta(ge=1, le=10**6)] = 1
    """Pieces; goods sold by weight count as one."""
    price_minor: AmountMinor | None = None
    """Of one piece."""
    sku: OptionalId = ""
    name: Text = ""
    brand: Text = ""
    category: Text = ""
    variant: Text = ""
    is_new: bool = False
    margin_minor: SignedMinor | None = None


Products = Annotated[tuple[Product, ...], Meta(max_length=LIST_LENGTH_MAX)]


class OrderCompleted(Event, kw_only=True, tag="order.completed"):
    """An order was placed and paid. A total of 0 (voucher, gift) is an order too."""

    order_id: Id
    currency: Currency
    total_minor: AmountMinor
    """What the customer paid."""
    products: Products = ()
    subtotal_minor: AmountMinor | None = None
    tax_minor: AmountMinor | None = None
    shipping_minor: AmountMinor | None = None
    discount_minor: AmountMinor | None = None
    coupon: Text = ""
    payment_method: Word = ""
    campaign: Campaign | None = None
    base_total_minor: AmountMinor | None = None
    """The total in the policy's currency, where `currency` is another."""


class OrderRefunded(Event, kw_only=True, tag="order.refunded"):
    """Money of an order went back; never more is taken than remains of the order."""

    order_id: Id
    refund_id: Id
    currency: Currency
    refund_minor: AmountMinor
    reason: Text = ""
    products: Products = ()


class OrderReturned(Event, kw_only=True, tag="order.returned"):
    """Goods of an order came back. Moves no money."""

    order_id: Id
    return_id: Id
    products: Products = ()
    reason: Text = ""


class OrderCancelled(Event, kw_only=True, tag="order.cancelled"):
    """An order was called off: takes whatever remains of it."""

    order_id: Id


class OrderState(Event, kw_only=True, tag="order.state"):
    """The full current state of an order, as change capture and shop webhooks send it.

    What differs from the state held so far is booked; a `revision` lower than one already seen is ignored.
    """

    order_id: Id
    status: Annotated[str, word_meta(ORDER_STATUSES, least=1)]
    currency: Currency
    total_minor: AmountMinor
    refunded_minor: AmountMinor
    revision: Count
