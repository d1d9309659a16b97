"""What the field types cannot say: ids are printable and composed, currencies and instants exist, somebody is meant.

The lists of fields are read from the types, so a new event type is checked without a word here.
"""

import re
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
    CustomerId,
    Id,
    Instant,
    OptionalCustomerId,
    OptionalId,
)
from schemas.money import EXPONENTS
from schemas.reflection import Struct, hints_of, structs_in
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import quoted, refuse

_UNPRINTABLE: Final = re.compile(f"[{UNPRINTABLE}]")


class _Rules(NamedTuple):
    """Names of the fields of one struct that need a look, by the look they need."""

    ids: tuple[str, ...]
    other_customers: tuple[str, ...]
    """Customer ids besides `customer_id`."""
    currencies: tuple[str, ...]
    instants: tuple[str, ...]
    """Besides `time`, which is looked at first and always."""
    nested_ids: tuple[tuple[str, "_Rules"], ...]
    """Fields holding a struct, or several, that have ids."""
    nested_instants: tuple[tuple[str, "_Rules"], ...]
    special: bool
    """Whether there is anything but ids to look at."""


def _rules_of(struct: Struct) -> _Rules:
    hints = hints_of(struct)

    def named(*kinds: object) -> tuple[str, ...]:
        return tuple(name for name, hint in hints.items() if hint in kinds)

    nested = [(name, _rules_of(inner)) for name, hint in hints.items() for inner in structs_in(hint)]
    other_customers = tuple(name for name in named(CustomerId) if name != "customer_id")
    currencies = named(Currency)
    instants = tuple(name for name in named(Instant, Instant | None) if name != "time")
    nested_instants = tuple((name, rules) for name, rules in nested if rules.instants or rules.nested_instants)
    return _Rules(
        ids=named(Id, OptionalId, CustomerId, OptionalCustomerId),
        other_customers=other_customers,
        currencies=currencies,
        instants=instants,
        nested_ids=tuple((name, rules) for name, rules in nested if rules.ids or rules.nested_ids),
        nested_instants=nested_instants,
        special=bool(other_customers or currencies or instants or nested_instants),
    )


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
            return _reserved("customer_id")
    elif not event.anonymous_id:
        return refuse(RefusalReason.NO_CUSTOMER, "$: neither `customer_id` nor `anonymous_id` is given")
    try:
        parse_instant(event.time)
    except ValueError as error:
        return _not_instant(event.time, "$.time", error)
    return _special_fault(event, rules) if rules.special else None


def _special_fault(event: Event, rules: _Rules) -> Rejected | None:
    """The checks of fields that only some types have."""
    for name in rules.other_customers:
        if getattr(event, name).startswith(ANONYMOUS_PREFIX):
            return _reserved(name)
    for name in rules.currencies:
        currency = getattr(event, name)
        if currency not in EXPONENTS:
            detail = f"$.{name}: {quoted(currency)} is no ISO 4217 code in capitals"
            return refuse(RefusalReason.UNKNOWN_CURRENCY, detail)
    return _instants_fault(event, rules, "$") if rules.instants or rules.nested_instants else None


def _reserved(name: str) -> Rejected:
    detail = f"$.{name}: begins with `{ANONYMOUS_PREFIX}`, which is kept for customers without an id"
    return refuse(RefusalReason.BAD_ID, detail)


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
    for name, inner_rules in rules.nested_ids:
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
    for name, inner_rules in rules.nested_instants:
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


def _names(rules: _Rules, attribute: str) -> set[str]:
    nested = (*rules.nested_ids, *rules.nested_instants)
    return set(getattr(rules, attribute)).union(*(_names(inner, attribute) for _, inner in nested))


ID_FIELDS: Final = frozenset[str]().union(*(_names(rules, "ids") for rules in _RULES.values())) - {"name"}
"""Names that are ids wherever they stand; a preference's name is one, a product's is text."""

INSTANT_FIELDS: Final = frozenset({"time"}).union(*(_names(rules, "instants") for rules in _RULES.values()))
