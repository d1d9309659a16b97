"""The demo's events in order of time, as fast as it goes or at a pace for eyes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from agents.demo.cdnow import BEGINS_AT, ENDS_AT, order_events, read_purchases
from agents.demo.simulation import simulate
from agents.kafka_clients import producer
from agents.settings import EVENT_CLOCK_TOPIC, Settings
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import InputEvent
from schemas.journal import ClockAdvanced, ClockClosed, control_key, encode_journal

SLICE_MS = MS_PER_DAY // 24
"""Paced by the simulated hour: by whole days, the screen would stand still and jump."""


def demo_events(*, purchases_only: bool) -> list[InputEvent]:
    """Everything that is fed, in (time, id) order."""
    purchases = read_purchases()
    events: list[InputEvent] = list(order_events(purchases))
    if not purchases_only:
        events.extend(simulate(purchases))
    events.sort(key=lambda event: (event.time, event.id))
    return events


def paced(
    events: Sequence[InputEvent], days_per_s: float, wait: Callable[[float], object], clock: Callable[[], float]
) -> Iterator[InputEvent]:
    """The same events, each not before its simulated time has come.

    `wait` is given the seconds to let pass; `clock` is a monotonic clock in seconds.
    """
    started, slices = clock(), 0
    seconds_per_slice = SLICE_MS / MS_PER_DAY / days_per_s
    for event in events:
        reached = (parse_instant(event.time) - BEGINS_AT) // SLICE_MS
        if reached > slices:
            slices = reached
            ahead_s = started + slices * seconds_per_slice - clock()
            if ahead_s > 0:
                wait(ahead_s)
        yield event


def send_all(settings: Settings, events: Iterable[InputEvent], told: Callable[[int], None]) -> None:
    """Send the events to the import topic, the clock's daily advance between them and its end after them.

    `told` is called with the number of events sent so far, once per simulated day; what it raises ends the feeding.
    """
    topic, partitions = settings.topic(EVENT_CLOCK_TOPIC), settings.kafka.partitions
    with producer(settings, linger_ms=20, batch_size=131_072, max_block_ms=120_000) as writer:

        def mark(record: ClockAdvanced | ClockClosed) -> None:
            for number in range(partitions):
                writer.send(topic, encode_journal(record), key=control_key(record), partition=number)

        midnight, count = BEGINS_AT + MS_PER_DAY, 0
        for count, event in enumerate(events, 1):
            while parse_instant(event.time) >= midnight:
                mark(ClockAdvanced(instant=format_instant(midnight)))
                told(count - 1)
                midnight += MS_PER_DAY
            writer.send(topic, encode_journal(event), key=event.customer_id.encode())
        mark(ClockClosed(instant=format_instant(ENDS_AT)))
        writer.flush()
        told(count)
