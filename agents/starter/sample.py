"""Sample customers: what they bought, looked at and complained of in the fourteen months before the folder was made.

The dice are seeded: the same kind, currency and instant give the same files. Everybody is made up.
"""

from random import Random
from typing import Any, NamedTuple

from agents.starter.kinds import Kind
from schemas.clock import MS_PER_DAY, format_instant

CUSTOMERS = 30
DAYS = 425
SOURCE = "sample"
RISING, NEAR, LAPSED, BEST = "c01", "c02", "c03", "c04"
"""Rises with the events of `events.jsonl`; rises when the policy asks for less; is gone; is the best."""
OWN = "m-2001"
"""Of the till: reaches the second tier with its receipts."""
COMPLAINED = 0.3
"""Share of the customers with a ticket."""
_MS_PER_HOUR = 3_600_000

Event = dict[str, Any]


class Purchase(NamedTuple):
    """An order, so many days ago."""

    days_ago: int
    total_minor: int


class Sample(NamedTuple):
    """Both files, in order of time."""

    history: list[Event]
    live: list[Event]


def sample_of(kind: Kind, minor: tuple[int, ...], currency: str, now: int) -> Sample:
    """History up to a day ago, and what happens `now` (epoch ms)."""
    dice = Random(f"{kind.name} {currency}")  # noqa: S311 - made-up customers, not secrets
    plans = _plans(kind, minor, dice)
    history: list[Event] = []
    for customer, purchases in plans.items():
        for number, (days_ago, total_minor) in enumerate(purchases, 1):
            at = now - days_ago * MS_PER_DAY - dice.randrange(10) * _MS_PER_HOUR
            order_id = f"{customer}-{number:02}"
            history.append(_order(customer, order_id, at, currency, total_minor))
            for visit in range(dice.choice(kind.visits)):
                looked_at = at - visit * MS_PER_DAY - _MS_PER_HOUR
                history.append(_event("browse.activity", customer, looked_at, action="view_item"))
        if customer not in (RISING, NEAR, BEST) and dice.random() < COMPLAINED:
            history += _ticket(customer, now - purchases[-1].days_ago * MS_PER_DAY)
    history.append(_refund("c05", len(plans["c05"]), plans["c05"][-1], now, currency))
    history.sort(key=lambda event: str(event["time"]))
    return Sample(_numbered(history, "history"), _numbered(_live(kind, minor, currency, now), f"live-{now}"))


def _plans(kind: Kind, minor: tuple[int, ...], dice: Random) -> dict[str, list[Purchase]]:
    """Who bought what when, oldest first."""
    plans = _counting(kind, minor[0], dice) if kind.counted else _spending(minor)
    for number in range(len(plans) + 1, CUSTOMERS + 1):
        last = dice.choice((5, 20, 40, 90, 200))
        days = sorted((dice.randint(last, DAYS - 5) for _ in range(dice.randint(1, kind.orders_max))), reverse=True)
        usual = minor[0] if kind.counted else minor[0] // 4
        plans[f"c{number:02}"] = [Purchase(day, max(1, usual * dice.randint(60, 180) // 100)) for day in days]
    return plans


def _spending(minor: tuple[int, ...]) -> dict[str, list[Purchase]]:
    """The four of the story, where spend counts: shares of the third tier's threshold."""
    upper = minor[1]
    return {
        RISING: [Purchase(day, upper * 23 // 100) for day in (240, 130, 60, 20)],
        NEAR: [Purchase(day, upper * 17 // 60) for day in (200, 90, 30)],
        LAPSED: [Purchase(day, upper * 30 // 100) for day in (420, 414, 405, 398)],
        BEST: [Purchase(day, minor[-1] * 40 // 100) for day in (300, 210, 150, 80, 33, 6)],
    }


def _counting(kind: Kind, price: int, dice: Random) -> dict[str, list[Purchase]]:
    """The four of the story, where orders count. What is recent is so for a month more: within 60 days of the 90."""
    assert kind.counted is not None  # noqa: S101 - the caller asked
    _, upper, asked_later = kind.counted

    def orders(count: int, first: int, last: int) -> list[Purchase]:
        days = sorted((dice.randint(last, first) for _ in range(count)), reverse=True)
        return [Purchase(day, price * dice.randint(80, 170) // 100) for day in days]

    return {
        RISING: orders(upper - 1, 60, 2),
        NEAR: orders(asked_later + 1, 60, 2),
        LAPSED: orders(upper + 2, 420, 350),
        BEST: orders(upper + 16, 60, 1),
    }


def _live(kind: Kind, minor: tuple[int, ...], currency: str, now: int) -> list[Event]:
    """One purchase that lifts a customer, one newcomer, a visit and a ticket."""
    lift = minor[0] if kind.counted else minor[1] * 12 // 100
    return [
        _order(RISING, f"{RISING}-live-{now}", now, currency, lift),
        _order("c31", f"c31-live-{now}", now, currency, max(1, lift // 2)),
        _event("browse.activity", "c06", now, action="add_to_cart"),
        _event("support.ticket_created", "c07", now, ticket_id=f"t-{now}", status="new", priority="high"),
    ]


def _order(customer: str, order_id: str, at: int, currency: str, total_minor: int) -> Event:
    return _event("order.completed", customer, at, order_id=order_id, currency=currency, total_minor=total_minor)


def _refund(customer: str, number: int, purchase: Purchase, now: int, currency: str) -> Event:
    """Half of an order goes back, half a day later."""
    return _event(
        "order.refunded",
        customer,
        now - purchase.days_ago * MS_PER_DAY + 12 * _MS_PER_HOUR,
        order_id=f"{customer}-{number:02}",
        refund_id=f"{customer}-r1",
        currency=currency,
        refund_minor=max(1, purchase.total_minor // 2),
    )


def _ticket(customer: str, at: int) -> list[Event]:
    return [
        _event("support.ticket_created", customer, at, ticket_id=f"t-{customer}", status="new"),
        _event("support.ticket_solved", customer, at + 5 * _MS_PER_HOUR, ticket_id=f"t-{customer}", status="solved"),
    ]


def _event(event_type: str, customer: str, at: int, **fields: object) -> Event:
    return {"type": event_type, "time": format_instant(at), "customer_id": customer, **fields}


def _numbered(events: list[Event], name: str) -> list[Event]:
    return [{"id": f"{name}-{number:03}", "source": SOURCE, **event} for number, event in enumerate(events, 1)]
