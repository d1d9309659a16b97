"""Instants: text to milliseconds and back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import INSTANT_MAX, INSTANT_MIN, MS_PER_DAY, format_instant, parse_canonical, parse_instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-11-22T10:00:00.123Z", 1_795_341_600_123),
        ("2026-11-22T18:00:00.123+08:00", 1_795_341_600_123),
        ("2026-11-22T10:00:00.123999Z", 1_795_341_600_123),
        ("2026-11-22T10:00:00.1239999999Z"[:29] + "Z", 1_795_341_600_123),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2026-11-22T10:00:00-00:00", 1_795_341_600_000),
        ("2024-02-29T00:00:00.000Z", 1_709_164_800_000),
        ("9999-12-31T23:59:59.999Z", INSTANT_MAX),
        ("0001-01-01T00:00:00.000Z", INSTANT_MIN),
    ],
)
def test_an_instant_is_its_milliseconds(text: str, instant: int) -> None:
    """Any form with an offset means one instant; what lies below the millisecond is cut off."""
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-11-22 10:00:00Z",
        "2026-11-22T10:00Z",
        "2026-11-22T10:00:60Z",
        "2026-11-22T24:00:00.000Z",
        "2026-02-29T10:00:00.000Z",
        "2026-13-01T10:00:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59.999-00:01",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00,123Z",
        "2026-11-22T10:00:00.123 ",
        "2026-11-22T10:00:00.12 Z",
        "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00+0800",
        "20261122T100000Z",
        "2026-W47-7T10:00:00.000Z",
    ],
)
def test_what_is_no_instant_is_an_error(text: str) -> None:
    """No guess is made: not about zones, not about missing parts, not about leap seconds."""
    with pytest.raises(ValueError, match=r"RFC 3339|range|years|month"):
        parse_instant(text)


@given(st.integers(INSTANT_MIN, INSTANT_MAX))
def test_writing_and_reading_are_inverse(instant: int) -> None:
    """Every instant that can be written is read back exactly, by both readers."""
    text = format_instant(instant)

    assert len(text) == 24
    assert parse_instant(text) == instant
    assert parse_canonical(text) == instant


@given(st.integers(INSTANT_MIN, INSTANT_MAX), st.integers(INSTANT_MIN, INSTANT_MAX))
def test_texts_sort_as_instants_do(one: int, other: int) -> None:
    """Written instants can be compared as text."""
    assert (format_instant(one) < format_instant(other)) == (one < other)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001 -- bounds must be naive
def test_reading_agrees_with_datetime(moment: datetime) -> None:
    """The standard library finds the same milliseconds."""
    whole_minutes = moment.utcoffset()
    if whole_minutes is None or whole_minutes % timedelta(minutes=1):
        return  # zones of the nineteenth century had seconds, RFC 3339 has not

    expected = (moment.replace(microsecond=moment.microsecond // 1000 * 1000) - EPOCH) // timedelta(milliseconds=1)

    assert parse_instant(moment.isoformat(timespec="microseconds")) == expected


@pytest.mark.parametrize("instant", [INSTANT_MIN - 1, INSTANT_MAX + 1, INSTANT_MAX + MS_PER_DAY])
def test_an_instant_that_cannot_be_written_is_an_error(instant: int) -> None:
    """There is no fifth digit of the year."""
    with pytest.raises((ValueError, OverflowError)):
        format_instant(instant)
