"""Local days of one time zone: which day an instant belongs to, and when a day begins.

Days are proleptic Gregorian ordinals (`date.toordinal()`), instants are epoch milliseconds. The rules of time come from
the locked `tzdata` package alone, never from the machine, so that the same journal has the same days everywhere.

A day is what lies between two `start_of`, so days never run backwards, whatever the clock on the wall does:
it begins at local midnight; where midnight is skipped, at the first instant after; where the clock passes midnight,
falls back across it and passes it again, at the last time. A date that a zone skipped whole begins with its successor.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from schemas.clock import MS_PER_DAY

QUARTER_HOUR_MS = 900_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# After it every day has 24 hours, so that no window can run out of the calendar that Python knows.
LAST_CIVIL_DAY = date(9999, 12, 30).toordinal()
# Half a year of quarter hours and twenty years of days: beyond it the caches start again.
CACHED_QUARTERS_MAX = 17_568
CACHED_DAYS_MAX = 7_305


@cache
def zone_names() -> frozenset[str]:
    """Return every IANA time zone name that a calendar can be made for."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split())


def rules_of(zone: str) -> ZoneInfo:
    """Return the rules of an IANA zone, from the locked package; ValueError for a name not in `zone_names()`."""
    if zone not in zone_names():
        raise ValueError(f"no IANA time zone is called {zone!r}")
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=zone)


class Calendar:
    """The local days of one IANA zone; pure: what it remembers, it could compute again. Covers years 1 to 9999."""

    __slots__ = ("_day_of_quarter", "_last_day", "_last_end", "_last_start", "_start_of_day", "_zone", "zone")

    def __init__(self, zone: str) -> None:
        """Raise ValueError for a name that is not in `zone_names()`."""
        self.zone = zone
        self._zone = rules_of(zone)
        self._day_of_quarter: dict[int, int] = {}
        self._start_of_day: dict[int, int] = {}
        self._last_day = self._last_start = self._last_end = 0

    def day_of(self, instant_ms: int) -> int:
        """Return the local day that contains the instant."""
        if self._last_start <= instant_ms < self._last_end:  # a journal's records are mostly of the same day
            return self._last_day
        day = self._day_of_quarter.get(instant_ms // QUARTER_HOUR_MS)
        if day is None:
            day = self._find_day(instant_ms)
        self._last_day, self._last_start, self._last_end = day, self.start_of(day), self.start_of(day + 1)
        return day

    def start_of(self, day: int) -> int:
        """Return the first millisecond of a local day."""
        start_ms = self._start_of_day.get(day)
        return self._find_start(day) if start_ms is None else start_ms

    def _find_day(self, instant_ms: int) -> int:
        """Compute `day_of`, and remember it if the whole quarter hour lies in that day."""
        wall_day = self._wall_day(instant_ms)
        while self.start_of(wall_day) > instant_ms:
            wall_day -= 1
        while self.start_of(wall_day + 1) <= instant_ms:
            wall_day += 1
        quarter = instant_ms // QUARTER_HOUR_MS
        begins_ms = quarter * QUARTER_HOUR_MS
        if self.start_of(wall_day) <= begins_ms and begins_ms + QUARTER_HOUR_MS <= self.start_of(wall_day + 1):
            if len(self._day_of_quarter) >= CACHED_QUARTERS_MAX:
                self._day_of_quarter.clear()
            self._day_of_quarter[quarter] = wall_day
        return wall_day

    def _find_start(self, day: int) -> int:
        if day > LAST_CIVIL_DAY:
            return self.start_of(LAST_CIVIL_DAY) + (day - LAST_CIVIL_DAY) * MS_PER_DAY
        start_ms = self._first_instant(day)
        if len(self._start_of_day) >= CACHED_DAYS_MAX:
            self._start_of_day.clear()
        self._start_of_day[day] = start_ms
        return start_ms

    def _first_instant(self, day: int) -> int:
        """Read midnight with the offsets before and after a change (PEP 495); they differ only if it falls into one."""
        midnight = datetime.fromordinal(day).replace(tzinfo=self._zone)
        before_ms = _epoch_ms(midnight)
        after_ms = _epoch_ms(midnight.replace(fold=1))
        if before_ms <= after_ms:  # once, or twice: the second counts if the date fell back in between
            return after_ms if self._wall_day(after_ms - 1) < day else before_ms
        low_ms, high_ms = after_ms - 1, before_ms  # skipped: the change lies between, before it is the day before
        while high_ms - low_ms > 1:
            middle_ms = (low_ms + high_ms) // 2
            if self._wall_day(middle_ms) >= day:
                high_ms = middle_ms
            else:
                low_ms = middle_ms
        return high_ms

    def _wall_day(self, instant_ms: int) -> int:
        """Return the date that a clock on the wall shows."""
        if instant_ms >= LAST_CIVIL_DAY_MS:
            return LAST_CIVIL_DAY + (instant_ms - LAST_CIVIL_DAY_MS) // MS_PER_DAY
        return (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(self._zone).toordinal()


def _epoch_ms(local: datetime) -> int:
    return (local - EPOCH) // timedelta(milliseconds=1)


LAST_CIVIL_DAY_MS = _epoch_ms(datetime.fromordinal(LAST_CIVIL_DAY).replace(tzinfo=UTC))
