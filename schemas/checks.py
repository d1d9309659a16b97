"""What the field types cannot say: ids are printable and composed, currencies and instants exist, somebody is meant.

The lists of fields are read from the types, so a new event type is checked without a word here.
"""

import re
import typing
from types import UnionType
from typing import Final, NamedTuple, cast
from unicodedata import is_normalized, normalize

import msgspec

from schemas.clock import parse_instant
from schemas.events import EVENT_CLASSES, Event
from schemas.fields import (
    ANONYMOUS_PREFIX,
    ID_LENGTH_MAX,
    UNPRINTABLE,
    Currency,
    Id,
    Instant,
    OptionalId,
    OptionalInstant,
)
from schemas.money import EXPONENTS
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import quoted, refuse

_UNPRINTABLE: Final = re.compile(f"[{UNPRINTABLE}]")


class _Rules(NamedTuple):
    """Names of the fields of one struct that need a look, by the look they need."""

    ids: tuple[str, ...]
    instants: tuple[str, ...]
    currencies: tuple[str, ...]
    nested: tuple[tuple[str, "_Rules"], ...]
    """Fields that hold such a struct or several."""
    more_instants: bool
    """Here or in a nested struct."""


def _rules_of(struct: type[msgspec.Struct]) -> _Rules:
    hints = typing.get_type_hints(struct, include_extras=True)
    nested = []
    for name, hint in hints.items():
        for inner in _structs_in(hint):
            rules = _rules_of(inner)
            if rules.ids or rules.instants or rules.nested:
                nested.append((name, rules))
    # `time` is looked at first and always; `recordedtime` is ours.
    instants = tuple(name for name, hint in hints.items() if hint in (Instant, OptionalInstant) and name != "time")
    return _Rules(
        ids=tuple(name for name, hint in hints.items() if hint in (Id, OptionalId)),
        instants=instants,
        currencies=tuple(name for name, hint in hints.items() if hint == Currency),
        nested=tuple(nested),
        more_instants=bool(instants) or any(rules.more_instants for _, rules in nested),
    )


def _structs_in(hint: object) -> list[type[msgspec.Struct]]:
    """The struct types inside `X | None`, `tuple[X, ...]` and annotations of them."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    if isinstance(hint, UnionType) or typing.get_origin(hint) is not None:
        return [struct for part in typing.get_args(hint) for struct in _structs_in(part)]
    return []


_RULES: Final = {cls: _rules_of(cls) for cls in EVENT_CLASSES.values()}


def check(event: Event, *, plain: bool) -> Rejected | None:
    """Refuses what no type can refuse, and brings ids into composed form in place.

    `plain` says that the JSON held nothing but printable ASCII without escapes, so every id in it is printable.
    """
    rules = _RULES[type(event)]
    if not plain:
        fault = _ids_fault(event, rules, "$")
        if fault is not None:
            return fault
    customer_id = event.customer_id
    if customer_id:
        if customer_id.startswith(ANONYMOUS_PREFIX):
            detail = f"$.customer_id: begins with `{ANONYMOUS_PREFIX}`, which is kept for customers without an id"
            return refuse(RefusalReason.BAD_ID, detail)
    elif not event.anonymous_id:
        return refuse(RefusalReason.NO_CUSTOMER, "$: neither `customer_id` nor `anonymous_id` is given")
    try:
        parse_instant(event.time)
    except ValueError as error:
        return _not_instant(event.time, "$.time", error)
    for name in rules.currencies:
        currency = getattr(event, name)
        if currency not in EXPONENTS:
            detail = f"$.{name}: {quoted(currency)} is no ISO 4217 code in capitals"
            return refuse(RefusalReason.UNKNOWN_CURRENCY, detail)
    return _instants_fault(event, rules, "$") if rules.more_instants else None


def _ids_fault(struct: msgspec.Struct, rules: _Rules, path: str) -> Rejected | None:
    for name in rules.ids:
        text = getattr(struct, name)
        if text.isascii() and text.isprintable():
            continue
        if _UNPRINTABLE.search(text):
            return refuse(RefusalReason.BAD_ID, f"{path}.{name}: unprintable character in {quoted(text)}")
        if not is_normalized("NFC", text):
            composed = normalize("NFC", text)
            if len(composed) > ID_LENGTH_MAX:
                return refuse(RefusalReason.BAD_ID, f"{path}.{name}: longer than {ID_LENGTH_MAX} in composed form")
            setattr(struct, name, composed)
    for name, inner_rules in rules.nested:
        for inner, where in _inner(struct, name, path):
            fault = _ids_fault(inner, inner_rules, where)
            if fault is not None:
                return fault
    return None


def _instants_fault(struct: msgspec.Struct, rules: _Rules, path: str) -> Rejected | None:
    for name in rules.instants:
        text = getattr(struct, name)
        try:
            if text:
                parse_instant(text)
        except ValueError as error:
            return _not_instant(text, f"{path}.{name}", error)
    for name, inner_rules in rules.nested:
        for inner, where in _inner(struct, name, path):
            fault = _instants_fault(inner, inner_rules, where)
            if fault is not None:
                return fault
    return None


def _not_instant(text: str, where: str, error: ValueError) -> Rejected:
    return refuse(RefusalReason.BAD_TIME, f"{where}: {quoted(text)} is no instant: {error}")


def _inner(struct: msgspec.Struct, name: str, path: str) -> list[tuple[msgspec.Struct, str]]:
    """The struct or structs in a field, each with its path."""
    value = getattr(struct, name)
    if value is None:
        return []
    if isinstance(value, tuple):
        inner = cast("tuple[msgspec.Struct, ...]", value)
        return [(item, f"{path}.{name}[{index}]") for index, item in enumerate(inner)]
    return [(value, f"{path}.{name}")]


def _field_names(kinds: tuple[object, ...]) -> frozenset[str]:
    def names(struct: type[msgspec.Struct]) -> set[str]:
        hints = typing.get_type_hints(struct, include_extras=True)
        inner = (names(part) for hint in hints.values() for part in _structs_in(hint))
        return {name for name, hint in hints.items() if hint in kinds}.union(*inner)

    return frozenset(name for cls in EVENT_CLASSES.values() for name in names(cls))


ID_FIELDS: Final = _field_names((Id, OptionalId)) - {"name"}  # a product's name is text
INSTANT_FIELDS: Final = _field_names((Instant, OptionalInstant))
