"""The simulated part of the demo is labelled, repeatable and plausible."""

from collections import Counter

import msgspec

from agents.demo.cdnow import ENDS_AT, Purchase, read_purchases
from agents.demo.simulation import SOURCE, simulate
from schemas.clock import MS_PER_DAY, parse_instant
from schemas.events import BrowseActivity, InputEvent, type_of

PURCHASES = read_purchases()[:8_000]


def test_one_seed_gives_one_simulation() -> None:
    """The demo's events are the same on every run; another seed gives others."""
    once = msgspec.json.encode(list(simulate(PURCHASES)))
    assert once == msgspec.json.encode(list(simulate(PURCHASES)))
    assert once != msgspec.json.encode(list(simulate(PURCHASES, seed=2)))


def test_every_simulated_event_says_so() -> None:
    """In its source and in its id, and no id occurs twice."""
    events = list(simulate(PURCHASES))
    assert {event.source for event in events} == {SOURCE}
    assert all(event.id.startswith("simulated-") for event in events)
    assert len({event.id for event in events}) == len(events)


def test_the_volume_is_that_of_a_shop() -> None:
    """Two to four visits' events per order, a ticket for a few in a hundred orders."""
    counts = Counter(type_of(event) for event in simulate(PURCHASES))
    assert 2 <= counts["browse.activity"] / len(PURCHASES) <= 4
    assert 0.01 <= counts["support.ticket_created"] / len(PURCHASES) <= 0.05
    assert counts["support.ticket_solved"] <= counts["support.ticket_created"]
    assert counts["support.satisfaction_rated"] <= counts["support.ticket_solved"]


def test_nothing_happens_after_the_end_of_the_data() -> None:
    """Purchases of the last days have no visits or tickets beyond the closing of the clock."""
    first = Purchase(1, "00001", ENDS_AT - 30 * MS_PER_DAY, 100)
    last = [first, *(Purchase(row, "00001", ENDS_AT - 1, 100) for row in range(2, 2_000))]
    assert all(parse_instant(event.time) < ENDS_AT for event in simulate(last))


def test_simulated_events_keep_the_contract() -> None:
    """Each decodes as the type that it was made as."""
    for event in simulate(PURCHASES[:500]):
        assert msgspec.json.decode(msgspec.json.encode(event), type=InputEvent) == event


def test_whoever_is_still_there_looks_more_often() -> None:
    """Customers who bought of late visit more, between their orders, than those who have not for a year."""
    by_customer: dict[str, list[Purchase]] = {}
    for purchase in PURCHASES:
        by_customer.setdefault(purchase.customer_id, []).append(purchase)
    last_of = {customer: purchases[-1].occurred_at for customer, purchases in by_customer.items()}
    late = ENDS_AT - 90 * MS_PER_DAY
    recent = {customer for customer, last in last_of.items() if late - 60 * MS_PER_DAY < last < late}
    old = {customer for customer, last in last_of.items() if last < ENDS_AT - 400 * MS_PER_DAY}
    seen = Counter(
        event.customer_id
        for event in simulate(PURCHASES)
        if isinstance(event, BrowseActivity) and parse_instant(event.time) > late
    )
    means = [sum(seen[customer] for customer in group) / len(group) for group in (recent, old)]
    assert means[0] > 1.5 * means[1]
