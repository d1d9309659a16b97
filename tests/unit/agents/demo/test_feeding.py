"""The demo's events are in the order that the event clock needs."""

from agents.demo.cdnow import BEGINS_AT, ENDS_AT, ROWS
from agents.demo.feeding import demo_events
from agents.demo.simulation import whole_shop
from schemas.clock import parse_instant
from schemas.events import OrderCompleted


def test_everything_is_in_order_of_time_then_id() -> None:
    """Purchases and what is simulated, in one sequence."""
    events = demo_events(purchases_only=False)
    assert events == sorted(events, key=lambda event: (event.time, event.id))
    assert sum(isinstance(event, OrderCompleted) for event in events) == ROWS
    assert len({(event.source, event.id) for event in events}) == len(events)


def test_purchases_alone_are_only_purchases() -> None:
    """Nothing simulated is left."""
    assert {type(event) for event in demo_events(purchases_only=True)} == {OrderCompleted}


def test_a_simulated_shop_takes_the_place_of_the_real_purchases() -> None:
    """Its events alone, in order, within the same months; and its orders alone where only purchases are asked for."""
    events = demo_events(purchases_only=False, simulated_customers=40)
    assert events == sorted(whole_shop(40), key=lambda event: (event.time, event.id))
    assert all(BEGINS_AT <= parse_instant(event.time) < ENDS_AT for event in events)
    orders = demo_events(purchases_only=True, simulated_customers=40)
    assert orders == [event for event in events if isinstance(event, OrderCompleted)]
