"""The clocks of ladders: when a tier is reviewed, and until when it holds whatever happens.

Time is counted in whole local days: a tier reached on 10 March that holds for twelve months holds until the next
10 March begins.
"""

from streams.calendar import Calendar
from streams.policy.model import Ladder
from streams.policy.windows import (
    MONTHS_PER_YEAR,
    Window,
    last_anniversary,
    months_later,
    next_period,
    period_start,
)
from streams.standing.moment import Moment


def next_review(ladder: Ladder, moment: Moment, since: int, not_before: int) -> int:
    """The first review after the moment that is not before an instant, of a tier reached at `since`; 0: no clock."""
    if ladder.clock == "continuous":
        return 0
    calendar, day = moment.calendar, moment.day
    while True:
        day = _next_boundary(ladder, moment, since, day)
        at = calendar.start_of(day)
        if at > moment.at and at >= not_before:
            return at


def held_until(ladder: Ladder, moment: Moment) -> int:
    """Until when a tier that is reached at the moment holds at least; 0 if the ladder promises nothing."""
    validity, calendar = ladder.validity, moment.calendar
    if validity is None:
        return 0
    if validity.periods:
        day = moment.day
        for _ in range(validity.periods):
            day = _next_boundary(ladder, moment, moment.at, day)
        return calendar.start_of(day)
    return calendar.start_of(
        months_later(moment.day, validity.months) if validity.months else moment.day + validity.days
    )


def days_later(calendar: Calendar, at: int, days: int) -> int:
    """`days` local days after an instant, as far into its day: a grace period from midnight ends at midnight."""
    day = calendar.day_of(at)
    return calendar.start_of(day + days) + at - calendar.start_of(day)


def period_began(ladder: Ladder, moment: Moment, since: int) -> int:
    """The first day of the period of the ladder's clock that contains the moment."""
    if ladder.clock == "anniversary":
        return last_anniversary(_anchor(ladder, moment, since), moment.day)
    return period_start(_period(ladder), moment.day)


def _next_boundary(ladder: Ladder, moment: Moment, since: int, day: int) -> int:
    """The first day after `day` with which a period of the ladder's clock begins."""
    if ladder.clock != "anniversary":
        return next_period(_period(ladder), day)
    anchor = _anchor(ladder, moment, since)
    last = last_anniversary(anchor, max(day, anchor))
    years = (last - anchor + 200) // 365 + 1
    found = months_later(anchor, MONTHS_PER_YEAR * years)
    return found if found > day else months_later(anchor, MONTHS_PER_YEAR * (years + 1))


def _anchor(ladder: Ladder, moment: Moment, since: int) -> int:
    """The day whose returns are the anniversaries."""
    return moment.joined() if ladder.anniversary_of == "membership" else moment.calendar.day_of(since)


def _period(ladder: Ladder) -> Window:
    if ladder.clock != "fixed-year":
        return Window("calendar-year")
    month, day = ladder.year_start
    return Window("fixed-year", month=month, day=day)
