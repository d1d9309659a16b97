"""Histories to count flaps over: per customer its events as they happened, and the time they cover."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.completejourney import BEGINS_AT, ENDS_AT, read_baskets
from agents.errors import ConfigurationError
from agents.feed_file import open_events
from agents.flaps import WARM_UP_DAYS, Span
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.decoding import decode_input
from schemas.events import InputEvent
from schemas.rejections import Rejected

Lives = Mapping[str, Sequence[InputEvent]]


def of_completejourney() -> tuple[Lives, Span]:
    """All households over the year 2017."""
    lives: dict[str, list[InputEvent]] = defaultdict(list)
    for basket in read_baskets():
        lives[basket.household].append(basket.event)
    return lives, Span(BEGINS_AT + WARM_UP_DAYS * MS_PER_DAY, ENDS_AT)


def of_file(path: Path) -> tuple[Lives, Span]:
    """The customers of a file of events, from its first event to its last; ConfigurationError for a line that is none.

    Lives in memory as a whole.
    """
    lives: dict[str, list[InputEvent]] = defaultdict(list)
    with open_events(path) as events:
        refused, lines = events.in_time_order()
        if refused:
            raise ConfigurationError(
                "The file has lines that are no events.",
                where=f"{path}, line {refused[0].line}",
                why=refused[0].detail,
                next_step=f"tierstream feed {path} names all of them",
            )
        for line in lines:
            event = decode_input(line.value)
            if not isinstance(event, Rejected):
                event.time = format_instant(line.occurred_at)
                lives[line.key.decode()].append(event)
    times = [event.time for events in lives.values() for event in (events[0], events[-1])]
    if not times:
        raise ConfigurationError("The file has no events.", where=str(path))
    begins = parse_instant(min(times)) + WARM_UP_DAYS * MS_PER_DAY
    ends = parse_instant(max(times)) + 1
    if ends <= begins:
        raise ConfigurationError(
            "The history is too short.",
            where=str(path),
            why=f"its first {WARM_UP_DAYS} days fill the windows and are not counted, and it has no more",
        )
    return lives, Span(begins, ends)
