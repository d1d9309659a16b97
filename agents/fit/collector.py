"""From events to histories: which purchases were kept, and what else a customer did. One pass, in any order.

As in the fold, an order that was cancelled or refunded wholly is no purchase, a repeated order counts once, and an
amount in another currency needs `base_total_minor`. Test customers and visitors nobody knows are left out.
"""

from collections import Counter
from hashlib import blake2b

from agents.fit.histories import EPOCH_ORDINAL, Customer, Histories, TicketWord
from schemas.clock import parse_instant
from schemas.events import (
    BrowseActivity,
    InputEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    OrderState,
    ReviewSubmitted,
    SatisfactionRated,
    SurveyAnswered,
)
from schemas.inputs.support import Ticket, TicketSolved
from streams.calendar import Calendar
from streams.models.evidence import BAD_RATING_MAX

SOLVED = frozenset({"solved", "closed"})


class _Order:
    """What is known of one order."""

    __slots__ = ("cancelled", "day", "minor", "refund_days", "refunded", "revision")

    def __init__(self) -> None:
        self.day: int | None = None
        self.minor = 0
        self.refunded: dict[str, int] = {}
        self.refund_days: list[int] = []
        self.cancelled = False
        self.revision = -1

    @property
    def remains(self) -> int:
        """What was paid less what went back, never below 0."""
        return max(0, self.minor - sum(self.refunded.values()))

    @property
    def kept(self) -> bool:
        """Whether it counts as a purchase; a free order does."""
        return self.day is not None and not self.cancelled and (self.remains > 0 or not self.refunded)


class _Person:
    __slots__ = ("orders", "ratings", "tickets", "visits")

    def __init__(self) -> None:
        self.orders: dict[str, _Order] = {}
        self.visits: set[int] = set()
        self.ratings: set[int] = set()
        self.tickets: list[TicketWord] = []


class Collector:
    """Takes events one by one; `histories` is what they come to."""

    def __init__(self, name: str, currency: str, calendar: Calendar) -> None:
        self._name, self._currency, self._calendar = name, currency, calendar
        self._people: dict[str, _Person] = {}
        self._newest = -1
        self.left_out: Counter[str] = Counter()
        """Why how many events were not used."""

    def add(self, event: InputEvent) -> None:
        """Take what an event says of a customer."""
        if event.test or not event.customer_id:
            self.left_out["test customers" if event.test else "visitors nobody knows"] += 1
            return
        at_ms = parse_instant(event.time)
        self._newest = max(self._newest, at_ms)
        day = self._calendar.day_of(at_ms) - EPOCH_ORDINAL
        person = self._people.setdefault(event.customer_id, _Person())
        match event:
            case OrderCompleted() | OrderState() | OrderRefunded() | OrderCancelled():
                self._order(person, event, day)
            case BrowseActivity():
                person.visits.add(day)
            case SatisfactionRated() | ReviewSubmitted() | SurveyAnswered():
                if event.rating <= BAD_RATING_MAX * event.scale_max:
                    person.ratings.add(day)
            case Ticket():
                hashed = int.from_bytes(blake2b(event.ticket_id.encode(), digest_size=8).digest(), "big")
                solved = isinstance(event, TicketSolved) or event.status in SOLVED
                person.tickets.append(TicketWord(day, hashed, solved))
            case _:
                pass

    def histories(self) -> Histories:
        """What was collected; the newest day is left out, for it may not be over."""
        customers = [_customer(person) for person in self._people.values()]
        customers = [customer for customer in customers if customer.days]
        first = min((customer.days[0] for customer in customers), default=0)
        last = self._calendar.day_of(self._newest) - EPOCH_ORDINAL - 1 if customers else 0
        left_out = {why: count for why, count in sorted(self.left_out.items()) if count}
        return Histories(self._name, self._currency, first, last, customers, left_out)

    def _order(
        self, person: _Person, event: OrderCompleted | OrderState | OrderRefunded | OrderCancelled, day: int
    ) -> None:
        order = person.orders.setdefault(event.order_id, _Order())
        match event:
            case OrderCompleted():
                amount = event.total_minor if event.currency == self._currency else event.base_total_minor
                if amount is None:
                    self.left_out[f"orders in {event.currency} without base_total_minor"] += 1
                elif order.day is None:
                    order.day, order.minor = day, amount
            case OrderRefunded():
                if event.currency == self._currency and event.refund_id not in order.refunded:
                    order.refunded[event.refund_id] = event.refund_minor
                    order.refund_days.append(day)
            case OrderState():
                if event.currency != self._currency:
                    self.left_out[f"orders in {event.currency} without base_total_minor"] += 1
                elif event.revision > order.revision and event.status != "open":
                    order.revision, order.minor = event.revision, event.total_minor
                    order.day = day if order.day is None else min(order.day, day)
                    order.refunded = {"": event.refunded_minor} if event.refunded_minor else {}
                    order.cancelled = event.status == "cancelled"
            case OrderCancelled():
                order.cancelled = True


def _customer(person: _Person) -> Customer:
    spend: dict[int, int] = {}
    orders: Counter[int] = Counter()
    refunds: set[int] = set()
    for order in person.orders.values():
        refunds.update(order.refund_days)
        if order.kept and order.day is not None:
            spend[order.day] = spend.get(order.day, 0) + order.remains
            orders[order.day] += 1
    days = sorted(spend)
    return Customer(
        days=days,
        minor=[spend[day] for day in days],
        orders=[orders[day] for day in days],
        visits=sorted(person.visits),
        tickets=sorted(person.tickets),
        ratings=sorted(person.ratings),
        refunds=sorted(refunds),
    )
