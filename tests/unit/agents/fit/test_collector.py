"""From events to histories."""

from typing import Any

from agents.fit.collector import Collector
from agents.fit.histories import Histories, TicketWord
from schemas.cloudevents import decode_input
from schemas.rejections import Rejected
from streams.calendar import Calendar

DAY_1 = 20_454  # 2026-01-01


def collected(*events: dict[str, Any], zone: str = "UTC") -> Histories:
    """Histories of events of which only what matters is given; the last day is one more."""
    import json

    collector = Collector("shop", "EUR", Calendar(zone))
    last = {"type": "browse.activity", "action": "page_view", "time": "2026-12-31T00:00:00Z", "customer_id": "z"}
    for number, event in enumerate([*events, last]):
        whole = {"id": f"e{number}", "time": "2026-01-01T12:00:00Z", "customer_id": "c", **event}
        decoded = decode_input(json.dumps(whole).encode())
        assert not isinstance(decoded, Rejected), decoded
        collector.add(decoded)
    return collector.histories()


def order(number: str, day: int = 1, total: int = 1_000, **more: object) -> dict[str, Any]:
    """An order on a day of January."""
    return {
        "type": "order.completed",
        "time": f"2026-01-{day:02}T12:00:00Z",
        "order_id": number,
        "currency": "EUR",
        "total_minor": total,
        **more,
    }


def test_orders_of_one_day_are_one_purchase_day() -> None:
    """Their spend adds up; a repeated order counts once."""
    [customer] = collected(order("a"), order("b"), order("b"), order("c", 3, 0)).customers

    assert customer.days == [DAY_1, DAY_1 + 2]
    assert customer.minor == [2_000, 0]


def test_what_was_taken_back_is_no_purchase() -> None:
    """Cancelled, refunded wholly, or in part; whatever comes first."""
    refund = {"type": "order.refunded", "refund_id": "r", "currency": "EUR", "time": "2026-02-01T00:00:00Z"}
    [customer] = collected(
        {**refund, "order_id": "late", "refund_minor": 1_000},
        order("late"),
        order("part", 5),
        {**refund, "order_id": "part", "refund_minor": 400},
        order("off", 9),
        {"type": "order.cancelled", "order_id": "off"},
    ).customers

    assert customer.days == [DAY_1 + 4]
    assert customer.minor == [600]
    assert customer.refunds == [DAY_1 + 31]


def test_the_newest_state_of_an_order_counts() -> None:
    """An older revision changes nothing, an open order is none yet."""
    state = {"type": "order.state", "order_id": "a", "currency": "EUR", "refunded_minor": 0}
    [customer] = collected(
        {**state, "status": "open", "revision": 1, "total_minor": 700},
        {**state, "status": "paid", "revision": 3, "total_minor": 900, "time": "2026-01-02T00:00:00Z"},
        {**state, "status": "cancelled", "revision": 2, "total_minor": 900},
    ).customers

    assert (customer.days, customer.minor) == ([DAY_1 + 1], [900])


def test_days_are_those_of_the_zone() -> None:
    """Half past eleven at night in London is the next day in Shanghai."""
    late = order("a", time="2026-01-01T23:30:00Z")

    assert collected(late).customers[0].days == [DAY_1]
    assert collected(late, zone="Asia/Shanghai").customers[0].days == [DAY_1 + 1]


def test_visits_tickets_and_ratings_are_kept_by_day() -> None:
    """A good rating is none that matters; a ticket is known by its id."""
    ticket = {"ticket_id": "t", "status": "open"}
    [customer] = collected(
        order("a"),
        {"type": "browse.activity", "action": "search"},
        {"type": "browse.activity", "action": "page_view"},
        {"type": "support.ticket_created", **ticket},
        {"type": "support.ticket_solved", **ticket, "status": "solved", "time": "2026-01-04T00:00:00Z"},
        {"type": "review.submitted", "rating": 2, "scale_max": 5},
        {"type": "review.submitted", "rating": 3, "scale_max": 5, "time": "2026-01-09T00:00:00Z"},
    ).customers

    assert customer.visits == [DAY_1]
    assert customer.ratings == [DAY_1]
    [opened, solved] = customer.tickets
    assert opened.hash == solved.hash
    assert (opened, solved) == (
        TicketWord(DAY_1, opened.hash, solved=False),
        TicketWord(DAY_1 + 3, opened.hash, solved=True),
    )


def test_what_cannot_be_used_is_counted() -> None:
    """Test customers, unknown visitors, foreign money."""
    found = collected(
        order("a", test=True),
        {"type": "browse.activity", "action": "search", "customer_id": "", "anonymous_id": "x"},
        order("b", currency="USD"),
        order("c", 2, currency="USD", base_total_minor=900),
    )

    assert found.left_out == {
        "orders in USD without base_total_minor": 1,
        "test customers": 1,
        "visitors nobody knows": 1,
    }
    assert found.customers[0].minor == [900]
    assert (found.first_day, found.last_day) == (DAY_1 + 1, DAY_1 + 363)
