"""Months, anniversaries and which window covers which: the leap days and month ends."""

from datetime import date

import pytest

from streams.policy.windows import Window, covers, last_anniversary, months_later, rolling


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2025-12-15", 12, "2026-12-15"),
        ("2025-10-31", 2, "2025-12-31"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_its_month(start: str, months: int, end: str) -> None:
    assert months_later(day(start), months) == day(end)


@pytest.mark.parametrize(
    ("anchor", "on", "last"),
    [
        ("2024-02-29", "2025-02-27", "2024-02-29"),
        ("2024-02-29", "2025-02-28", "2025-02-28"),
        ("2024-02-29", "2028-02-28", "2027-02-28"),
        ("2024-02-29", "2028-02-29", "2028-02-29"),
        ("2025-03-10", "2025-03-09", "2025-03-10"),
    ],
)
def test_the_last_anniversary_of_a_leap_day_is_the_end_of_february(anchor: str, on: str, last: str) -> None:
    assert last_anniversary(day(anchor), day(on)) == day(last)


@pytest.mark.parametrize("kind", ["calendar-month", "calendar-quarter", "calendar-year", "membership-year"])
def test_a_leap_year_of_days_covers_every_period_and_none_covers_a_life(kind: str) -> None:
    window = Window(kind)  # type: ignore[arg-type]  # one of the kinds

    assert covers(rolling(366), window)
    assert covers(Window("lifetime"), window)
    assert not covers(window, Window("lifetime"))
    assert not covers(rolling(30), window)
