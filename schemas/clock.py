"""Instants: RFC 3339 text on topics, whole milliseconds since 1970-01-01T00:00:00Z in code. Knows no clock."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

MS_PER_SECOND: Final = 1_000
MS_PER_MINUTE: Final = 60_000
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000

_LENGTH_MS_Z: Final = 24
_EPOCH_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
INSTANT_MIN: Final = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z: the first instant that can be written."""
INSTANT_MAX: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z: the last instant that can be written."""

_HOUR_AND_MINUTE: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
RFC_3339: Final = (
    f"(?!0000)[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_HOUR_AND_MINUTE}:[0-5][0-9]"
    f"(?:[.][0-9]{{1,9}})?(?:Z|[+-]{_HOUR_AND_MINUTE})"
)
"""The form of an instant, as a regular expression that JSON Schema shares.

Second 60 and hour 24 have no place on a line of milliseconds."""

_RFC_3339: Final = re.compile(RFC_3339)
_MINUTES: Final = tuple(f"T{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))
_WITHIN_MINUTE: Final = tuple(f"{second:02d}.{ms:03d}Z" for second in range(60) for ms in range(1_000))


def parse_instant(text: str) -> int:
    """Milliseconds since the epoch; digits beyond the millisecond are cut off.

    ValueError when `text` is not RFC 3339 with `Z` or an offset, names no real instant, or lies outside years 1 to
    9999.
    """
    return _parse(text)


@lru_cache(maxsize=16_384)  # broker arrival times repeat within a batch, and intake reads an event's time twice
def _parse(text: str) -> int:
    if len(text) == _LENGTH_MS_Z and text[23] == "Z" and text[4:20:3] == "--T::." and text[11:13] != "24":
        # The form that we write ourselves: only the digits are left to judge. Hour 24 is a valid one to newer Pythons.
        try:
            return round(datetime.fromisoformat(text).timestamp() * MS_PER_SECOND)
        except ValueError:
            return _parse_any(text)
    return _parse_any(text)


def _parse_any(text: str) -> int:
    """Every form of RFC 3339, with errors that say what is wrong."""
    if _RFC_3339.fullmatch(text) is None:
        raise ValueError("not RFC 3339 with `Z` or an offset, such as 2026-11-22T10:00:00.000Z")
    moment = datetime.fromisoformat(text)
    # The two zones are exact in whole seconds, so only the fraction could be inexact in a float: it is added apart.
    instant = int(moment.replace(microsecond=0).timestamp()) * MS_PER_SECOND + moment.microsecond // 1_000
    if not INSTANT_MIN <= instant <= INSTANT_MAX:
        raise ValueError("outside years 1 to 9999 in UTC")
    return instant


def parse_canonical(text: str) -> int:
    """As `parse_instant` for text that `format_instant` wrote: no doubts, half the time."""
    return round(datetime.fromisoformat(text).timestamp() * MS_PER_SECOND)


def format_instant(instant: int) -> str:
    """Millisecond text in UTC, for example `2026-11-22T10:00:00.000Z`; always 24 characters, sorts as time does.

    ValueError outside years 1 to 9999.
    """
    minute, ms = divmod(instant, MS_PER_MINUTE)
    day, minute = divmod(minute, 1_440)
    return f"{_day_text(day)}{_MINUTES[minute]}{_WITHIN_MINUTE[ms]}"


@lru_cache(maxsize=16_384)  # forty years
def _day_text(day: int) -> str:
    return datetime.fromordinal(day + _EPOCH_DAY).date().isoformat()
