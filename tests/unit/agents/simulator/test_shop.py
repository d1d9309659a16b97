"""What the customers of a simulated shop send: valid, as asked, in order of arrival, never against the truth."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from math import sqrt
from typing import Any

from agents.simulator.habits import Habits
from agents.simulator.shop import Made, Options, Shop
from schemas.clock import MS_PER_DAY, MS_PER_HOUR, parse_instant
from schemas.cloudevents import decode_input
from schemas.events import (
    BrowseActivity,
    InputEvent,
    Linked,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    SatisfactionRated,
    TicketCreated,
    TicketSolved,
    type_of,
)
from schemas.journal import encode_journal
from tests.contracts.corpus import validator
from tests.unit.agents.simulator.builders import CUSTOMERS, OPTIONS, SIGMAS, events_of, near, orders_of


def test_every_event_is_valid(made: list[Made]) -> None:
    """The reader takes each as what it was made as, and the closed schema that producers are given allows it."""
    for event in events_of(made):
        value = encode_journal(event)
        assert decode_input(value) == event
    for event in events_of(made[:150]):
        message: Any = json.loads(encode_journal(event))
        assert list(validator(f"{type_of(event)}.v1.json").iter_errors(message)) == []


def test_no_id_occurs_twice(made: list[Made]) -> None:
    """Neither an event's nor an order's."""
    events = events_of(made)
    assert len({event.id for event in events}) == len(events)
    orders = [event.order_id for event in events if isinstance(event, OrderCompleted)]
    assert len(set(orders)) == len(orders)


def test_everything_happens_within_the_days_and_arrives_after_it_happened(shop: Shop, made: list[Made]) -> None:
    """The instants are those that the events name."""
    for customer in made:
        for arrived_at, occurred_at, event in customer.happenings:
            assert parse_instant(event.time) == occurred_at <= arrived_at
            assert shop.time.begins_at <= occurred_at < shop.time.ends_at
        arrivals = [happening.arrived_at for happening in customer.happenings]
        assert arrivals == sorted(arrivals)


def test_a_customer_is_the_same_however_many_there_are() -> None:
    """Alone, or one of very many: only the seed changes them."""
    alone = Shop(Options(customers=7, seed=11)).customer(7)
    among = Shop(Options(customers=1_000_000, seed=11)).customer(7)
    assert alone == among
    assert Shop(Options(customers=7, seed=12)).customer(7) != alone


def test_without_visits_the_orders_are_the_same() -> None:
    """Each layer has dice of its own."""
    some = Shop(Options(seed=3))
    none = Shop(Options(seed=3, habits=Habits(visits_per_week=0.0, wandering=0.0, checkouts=0.0, refunds=0.0)))
    for number in range(1, 100):
        orders = [
            [happening for happening in shop.customer(number).happenings if isinstance(happening.event, OrderCompleted)]
            for shop in (some, none)
        ]
        assert orders[0] == orders[1]


def test_the_mix_is_as_asked(made: list[Made]) -> None:
    """Each share within its standard errors."""
    habits, events = OPTIONS.habits, events_of(made)
    counts = Counter(type(event) for event in events)
    orders = [event for event in events if isinstance(event, OrderCompleted)]
    online = [order for order in orders if order.channel_type == "online"]
    early = [order for order in orders if order.time < "2026-12-01"]  # time enough for what follows them
    followed = {event.order_id for event in events if isinstance(event, OrderRefunded)}
    paid_back = sum(order.order_id in followed for order in early)
    tickets = sum(customer.truth.tickets for customer in made)
    assert near(sum(customer.truth.prefers == "offline" for customer in made), CUSTOMERS, habits.offline)
    assert near(sum(order.coupon != "" for order in orders), len(orders), habits.coupons)
    assert near(counts[OrderCancelled], len(online), habits.cancellations)
    assert near(paid_back, len(early), habits.refunds * 0.985)  # some were cancelled before
    assert near(tickets, len(orders), habits.tickets)
    assert near(counts[TicketSolved], counts[TicketCreated], habits.solved)
    assert near(counts[SatisfactionRated], counts[TicketSolved], habits.rated)
    first_online = [c for c in made if next(o for o in orders_of(c)).channel_type == "online"]
    assert near(sum(c.truth.anonymous_id is not None for c in made), len(first_online), habits.anonymous)


def test_zeros_switch_kinds_off() -> None:
    habits = Habits(
        offline=0, visits_per_week=0, gone_visits_per_week=0, wandering=0, checkouts=0, anonymous=0, tickets=0,
        refunds=0, cancellations=0, coupons=0, late=0,
    )  # fmt: skip
    plain = Shop(Options(habits=habits))
    counts = Counter(type_of(event) for event in events_of(plain.customer(number) for number in range(1, 300)))
    assert set(counts) == {"order.completed", "identity.identified", "consent.updated"}


def test_a_device_acts_until_its_customer_is_known(made: list[Made]) -> None:
    """Anonymous visits, then the link, then the customer; whoever was always known has no device."""
    unknown = [customer for customer in made if customer.truth.anonymous_id]
    for customer in unknown:
        (linked,) = [event for event in events_of([customer]) if isinstance(event, Linked)]
        assert (linked.customer_id, linked.anonymous_id) == (customer.truth.customer_id, customer.truth.anonymous_id)
        for event in events_of([customer]):
            if event.time < linked.time:
                assert isinstance(event, BrowseActivity)
                assert (event.customer_id, event.anonymous_id) == ("", customer.truth.anonymous_id)
            else:
                assert event.customer_id == customer.truth.customer_id
    assert sum(event.customer_id == "" for event in events_of(unknown)) > len(unknown)
    known = events_of(customer for customer in made if not customer.truth.anonymous_id)
    assert all(event.customer_id and not event.anonymous_id for event in known)


def test_browsing_thins_out_when_a_customer_has_left(shop: Shop, made: list[Made]) -> None:
    """Visits a week: those of the alive and of the gone are as the habits say, those around orders left aside."""
    hours, visits = Counter[bool](), Counter[bool]()
    for customer in made:
        left_at = customer.truth.left_at
        left = parse_instant(left_at) if left_at else shop.time.ends_at
        last = parse_instant(orders_of(customer)[-1].time)
        begins = dict[str, int]()
        for _, occurred_at, event in customer.happenings:
            if isinstance(event, BrowseActivity):
                begins[event.session_id] = min(occurred_at, begins.get(event.session_id, occurred_at))
        for gone, begin, end in ((False, last + MS_PER_DAY, left), (True, left + MS_PER_DAY, shop.time.ends_at)):
            if end > begin:
                hours[gone] += (end - begin) // MS_PER_HOUR
                visits[gone] += sum(begin <= at < end for at in begins.values())
    for gone, rate in ((False, OPTIONS.habits.visits_per_week), (True, OPTIONS.habits.gone_visits_per_week)):
        expected = hours[gone] / 168 * rate
        assert abs(visits[gone] - expected) < SIGMAS * sqrt(expected)


def test_an_online_order_has_steps_that_lead_to_it(made: list[Made]) -> None:
    """Within the hour before it, of the product that was bought."""
    for customer in made[:300]:
        steps = [event for event in events_of([customer]) if isinstance(event, BrowseActivity)]
        for order in orders_of(customer):
            if order.channel_type == "online":
                at = parse_instant(order.time)
                before = [s for s in steps if 0 < at - parse_instant(s.time) <= MS_PER_HOUR]
                products = {line.product_id for line in order.products}
                assert any(s.action == "begin_checkout" and s.product_id in products for s in before)


def test_the_truth_is_in_no_event(made: list[Made]) -> None:
    """Nothing that only the simulator knows has found its way into what is sent."""
    secrets = {"rate_per_week", "leaving", "left_at", "alive_at_end", "prefers", "favourite"}
    text = b"\n".join(encode_journal(event) for event in events_of(made[:200])).decode()
    assert all(f'"{name}"' not in text for name in secrets)


def test_the_truth_agrees_with_what_was_sent(made: list[Made]) -> None:
    """Orders and tickets as counted, nothing bought after leaving, tickets in their order."""
    for customer in made:
        truth, orders = customer.truth, orders_of(customer)
        assert truth.orders == len(orders)
        assert truth.joined_at == orders[0].time
        assert truth.left_at is None or orders[-1].time <= truth.left_at
        assert truth.alive_at_end == (truth.left_at is None)
        steps = defaultdict[str, list[InputEvent]](list)
        for event in sorted(events_of([customer]), key=lambda e: e.time):
            if type_of(event).startswith("support."):
                steps[getattr(event, "ticket_id", "")].append(event)
        assert len(steps) <= truth.tickets
        order_of = ["support.ticket_created", "support.first_response", "support.ticket_solved"]
        order_of.append("support.satisfaction_rated")
        for ticket in steps.values():
            assert [type_of(event) for event in ticket] == order_of[: len(ticket)]
            assert all(left.time < right.time for left, right in pairwise(ticket))
