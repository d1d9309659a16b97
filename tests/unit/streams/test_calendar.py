"""Local days where clocks misbehave: each case is a real rule of a real zone."""

import timeit
from datetime import UTC, date, datetime

import pytest

from streams import calendar
from streams.calendar import Calendar, zone_names

HOUR_MS = 3_600_000


def day(text: str) -> int:
    """Return the ordinal of a date."""
    return date.fromisoformat(text).toordinal()


def instant(text: str) -> int:
    """Return epoch milliseconds of a UTC date and time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


def hours(zone: str, text: str) -> float:
    """Return how long a local day is."""
    local = Calendar(zone)
    return (local.start_of(day(text) + 1) - local.start_of(day(text))) / HOUR_MS


def test_a_day_begins_at_local_midnight() -> None:
    """In Shanghai at 16:00 UTC of the day before; one millisecond earlier it is still that day."""
    shanghai = Calendar("Asia/Shanghai")
    midnight = instant("2026-11-21T16:00:00")
    assert shanghai.start_of(day("2026-11-22")) == midnight
    assert shanghai.day_of(midnight) == day("2026-11-22")
    assert shanghai.day_of(midnight - 1) == day("2026-11-21")


@pytest.mark.parametrize(
    ("zone", "text", "length"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Shanghai", "1986-05-04", 23),
        ("Asia/Shanghai", "1986-09-14", 25),
        ("Asia/Shanghai", "1991-04-14", 23),
        ("Asia/Shanghai", "1991-09-15", 25),
        ("Asia/Shanghai", "1992-04-12", 24),
        ("UTC", "2024-02-29", 24),
        ("Antarctica/Casey", "2010-03-04", 27),
    ],
)
def test_days_are_as_long_as_the_zone_makes_them(zone: str, text: str, length: float) -> None:
    """Summer time makes days of 23 and 25 hours, also in China, where it held from 1986 to 1991."""
    assert hours(zone, text) == length


@pytest.mark.parametrize(
    ("zone", "text", "start"),
    [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00"),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00"),  # 23:30 to 00:30: midnight amid the gap
    ],
)
def test_a_skipped_midnight_begins_the_day_at_the_first_instant_after(zone: str, text: str, start: str) -> None:
    """Where clocks jump over midnight, the day begins with the jump."""
    assert Calendar(zone).start_of(day(text)) == instant(start)


def test_a_skipped_date_has_no_instants() -> None:
    """Samoa had no 30 December 2011: that day begins and ends with the 31st's beginning."""
    apia = Calendar("Pacific/Apia")
    assert apia.start_of(day("2011-12-30")) == apia.start_of(day("2011-12-31")) == instant("2011-12-30T10:00:00")
    assert apia.day_of(instant("2011-12-30T10:00:00")) == day("2011-12-31")
    assert apia.day_of(instant("2011-12-30T10:00:00") - 1) == day("2011-12-29")


def test_a_midnight_that_strikes_twice_counts_the_first_time_if_the_date_stays() -> None:
    """Havana's clocks go from 1:00 back to 0:00 of the same date: the day has 25 hours from the first midnight."""
    assert Calendar("America/Havana").start_of(day("2020-11-01")) == instant("2020-11-01T04:00:00")
    assert hours("America/Havana", "2020-11-01") == 25


def test_a_midnight_that_strikes_twice_counts_the_last_time_if_the_date_goes_back() -> None:
    """St. John's went from 0:01 back to 23:01 of the day before: that minute belongs to the day that came back."""
    newfoundland = Calendar("America/St_Johns")
    first_midnight = instant("2006-10-29T02:30:00")
    assert newfoundland.start_of(day("2006-10-29")) == first_midnight + HOUR_MS
    assert newfoundland.day_of(first_midnight) == day("2006-10-28")
    assert hours("America/St_Johns", "2006-10-28") == 25


def test_years_end_at_local_midnight() -> None:
    """New Year's Eve ends eleven hours before UTC's in Sydney, and five after in New York."""
    assert Calendar("Australia/Sydney").day_of(instant("2025-12-31T13:00:00")) == day("2026-01-01")
    assert Calendar("America/New_York").day_of(instant("2026-01-01T04:59:59")) == day("2025-12-31")


def test_time_does_not_run_out_of_the_calendar() -> None:
    """Days after the year 9999 go on with 24 hours each: a window that begins in it still ends."""
    shanghai = Calendar("Asia/Shanghai")
    last = shanghai.day_of(instant("9999-12-31T23:59:59"))
    assert last == date.max.toordinal() + 1
    assert shanghai.start_of(last + 400) - shanghai.start_of(last) == 400 * 24 * HOUR_MS
    assert shanghai.day_of(shanghai.start_of(last + 400)) == last + 400


def test_a_quarter_hour_that_holds_a_midnight_has_two_days() -> None:
    """Liberia's midnights lay 44 minutes and 30 seconds past the hour in UTC until 1972: no cache may blur that."""
    monrovia = Calendar("Africa/Monrovia")
    midnight = instant("1971-06-01T00:44:30")
    assert [monrovia.day_of(midnight - 1), monrovia.day_of(midnight)] * 2 == [
        day("1971-05-31"),
        day("1971-06-01"),
        day("1971-05-31"),
        day("1971-06-01"),
    ]


def test_the_caches_are_bounded_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two entries the answers are the same, and no more than two are kept."""
    monkeypatch.setattr(calendar, "CACHED_QUARTERS_MAX", 2)
    monkeypatch.setattr(calendar, "CACHED_DAYS_MAX", 2)
    small, start = Calendar("Europe/Berlin"), instant("2026-03-25T00:30:00")
    instants = [start + hour * HOUR_MS for hour in range(200)]
    days = [small.day_of(at) for at in instants]
    assert len(small._day_of_quarter) <= 2
    assert len(small._start_of_day) <= 2
    monkeypatch.undo()
    roomy = Calendar("Europe/Berlin")
    assert days == [roomy.day_of(at) for at in instants]


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "../etc/passwd", "asia/shanghai", "Asia"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    """A name outside the database raises ValueError, and is never looked up as a file."""
    with pytest.raises(ValueError, match="no IANA time zone"):
        Calendar(zone)


def test_every_named_zone_can_be_made() -> None:
    """The list of names and the rules in the package agree."""
    assert len(zone_names()) > 500
    assert all(Calendar(zone).start_of(day("2026-01-01")) for zone in zone_names())


def test_a_known_quarter_hour_costs_a_lookup() -> None:
    """The day of an instant in a known quarter hour takes well under a microsecond, so it can be asked per event."""
    shanghai, at = Calendar("Asia/Shanghai"), instant("2026-11-22T10:00:00")
    shanghai.day_of(at)
    assert min(timeit.repeat(lambda: shanghai.day_of(at), number=10_000, repeat=5)) / 10_000 < 5e-7
