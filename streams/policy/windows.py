"""Windows: which local days a metric looks at, as of a day.

A rolling window of N days ends with the day and reaches N days back. A calendar window begins with its period (year,
quarter, month, or a year of one's own such as 1 March to end of February). A membership year begins on the anniversary
of the day on which the customer joined. `since last change` begins on the day after the last change on the ladder.
"""

import re
from datetime import date
from typing import Final, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "lifetime",
    "days",
    "calendar-year",
    "calendar-quarter",
    "calendar-month",
    "fixed-year",
    "membership-year",
    "since-change",
]

ROLLING_DAYS_MAX: Final = 400
"""No further back does the day log of a customer reach."""
MONTHS_PER_YEAR: Final = 12
_DAYS: Final = re.compile(r"(\d{1,4}) days?")
_FIXED_YEAR: Final = re.compile(r"year from (\d{2})-(\d{2})")
_PLAIN: Final[dict[str, Kind]] = {
    "lifetime": "lifetime",
    "calendar year": "calendar-year",
    "calendar quarter": "calendar-quarter",
    "calendar month": "calendar-month",
    "membership year": "membership-year",
    "since last change": "since-change",
}
PLAIN_SPELLINGS: Final = tuple(_PLAIN)
"""Those that are words alone."""
SPELLINGS: Final = ("N days", "lifetime", *list(_PLAIN)[1:4], "year from MM-DD", *list(_PLAIN)[4:])
"""How windows are written in a policy file."""


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """One window. `days` counts for rolling ones; `month` and `day` are the first day of a fixed year."""

    kind: Kind
    days: int = 0
    month: int = 0
    day: int = 0

    @property
    def name(self) -> str:
        """The window as outputs name it: `365d`, `lifetime`, `calendar_year`, `year_from_03-01` ..."""
        if self.kind == "days":
            return f"{self.days}d"
        if self.kind == "fixed-year":
            return f"year_from_{self.month:02}-{self.day:02}"
        return self.kind.replace("-", "_")


LIFETIME: Final = Window("lifetime")


def rolling(days: int) -> Window:
    """The window of the last `days` local days, today among them."""
    return Window("days", days=days)


def read_window(text: str) -> Window | None:
    """Read a window as a policy file writes it; None if it is none."""
    if (kind := _PLAIN.get(text)) is not None:
        return Window(kind)
    if (written := _DAYS.fullmatch(text)) is not None and 1 <= int(written[1]) <= ROLLING_DAYS_MAX:
        return rolling(int(written[1]))
    if (written := _FIXED_YEAR.fullmatch(text)) is not None and is_day_of_year(int(written[1]), int(written[2])):
        return Window("fixed-year", month=int(written[1]), day=int(written[2]))
    return None


def is_day_of_year(month: int, day: int) -> bool:
    """Whether every year has this day; 29 February is none."""
    try:
        date(2023, month, day)
    except ValueError:
        return False
    return True


def covers(outer: Window, inner: Window) -> bool:
    """Whether `outer` never looks at fewer days than `inner`, whatever the day."""
    if outer == inner or outer.kind == "lifetime":
        return True
    if outer.kind == "days":
        longest = {"days": inner.days, "calendar-month": 31, "calendar-quarter": 92}
        years = {"calendar-year", "fixed-year", "membership-year"}
        return outer.days >= (366 if inner.kind in years else longest.get(inner.kind, ROLLING_DAYS_MAX + 1))
    nested = ("calendar-month", "calendar-quarter", "calendar-year")
    return outer.kind in nested and inner.kind in nested and nested.index(outer.kind) >= nested.index(inner.kind)


def period_start(window: Window, day: int) -> int:
    """The first day of the period of a calendar window that contains a day."""
    on = date.fromordinal(day)
    match window.kind:
        case "calendar-month":
            return on.replace(day=1).toordinal()
        case "calendar-quarter":
            return date(on.year, (on.month - 1) // 3 * 3 + 1, 1).toordinal()
        case "fixed-year":
            start = date(on.year, window.month, window.day)
            return (start if start <= on else start.replace(year=on.year - 1)).toordinal()
        case _:
            return date(on.year, 1, 1).toordinal()


def next_period(window: Window, day: int) -> int:
    """The first day of the period after the one that contains a day."""
    start = period_start(window, day)
    months = {"calendar-month": 1, "calendar-quarter": 3}.get(window.kind, MONTHS_PER_YEAR)
    return months_later(start, months)


def months_later(day: int, months: int) -> int:
    """The same day of the month so many months later, or the month's last day if it has no such day."""
    on = date.fromordinal(day)
    years, month = divmod(on.month - 1 + months, MONTHS_PER_YEAR)
    first = date(on.year + years, month + 1, 1)
    length = (date(first.year + month // 11, (month + 1) % MONTHS_PER_YEAR + 1, 1) - first).days
    return first.toordinal() + min(on.day, length) - 1


def last_anniversary(anchor: int, day: int) -> int:
    """The latest yearly return of the day `anchor` that is not after `day`; `anchor` itself in the first year."""
    years = max(0, date.fromordinal(day).year - date.fromordinal(anchor).year)
    found = months_later(anchor, MONTHS_PER_YEAR * years)
    return found if found <= day or not years else months_later(anchor, MONTHS_PER_YEAR * (years - 1))
