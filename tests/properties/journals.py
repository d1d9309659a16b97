"""Lives of customers as hypothesis draws them: events in the order of their arrival, and policies to judge them by.

A life is a list of small numbers, so that shrinking it gives few, early and simple events. Orders come from a small
pool, so that refunds, cancellations, repeats and conflicts meet the orders they speak of, before them and after them.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import (
    BrowseActivity,
    ConsentUpdated,
    ContactChannels,
    Identified,
    InputEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    OrderReturned,
    OrderState,
    Purposes,
    TicketCreated,
    TicketUpdated,
    Traits,
)
from tests.journal import default_policy, policy_of

T = TypeVar("T")
START_MS: Final = 1_761_955_200_000
"""2025-11-01T00:00Z: the day before the clocks go back in New York."""

_SHORT: Final = """
[policy]
name = "short"
[[ladder]]
id = "standing"
grace = "7 days"
keep_ratio = 0.5
[[ladder.tier]]
id = "one"
enter.any = [
  { metric = "orders", window = "90 days", at_least = 1 },
  { metric = "visits", window = "30 days", at_least = 3 },
]
[[ladder.tier]]
id = "two"
enter.all = [
  { metric = "spend", window = "30 days", at_least = "60.00" },
  { metric = "orders", window = "365 days", at_least = 2 },
]
[[ladder.tier]]
id = "three"
enter.all = [
  { metric = "spend", window = "90 days", at_least = "150.00" },
  { metric = "tickets", window = "90 days", at_least = 1 },
]
[churn]
model = "cdnow-1997"
horizon = "30 days"
bands = [{ name = "low", below = 0.9 }, { name = "very_high" }]
"""
_AT_ONCE: Final = """
[policy]
name = "at once"
[[ladder]]
id = "standing"
grace = "0 days"
[[ladder.tier]]
id = "one"
enter.any = [{ metric = "spend", window = "lifetime", at_least = "0.01" }]
[[ladder.tier]]
id = "gold"
enter.any = [{ metric = "spend", window = "30 days", at_least = "50.00" }]
"""
POLICIES: Final = (
    default_policy("USD", "America/New_York"),
    policy_of(_SHORT, "USD", "Asia/Shanghai"),
    policy_of(_AT_ONCE, "USD", "Asia/Beirut"),
)
policies = st.sampled_from(POLICIES)

KINDS: Final = (
    *("order",) * 6,
    *("refund",) * 3,
    *("browse",) * 2,
    "cancel",
    "return",
    "state",
    "ticket",
    "ticket_update",
    "consent",
    "locale",
    "conflict",
)
STATUSES: Final = ("open", "paid", "refunded", "cancelled")
GAPS_MS: Final = (0, 1, 3_600_000, MS_PER_DAY, 9 * MS_PER_DAY, 31 * MS_PER_DAY, 100 * MS_PER_DAY)


class Happening(NamedTuple):
    """One event in small numbers."""

    gap: int
    """Index into GAPS_MS: how long after the one before it arrives."""
    kind: str
    customer: int
    order: int
    """Which order of the customer."""
    amount: int
    late_days: int


class Arrival(NamedTuple):
    """An event and when the broker received it."""

    event: InputEvent
    recorded_at: int


def happenings(*, customers: int = 3, kinds: Iterable[str] = KINDS) -> st.SearchStrategy[Happening]:
    """One event of one of so many customers."""
    return st.builds(
        Happening,
        st.integers(0, len(GAPS_MS) - 1),
        st.sampled_from(tuple(kinds)),
        st.integers(0, customers - 1),
        st.integers(0, 5),
        st.integers(0, 9_000),
        st.sampled_from((0, 0, 0, 0, 1, 29, 30, 89, 200, 364, 365, 399)),
    )


def lives(
    *, customers: int = 3, kinds: Iterable[str] = KINDS, max_size: int = 30
) -> st.SearchStrategy[list[Happening]]:
    """What happens to some customers, in the order of arrival."""
    return long(happenings(customers=customers, kinds=kinds), max_size)


def long(items: st.SearchStrategy[T], max_size: int) -> st.SearchStrategy[list[T]]:
    """Lists of any length, half of them long ones: left alone, hypothesis makes five items on average."""
    return st.lists(items, max_size=max_size // 3) | st.lists(items, min_size=max_size // 3, max_size=max_size)


def arrivals(life: Iterable[Happening]) -> list[Arrival]:
    """The events of a life, each with its own id."""
    now, found = START_MS, []
    for number, happening in enumerate(life):
        now += GAPS_MS[happening.gap]
        found.append(Arrival(event_of(happening, number, now - happening.late_days * MS_PER_DAY), now))
    return found


def event_of(happening: Happening, number: int, occurred_at: int) -> InputEvent:
    """The event of a happening; of an order, currency and total follow from its number alone."""
    kind, order = happening.kind, happening.order
    who, event_id, time = f"c{happening.customer}", f"e{number}", format_instant(occurred_at)
    order_id = f"o{order}"
    currency = "EUR" if order == 1 else "USD"
    match kind:
        case "order" | "conflict":
            total = (0, 3_333, 4_000, 5_000, 10_000, 26_000)[order] + (1 if kind == "conflict" else 0)
            return OrderCompleted(
                id=event_id,
                time=time,
                customer_id=who,
                channel=("web", "pos", "")[order % 3],
                order_id=order_id,
                currency=currency,
                total_minor=total,
                base_total_minor=total * 11 // 10 if currency == "EUR" else None,
            )
        case "refund":
            return OrderRefunded(
                id=event_id,
                time=time,
                customer_id=who,
                order_id=order_id,
                refund_id=f"r{happening.amount % 4}",
                currency=currency,
                refund_minor=happening.amount,
            )
        case "cancel":
            return OrderCancelled(id=event_id, time=time, customer_id=who, order_id=order_id)
        case "return":
            return OrderReturned(id=event_id, time=time, customer_id=who, order_id=order_id, return_id="b")
        case "state":
            return OrderState(
                id=event_id,
                time=time,
                customer_id=who,
                order_id=f"s{order % 2}",
                status=STATUSES[happening.amount % 4],
                currency="USD",
                total_minor=6_000,
                refunded_minor=happening.amount % 3 * 1_000,
                revision=happening.amount % 5,
            )
        case _:
            return _other(kind, who, event_id, time)


def _other(kind: str, who: str, event_id: str, time: str) -> InputEvent:
    """An event that moves no money."""
    match kind:
        case "browse":
            return BrowseActivity(id=event_id, time=time, customer_id=who, action="page_view")
        case "ticket":
            return TicketCreated(id=event_id, time=time, customer_id=who, ticket_id="t", status="new")
        case "ticket_update":
            return TicketUpdated(id=event_id, time=time, customer_id=who, ticket_id="t", status="open")
        case "consent":
            channels = ContactChannels(email=True)
            return ConsentUpdated(id=event_id, time=time, customer_id=who, purposes=Purposes(), channels=channels)
        case _:
            return Identified(id=event_id, time=time, customer_id=who, traits=Traits(locale="de-DE"))
