"""Local days against the zone rules asked directly, one instant at a time."""

from datetime import UTC, date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.calendar import Calendar, zone_names

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_MS = 60_000
FALL_BACK_MINUTES_MAX = 180

zones = st.sampled_from(sorted(zone_names()))
instants = st.integers(-1_577_923_200_000, 4_102_444_800_000)  # 1920 to 2100
days = st.integers(date(1920, 1, 2).toordinal(), date(2100, 1, 1).toordinal())
calendars = {zone: Calendar(zone) for zone in ("UTC", "Asia/Shanghai", "America/St_Johns", "Pacific/Apia")}


def rules(zone: str) -> ZoneInfo:
    """Return the package's rules: the machine's own may be of another year."""
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=zone)


def wall_day(zone: ZoneInfo, at_ms: int) -> int:
    """Return the date on a clock in that zone."""
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).toordinal()


@given(zones, instants)
def test_the_day_is_the_date_on_the_wall(zone: str, at_ms: int) -> None:
    """Except shortly before the clock goes back across midnight, when it is already the date that it goes back to."""
    zone_rules = rules(zone)
    soon = range(0, FALL_BACK_MINUTES_MAX * MINUTE_MS, MINUTE_MS)
    expected = min(wall_day(zone_rules, at_ms + later) for later in soon)
    assert Calendar(zone).day_of(at_ms) == expected


@given(zones, days)
def test_a_day_starts_at_its_first_instant(zone: str, day: int) -> None:
    """At the start the date is reached, a millisecond before it is not."""
    zone_rules, start_ms = rules(zone), Calendar(zone).start_of(day)
    assert wall_day(zone_rules, start_ms) >= day
    assert wall_day(zone_rules, start_ms - 1) < day


@given(zones, days, st.integers(0, 1_000))
def test_days_and_starts_agree_and_never_run_backwards(zone: str, day: int, offset: int) -> None:
    """A day holds exactly the instants from its start to the next one's, whatever was asked before."""
    local = Calendar(zone)
    start_ms, next_ms = local.start_of(day), local.start_of(day + 1)
    assert start_ms <= next_ms
    if start_ms < next_ms:
        inside = start_ms + (next_ms - 1 - start_ms) * offset // 1_000
        assert [local.day_of(at) for at in (inside, start_ms, next_ms - 1)] == [day, day, day]
        assert local.day_of(next_ms) > day
        assert local.day_of(start_ms - 1) < day


@pytest.mark.parametrize("zone", sorted(calendars))
@given(instants)
def test_what_was_remembered_is_what_would_be_computed(zone: str, at_ms: int) -> None:
    """A calendar that has answered many questions answers as a fresh one."""
    assert calendars[zone].day_of(at_ms) == Calendar(zone).day_of(at_ms)
