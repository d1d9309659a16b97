"""The demo's events are in the order that the event clock needs."""

from agents.demo.cdnow import ROWS
from agents.demo.feeding import demo_events
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
