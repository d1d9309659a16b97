"""Counters that a policy declares: orders and net spend that pass a filter by category or store, day by day.

An order passes by its store as a whole; by category with the part of its total that its products of that category make
up. A refund takes the same part of what it takes.
"""

from schemas.events import OrderCompleted, OrderState
from streams.customer import series
from streams.customer.orders import OFFLINE, ONLINE, Order
from streams.customer.state import CustomerState
from streams.policy.model import OrderFilter


def open_shares(
    state: CustomerState,
    counted: tuple[OrderFilter, ...],
    event: OrderCompleted | OrderState,
    order: Order,
    as_of: int,
) -> None:
    """Count a kept order in every counter that it passes, and remember with which part."""
    for where in counted:
        share = _share(where, event, order)
        if share is not None:
            amount = _part(share, order)
            series.add(state, where.name, order.day, as_of, count=1, amount=amount)
            series.remember_share(state, where.name, order.hash, share)


def change_shares(
    state: CustomerState, counted: tuple[OrderFilter, ...], before: Order, after: Order, as_of: int
) -> None:
    """Count what became of an order in every counter that it passed."""
    for where in counted:
        share = series.share_of(state, where.name, before.hash)
        if share is not None:
            amount = _part(share, after) - _part(share, before)
            series.add(state, where.name, before.day, as_of, count=after.kept - before.kept, amount=amount)


def _share(where: OrderFilter, event: OrderCompleted | OrderState, order: Order) -> int | None:
    """The part of the order's total that passes, in minor units; None if nothing does."""
    wanted = {"online": ONLINE, "offline": OFFLINE, "": 0}[where.channel_type]
    fits = (
        (not where.channel or event.channel in where.channel)
        and (not where.store or event.store_id in where.store)
        and order.flags & wanted == wanted
        and order.total >= (where.order_at_least or 0)
        and (where.order_below is None or order.total < where.order_below)
    )
    if not fits:
        return None
    if not where.category:
        return order.total
    products = event.products if isinstance(event, OrderCompleted) else ()
    priced = all(product.price_minor is not None for product in products)
    weights = [product.quantity * (product.price_minor or 0) if priced else product.quantity for product in products]
    if not any(weights):
        weights = [product.quantity for product in products]
    passing = [w for w, product in zip(weights, products, strict=True) if product.category in where.category]
    return order.total * sum(passing) // sum(weights) if passing else None


def _part(share: int, order: Order) -> int:
    """What of the share remains with what remains of the order."""
    return share * order.remaining // order.total if order.total else 0
