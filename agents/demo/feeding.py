"""The demo's events in order of time, fed on the event clock: as fast as it goes, or at a pace for eyes."""

from collections.abc import Callable, Iterator, Sequence

from agents.demo.cdnow import ENDS_AT, order_events, read_purchases
from agents.demo.simulation import simulate, whole_shop
from agents.feed import at_speed, feed_in_time
from agents.feed_file import Ready, ready
from agents.settings import Settings
from schemas.events import InputEvent, OrderCompleted
from schemas.journal import encode_journal

FEED_ID = "tierstream-demo"
TOLD_EVERY = 1_000


def demo_events(*, purchases_only: bool, simulated_customers: int = 0) -> list[InputEvent]:
    """Everything that is fed, in (time, id) order; with simulated customers these alone, and none that is real."""
    if simulated_customers:
        events = list(whole_shop(simulated_customers))
        if purchases_only:
            events = [event for event in events if isinstance(event, OrderCompleted)]
    else:
        purchases = read_purchases()
        events = list[InputEvent](order_events(purchases))
        if not purchases_only:
            events.extend(simulate(purchases))
    events.sort(key=lambda event: (event.time, event.id))
    return events


def feed(
    settings: Settings, events: Sequence[InputEvent], *, days_per_s: float | None, told: Callable[[int], None]
) -> None:
    """Send the events, the clock's daily advance and its end; not faster than so many simulated days per second.

    `told` is called now and then with how many events were sent; what it raises ends the feeding.
    """
    flow: Iterator[Ready] = (ready(event, encode_journal(event)) for event in events)
    sent = 0

    def count(_event: Ready) -> None:
        nonlocal sent
        sent += 1
        if sent % every == 0:
            told(sent)

    every = TOLD_EVERY
    if days_per_s is not None:
        flow, every = at_speed(flow, days_per_s), 1
    feed_in_time(settings, flow, feed_id=FEED_ID, until=ENDS_AT, told=count)
    told(sent)
