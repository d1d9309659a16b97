"""The days of the made-up shop: from days since its opening, in fractions, to instants with busy and quiet hours."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date

from schemas.clock import MS_PER_DAY
from streams.calendar import Calendar


class Hours:
    """How a day's events spread over its hours. Monotone: what comes first in fractions comes first on the clock."""

    def __init__(self, opens: int, weights: Sequence[int]) -> None:
        """A weight for each hour from `opens` on."""
        self._opens, self._weights, self._before = opens, weights, [0]
        for weight in weights:
            self._before.append(self._before[-1] + weight)

    def of(self, fraction: float) -> float:
        """The share of the day that has passed when so much of its activity has: the inverse of the activity's sum."""
        reached = fraction * self._before[-1]
        hour = bisect_right(self._before, reached) - 1
        return (self._opens + hour + (reached - self._before[hour]) / self._weights[hour]) / 24.0


ONLINE = Hours(0, (4, 2, 1, 1, 1, 2, 4, 6, 8, 9, 10, 11, 12, 11, 10, 10, 10, 11, 13, 16, 19, 20, 15, 8))
"""The site is busiest in the evening and at noon."""
STORE = Hours(10, (4, 6, 8, 8, 7, 7, 8, 10, 11, 8))
"""Stores are open from 10 to 20."""


class ShopTime:
    """Days 0 to `days` in a time zone, day 0 being `start`, such as `2026-01-01`."""

    def __init__(self, start: str, days: int, zone: str) -> None:
        """Raise ValueError for a date or a zone that is none."""
        calendar, first = Calendar(zone), date.fromisoformat(start).toordinal()
        self.days = days
        self._starts = [calendar.start_of(first + day) for day in range(days + 2)]
        self.begins_at = self._starts[0]
        """Epoch milliseconds."""
        self.ends_at = self._starts[days]

    def instant(self, at: float, hours: Hours) -> int:
        """Epoch milliseconds of a day and fraction, 0 <= at < days + 1."""
        day = int(at)
        begin = self._starts[day]
        return begin + int(hours.of(at - day) * (self._starts[day + 1] - begin))

    def start_of(self, day: int) -> int:
        """Local midnight, epoch milliseconds."""
        return self._starts[day]

    def day_of(self, instant: int) -> float:
        """About the inverse of `instant`, at even hours."""
        return (instant - self.begins_at) / MS_PER_DAY
