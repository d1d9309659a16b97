"""From which day on a window counts, as of a moment, and when that day next moves by time alone."""

from streams.policy.windows import (
    MONTHS_PER_YEAR,
    Window,
    last_anniversary,
    months_later,
    next_period,
    period_start,
)
from streams.standing.moment import FOREVER, Moment


def first_day(window: Window, moment: Moment) -> int | None:
    """The first day that counts; None: all days do."""
    match window.kind:
        case "lifetime":
            return None
        case "days":
            return moment.day - window.days + 1
        case "membership-year":
            return last_anniversary(moment.joined(), moment.day)
        case "since-change":
            return moment.calendar.day_of(moment.since) + 1 if moment.since else None
        case _:
            return period_start(window, moment.day)


def next_reset(window: Window, moment: Moment) -> int:
    """The instant at which a window that is not rolling begins anew; FOREVER for those that never do."""
    match window.kind:
        case "lifetime" | "since-change" | "days":
            return FOREVER
        case "membership-year":
            anchor = moment.joined()
            day = months_later(last_anniversary(anchor, moment.day), MONTHS_PER_YEAR)
            return moment.calendar.start_of(day)
        case _:
            return moment.calendar.start_of(next_period(window, moment.day))


def next_leaving(window: Window, moment: Moment, first_logged: int | None) -> int:
    """The instant at which the earliest logged day leaves a window; `first_logged` is None if nothing lies in it."""
    if first_logged is None:
        return FOREVER
    if window.kind == "days":
        return moment.calendar.start_of(first_logged + window.days)
    return next_reset(window, moment)
