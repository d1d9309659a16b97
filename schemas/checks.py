"""What the field types cannot say: ids are printable and composed, currencies and instants exist, somebody is meant.

The lists of fields are read from the types, so a new event type is checked without a word here.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple
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
        fault = _ids_fault(event, rules)
        if fault is not None:
            return _refused(RefusalReason.BAD_ID, fault)
    customer_id = event.customer_id
    if customer_id:
        if customer_id.startswith(ANONYMOUS_PREFIX):
            return _reserved("customer_id")
    elif not event.anonymous_id:
        return refuse(RefusalReason.NO_CUSTOMER, "$: neither `customer_id` nor `anonymous_id` is given")
    try:
        parse_instant(event.time)
    except ValueError as error:
        return _refused(RefusalReason.BAD_TIME, (".time", _not_instant(event.time, error)))
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
    if rules.instants or rules.nested_instants:
        fault = _instants_fault(event, rules)
        return None if fault is None else _refused(RefusalReason.BAD_TIME, fault)
    return None


def _reserved(name: str) -> Rejected:
    detail = f"$.{name}: begins with `{ANONYMOUS_PREFIX}`, which is kept for customers without an id"
    return refuse(RefusalReason.BAD_ID, detail)


def _ids_fault(struct: msgspec.Struct, rules: _Rules) -> tuple[str, str] | None:
    """Path and complaint of the first bad id; the others are brought into composed form."""
    for name in rules.ids:
        text = getattr(struct, name)
        if text.isascii() and text.isprintable():
            continue
        if _UNPRINTABLE.search(text):
            return f".{name}", f"unprintable character in {quoted(text)}"
        if not is_normalized("NFC", text):
            composed = normalize("NFC", text)
            if len(composed) > ID_LENGTH_MAX:
                return f".{name}", f"longer than {ID_LENGTH_MAX} in composed form"
            setattr(struct, name, composed)
    return _nested_fault(struct, rules.nested_ids, _ids_fault)


def _instants_fault(struct: msgspec.Struct, rules: _Rules) -> tuple[str, str] | None:
    """Path and complaint of the first text that is no instant, where one is given."""
    for name in rules.instants:
        text = getattr(struct, name)
        try:
            if text:
                parse_instant(text)
        except ValueError as error:
            return f".{name}", _not_instant(text, error)
    return _nested_fault(struct, rules.nested_instants, _instants_fault)


def _nested_fault(
    struct: msgspec.Struct,
    nested: tuple[tuple[str, _Rules], ...],
    fault_of: Callable[[msgspec.Struct, _Rules], tuple[str, str] | None],
) -> tuple[str, str] | None:
    """The first fault in the structs that stand in a field, alone or in a list."""
    for name, rules in nested:
        value = getattr(struct, name)
        if value is None:
            continue
        for index, inner in enumerate(value if isinstance(value, tuple) else (value,)):
            fault = fault_of(inner, rules)
            if fault is not None:
                position = f"[{index}]" if isinstance(value, tuple) else ""
                return f".{name}{position}{fault[0]}", fault[1]
    return None


def _not_instant(text: str, error: ValueError) -> str:
    return f"{quoted(text)} is no instant: {error}"


def _refused(reason: RefusalReason, fault: tuple[str, str]) -> Rejected:
    path, complaint = fault
    return refuse(reason, f"${path}: {complaint}")


def _names(rules: _Rules, attribute: str) -> set[str]:
    nested = (*rules.nested_ids, *rules.nested_instants)
    return set(getattr(rules, attribute)).union(*(_names(inner, attribute) for _, inner in nested))


ID_FIELDS: Final = frozenset[str]().union(*(_names(rules, "ids") for rules in _RULES.values())) - {"name"}
"""Names that are ids wherever they stand; a preference's name is one, a product's is text."""

INSTANT_FIELDS: Final = frozenset({"time"}).union(*(_names(rules, "instants") for rules in _RULES.values()))
