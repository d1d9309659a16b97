"""Orders, what becomes of them, and how stores send theirs."""

from collections import Counter, defaultdict
from math import sqrt

from agents.simulator.shop import Made, Options, Shop
from schemas.clock import MS_PER_DAY, MS_PER_HOUR
from schemas.events import (
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
)
from streams.calendar import Calendar
from tests.unit.agents.simulator.builders import OPTIONS, SIGMAS, ZONE, events_of, near, orders_of


def test_amounts_add_up(made: list[Made]) -> None:
    """Lines to the subtotal, less the discount to the total; a coupon takes a tenth."""
    for event in events_of(made):
        if isinstance(event, OrderCompleted):
            lines = sum((line.price_minor or 0) * line.quantity for line in event.products)
            assert event.subtotal_minor == lines
            assert event.total_minor == lines - (event.discount_minor or 0)
            assert (event.discount_minor is not None) == (event.coupon != "")
            if event.discount_minor is not None:
                assert 0 <= event.discount_minor - lines // 10 <= 1


def test_totals_keep_the_models_mean(made: list[Made]) -> None:
    """Whole prices and coupons do not move the average order."""
    totals = [event.total_minor for event in events_of(made) if isinstance(event, OrderCompleted)]
    means = [customer.truth.mean_order_minor for customer in made for _ in range(customer.truth.orders)]
    differences = [total - mean for total, mean in zip(totals_in_order(made), means, strict=True)]
    assert sum(totals) == sum(totals_in_order(made))
    average = sum(differences) / len(differences)
    spread = sqrt(sum((d - average) ** 2 for d in differences) / (len(differences) - 1))
    assert abs(average) < SIGMAS * spread / sqrt(len(differences))


def totals_in_order(made: list[Made]) -> list[int]:
    return [order.total_minor for customer in made for order in orders_of(customer)]


def test_no_more_goes_back_than_was_paid(made: list[Made]) -> None:
    """In part or in full, after the order, never of a cancelled one; both kinds occur, and some in two parts."""
    orders, taken, times = dict[str, OrderCompleted](), Counter[str](), defaultdict[str, list[str]](list)
    cancelled = set()
    for event in events_of(made):
        match event:
            case OrderCompleted():
                orders[event.order_id] = event
            case OrderRefunded():
                taken[event.order_id] += event.refund_minor
                times[event.order_id].append(event.time)
            case OrderCancelled():
                cancelled.add(event.order_id)
                times[event.order_id].append(event.time)
            case _:
                pass
    assert all(0 < taken[order] <= orders[order].total_minor for order in taken)
    assert not cancelled & taken.keys()
    assert all(orders[order].time < min(later) for order, later in times.items())
    assert {taken[order] == orders[order].total_minor for order in taken} == {True, False}
    assert max(map(len, times.values())) == 2


def test_a_stores_day_arrives_together_and_late(shop: Shop, made: list[Made]) -> None:
    """Hours after closing, or one to three days later for the share that was asked for."""
    calendar, batches = Calendar(ZONE), defaultdict[tuple[str, int], set[int]](set)
    for customer in made:
        for arrived_at, occurred_at, event in customer.happenings:
            if event.channel_type == "offline":
                assert event.channel == "pos"
                batches[event.store_id, calendar.day_of(occurred_at)].add(arrived_at)
            else:
                assert arrived_at == occurred_at
    assert len(batches) > 500
    late = 0
    for (_, day), arrivals in batches.items():
        assert len(arrivals) == 1
        behind = arrivals.pop() - calendar.start_of(day)
        assert 20 * MS_PER_HOUR < behind < 25 * MS_PER_HOUR + 3 * MS_PER_DAY
        late += behind > 26 * MS_PER_HOUR
    assert near(late, len(batches), OPTIONS.habits.late)
    assert shop.options.habits.late > 0


def test_currency_order_value_and_test_mark_are_as_asked() -> None:
    """Yen have no decimals; the prices follow the average order."""
    asked = Shop(Options(currency="JPY", order_value=4_000.0, test=True, seed=2))
    events = events_of(asked.customer(number) for number in range(1, 1_000))
    totals = [event.total_minor for event in events if isinstance(event, OrderCompleted)]
    assert {event.currency for event in events if isinstance(event, OrderCompleted)} == {"JPY"}
    assert all(event.test for event in events)
    assert 3_300 < sum(totals) / len(totals) < 4_800
