"""Gauges of what does not add up: days since something, categories, memberships, overrides, traits."""

from collections.abc import Callable

from streams.customer import facts
from streams.customer.standing import NO_RANK
from streams.customer.state import NEVER
from streams.policy.windows import Window
from streams.standing.gauge import Gauge, Value
from streams.standing.moment import FOREVER, Moment
from streams.standing.spans import first_day, next_leaving


class DaysSince(Gauge):
    """Local days since a day that stands still while nothing happens."""

    __slots__ = ("_day",)

    def __init__(self, day: Callable[[Moment], int | None]) -> None:
        self._day = day

    def value(self, moment: Moment) -> int | None:
        day = self._day(moment)
        return None if day is None else moment.day - day

    def next_change(self, moment: Moment) -> int:
        return FOREVER if self._day(moment) is None else moment.calendar.start_of(moment.day + 1)

    def passes(self, moment: Moment, threshold: int) -> list[int]:
        """The instants at which the value reaches the threshold, and at which it exceeds it."""
        day = self._day(moment)
        if day is None:
            return []
        return [moment.calendar.start_of(day + threshold), moment.calendar.start_of(day + threshold + 1)]


class Categories(Gauge):
    """How many categories were bought from within a window."""

    __slots__ = ("_window",)

    def __init__(self, window: Window) -> None:
        self._window = window

    def value(self, moment: Moment) -> int:
        return facts.categories_since(moment.state, first_day(self._window, moment))

    def next_change(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None:
            return FOREVER
        inside = [last for _, last in moment.state.categories.values() if last >= first]
        return next_leaving(self._window, moment, min(inside, default=None))


class Membership(Gauge):
    """Whether a membership runs."""

    __slots__ = ("_programme",)

    def __init__(self, programme: str) -> None:
        self._programme = programme

    def value(self, moment: Moment) -> bool:
        held = moment.state.memberships.get(self._programme)
        return held is not None and held[0] <= moment.at < held[1]

    def next_change(self, moment: Moment) -> int:
        held = moment.state.memberships.get(self._programme, ())
        return min((at for at in held if moment.at < at < NEVER), default=FOREVER)


class Override(Gauge):
    """Whether a tier set by hand is in force on a ladder."""

    __slots__ = ("_ladder",)

    def __init__(self, ladder: int) -> None:
        self._ladder = ladder

    def value(self, moment: Moment) -> bool:
        hand = moment.state.ladders[self._ladder].hand
        return hand is not None and hand.override != NO_RANK and moment.at < hand.override_until

    def next_change(self, moment: Moment) -> int:
        hand = moment.state.ladders[self._ladder].hand
        ends = hand is not None and hand.override != NO_RANK and moment.at < hand.override_until < FOREVER
        return hand.override_until if hand is not None and ends else FOREVER


class Constant(Gauge):
    """What only records change."""

    __slots__ = ("_read",)
    constant = True

    def __init__(self, read: Callable[[Moment], Value]) -> None:
        self._read = read

    def value(self, moment: Moment) -> Value:
        return self._read(moment)
