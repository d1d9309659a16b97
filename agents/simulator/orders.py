"""Orders online and in stores, and what becomes of them: cancellations, refunds in part and in full."""

from collections.abc import Iterator
from math import inf
from random import Random
from typing import NamedTuple

import msgspec

from agents.simulator.catalogue import Catalogue
from agents.simulator.habits import Habits
from agents.simulator.happenings import Happening, Person
from agents.simulator.shop_time import ONLINE, STORE, Hours, ShopTime
from agents.simulator.stores import Stores
from agents.simulator.variates import exponential
from schemas.clock import format_instant
from schemas.events import OrderCancelled, OrderCompleted, OrderRefunded, Product

DISCOUNT_DIVISOR = 10
"""A coupon takes a tenth."""
PAYMENTS = ("card", "card", "wallet", "wallet", "bank_transfer")
STORE_PAYMENTS = ("card", "card", "cash", "wallet")
REASONS = ("wrong_size", "damaged", "changed_mind", "not_as_described")
CANCELLED_WITHIN_DAYS = (0.02, 0.4)
REFUNDED_AFTER_DAYS, REFUND_SPREAD_DAYS = 0.5, 8.0
PARTIAL = 0.5
"""Refunds that are of one line only."""
REST_TOO = 0.15
"""Refunds in part after which the rest goes back too."""


class Order(NamedTuple):
    """An order that was placed."""

    id: str
    at: float
    """Days since the shop's opening."""
    occurred_at: int
    store: int | None
    """None online."""
    products: tuple[Product, ...]
    total_minor: int


class OrderDesk:
    """Places and takes back the orders of a simulation's customers."""

    def __init__(self, time: ShopTime, stores: Stores, catalogue: Catalogue, habits: Habits, currency: str) -> None:
        self._time, self._stores, self._catalogue, self._habits = time, stores, catalogue, habits
        self._currency = currency

    def place(
        self, who: Person, number: int, at: float, store: int | None, value: float, favourite: int, dice: Random
    ) -> tuple[Order, Happening]:
        """The n-th order of a customer, worth `value` minor units on average over the dice."""
        coupon = dice.random() < self._habits.coupons
        gross = value * DISCOUNT_DIVISOR / (DISCOUNT_DIVISOR - 1) if coupon else value
        products = self._catalogue.basket(gross, favourite, dice)
        subtotal = sum((line.price_minor or 0) * line.quantity for line in products)
        discount = (subtotal + int(dice.random() * DISCOUNT_DIVISOR)) // DISCOUNT_DIVISOR if coupon else 0
        payments = PAYMENTS if store is None else STORE_PAYMENTS
        order_id = f"{who.stem}o{number}"
        occurred_at = self._time.instant(at, _hours(store))
        event = OrderCompleted(
            id=order_id,
            source=who.source,
            time=format_instant(occurred_at),
            customer_id=who.customer_id,
            channel=who.channel,
            channel_type="online",
            test=who.test,
            order_id=order_id,
            currency=self._currency,
            total_minor=subtotal - discount,
            products=products,
            subtotal_minor=subtotal,
            discount_minor=discount if coupon else None,
            coupon=("WELCOME10" if number == 1 else "SAVE10") if coupon else "",
            payment_method=payments[int(dice.random() * len(payments))],
        )
        order = Order(order_id, at, occurred_at, store, products, subtotal - discount)
        return order, self._arriving(event, at, occurred_at, store)

    def aftermath(self, who: Person, order: Order, dice: Random) -> Iterator[Happening]:
        """A cancellation or refunds, before the simulation's end; never more than the order's total."""
        cancelled, roll = dice.random() < self._habits.cancellations, dice.random()
        if order.store is None and cancelled:
            first, last = CANCELLED_WITHIN_DAYS
            yield from self._cancel(who, order, order.at + first + (last - first) * dice.random())
        elif roll < self._habits.refunds and order.total_minor > 0:
            yield from self._refunds(who, order, dice)

    def _cancel(self, who: Person, order: Order, at: float) -> Iterator[Happening]:
        if at < self._time.days:
            instant = self._time.instant(at, ONLINE)
            event = OrderCancelled(
                id=order.id + "x",
                source=who.source,
                time=format_instant(instant),
                customer_id=who.customer_id,
                channel=who.channel,
                channel_type="online",
                test=who.test,
                order_id=order.id,
            )
            yield Happening(instant, instant, event)

    def _refunds(self, who: Person, order: Order, dice: Random) -> Iterator[Happening]:
        at = order.at + REFUNDED_AFTER_DAYS + REFUND_SPREAD_DAYS * exponential(dice)
        parts: list[tuple[float, int, tuple[Product, ...]]] = [(at, order.total_minor, ())]
        if dice.random() < PARTIAL:
            line = order.products[int(dice.random() * len(order.products))]
            subtotal = sum((product.price_minor or 0) * product.quantity for product in order.products)
            part = (line.price_minor or 0) * order.total_minor // subtotal  # of one piece, less its discount
            parts = [(at, part, (msgspec.structs.replace(line, quantity=1),))]
            later = at + REFUNDED_AFTER_DAYS + REFUND_SPREAD_DAYS * exponential(dice)
            parts.append((later if dice.random() < REST_TOO else inf, order.total_minor - part, ()))
        for number, (when, refund_minor, products) in enumerate(parts, 1):
            if refund_minor > 0 and when < self._time.days:
                yield self._refund(who, order, number, when, refund_minor, products, dice)

    def _refund(
        self,
        who: Person,
        order: Order,
        number: int,
        at: float,
        refund_minor: int,
        products: tuple[Product, ...],
        dice: Random,
    ) -> Happening:
        occurred_at = self._time.instant(at, _hours(order.store))
        event = OrderRefunded(
            id=f"{order.id}r{number}",
            source=who.source,
            time=format_instant(occurred_at),
            customer_id=who.customer_id,
            channel=who.channel,
            channel_type="online",
            test=who.test,
            order_id=order.id,
            refund_id=f"r{number}",
            currency=self._currency,
            refund_minor=refund_minor,
            reason=REASONS[int(dice.random() * len(REASONS))],
            products=products,
        )
        return self._arriving(event, at, occurred_at, order.store)

    def _arriving(
        self, event: OrderCompleted | OrderRefunded, at: float, occurred_at: int, store: int | None
    ) -> Happening:
        """What happens in a store comes with the store's batch of the day."""
        if store is None:
            return Happening(occurred_at, occurred_at, event)
        self._stores.stamp(event, store)
        return Happening(self._stores.batch_arrives_at(store, int(at)), occurred_at, event)


def _hours(store: int | None) -> Hours:
    return ONLINE if store is None else STORE
