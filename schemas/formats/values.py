"""Foreign values read as what a field of ours holds. `UnusableError` says why one cannot be."""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from schemas.clock import INSTANT_MAX, INSTANT_MIN, format_instant, parse_instant
from schemas.formats.mapping import MS_PER_UNIT, Field, Place
from schemas.money import BINARY_NOISE, number_to_minor
from schemas.rejections import RefusalReason
from schemas.screening import quoted

Roots = Mapping[str, Any]
"""The document under the empty name, and what an `@` names."""

_PLAIN: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,19}", re.ASCII)
_FLAGS: Final = {"true": True, "1": True, "yes": True, "y": True, "false": False, "0": False, "no": False, "n": False}
_DIGITS_MAX: Final = 18
_UNSCALED_BYTES_MAX: Final = 16
_SCALE_MAX: Final = 18
_LATEST_YEAR: Final = 9999
_UNAVAILABLE: Final = "__debezium_unavailable_value"
"""Stands for a large column that did not change and that the database therefore did not log."""
_VARIABLE_SCALE: Final = {"scale", "value"}
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- wall clock times have no zone until theirs is put on


class UnusableError(ValueError):
    """A value that cannot be what the field needs."""

    def __init__(self, reason: RefusalReason, place: str, complaint: str) -> None:
        super().__init__(complaint)
        self.reason, self.detail = reason, f"{place}: {complaint}"


def look_up(place: Place, roots: Roots) -> Any:  # noqa: ANN401 - any JSON at all
    """What stands at a place; None for nothing, null, empty text, and what the database did not log."""
    value = roots.get(place.root)
    for key in place.keys:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and -len(value) <= key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return None if value in ("", _UNAVAILABLE) else value


def as_text(value: Any, shown: str) -> str:  # noqa: ANN401 - any JSON at all
    """Text, or a number or a truth value as text."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal() if value.is_finite() and -_DIGITS_MAX < value.adjusted() < _DIGITS_MAX:
            return format(value, "f")
        case _:
            raise UnusableError(RefusalReason.SCHEMA, shown, f"expected text, got {_kind(value)}")


def as_flag(value: Any, shown: str) -> bool:  # noqa: ANN401 - any JSON at all
    """True or false, also as the words and figures that databases and tables write."""
    flag = _FLAGS.get(as_text(value, shown).lower())
    if flag is None:
        raise UnusableError(RefusalReason.SCHEMA, shown, f"expected true or false, got {quoted(str(value))}")
    return flag


def as_number(value: Any, field: Field, shown: str, reason: RefusalReason) -> Decimal:  # noqa: ANN401 - any JSON at all
    """An exact number, from JSON, from text as the field says, or from the bytes of Kafka Connect's decimals."""
    number: Decimal | None = None
    match value:
        case bool():
            pass
        case int() | Decimal():
            number = Decimal(value)
        case {"scale": int(scale), "value": str(text)} if value.keys() == _VARIABLE_SCALE:
            number = _unscaled(text, scale)
        case str() if field.scale is not None:
            number = _unscaled(value, field.scale)
        case str():
            plain = value.replace(field.thousands, "") if field.thousands else value
            plain = plain.replace(field.decimal, ".") if field.decimal != "." else plain
            number = Decimal(plain) if _PLAIN.fullmatch(plain) else None
        case _:
            pass
    if number is None or not number.is_finite() or (number and abs(number.adjusted()) > _DIGITS_MAX):
        got = quoted(value) if isinstance(value, str) else _kind(value)
        expected = "the base64 text of a decimal" if field.scale is not None else "a number"
        raise UnusableError(reason, shown, f"expected {expected}, got {got}")
    return -number if field.negate else number


def _unscaled(text: str, scale: int) -> Decimal | None:
    try:
        unscaled = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not 1 <= len(unscaled) <= _UNSCALED_BYTES_MAX or abs(scale) > _SCALE_MAX:
        return None
    return Decimal(int.from_bytes(unscaled, "big", signed=True)).scaleb(-scale)


def as_minor(number: Decimal, field: Field, currency: str, shown: str, *, exact: bool) -> int:
    """Whole minor units of a number that the field calls decimal or minor; `exact` allows no noise of floats."""
    try:
        if field.money == "decimal":
            return number_to_minor(number, currency, noise=Decimal(0) if exact else BINARY_NOISE)
        if number != number.to_integral_value():
            raise ValueError("is no whole number of minor units")  # noqa: TRY301 -- one way out for both readings
        return int(number)
    except ValueError as error:
        unknown = "currency" in str(error)
        reason = RefusalReason.UNKNOWN_CURRENCY if unknown else RefusalReason.BAD_AMOUNT
        raise UnusableError(reason, shown, f"{quoted(str(number))} {error}") from error


def as_instant(value: Any, field: Field, shown: str) -> str:  # noqa: ANN401 - any JSON at all
    """RFC 3339 text of an epoch number, of a text with an offset, or of a wall clock time in the field's zone."""
    try:
        text = as_text(value, shown)
        instant = _from_epoch(text, field) if field.epoch is not None else _from_text(text, field)
        if not INSTANT_MIN <= instant <= INSTANT_MAX:
            raise ValueError("outside years 1 to 9999")  # noqa: TRY301 -- one way out for all that is wrong
        return format_instant(instant)
    except UnusableError:
        raise
    except (ValueError, OverflowError) as error:
        hint = (
            '; say epoch = "ms" (or s, us, days) for a number'
            if isinstance(value, int | Decimal) and field.epoch is None
            else ""
        )
        complaint = f"{quoted(str(value))} is no instant: {str(error).partition(': ')[0]}{hint}"
        raise UnusableError(RefusalReason.BAD_TIME, shown, complaint.replace("\n", " ")) from error


def _from_epoch(text: str, field: Field) -> int:
    assert field.epoch is not None  # noqa: S101 -- the caller has looked
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"expected whole {field.epoch} since 1970")
    factor, divisor = MS_PER_UNIT[field.epoch]
    instant = int(text) * factor // divisor
    return instant if field.zone is None else _in_zone(_EPOCH + timedelta(milliseconds=instant), field.zone)


def _from_text(text: str, field: Field) -> int:
    if field.pattern is None and field.zone is None:
        return parse_instant(text)
    wall = _by_pattern(text, field.pattern) if field.pattern else _iso(text)
    return _in_zone(wall, wall.tzinfo or field.zone or UTC)


def _by_pattern(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 -- the caller puts the zone on
    except ValueError:
        raise ValueError(f"does not match `{pattern}`") from None


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not ISO 8601, such as 2026-11-22 10:00:00") from None


def _in_zone(wall: datetime, zone: tzinfo) -> int:
    """Of a time that the clock showed twice, the earlier; one that it skipped counts from before the change."""
    instant = (wall.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return int(instant)


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "a truth value"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return f"a number ({quoted(str(value))})"
