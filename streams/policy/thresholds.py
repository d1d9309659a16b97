"""What a condition compares with: read from `at_least`, `at_most`, `above`, `below`, `is` or `one_of` by the unit."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.money import EXPONENTS, decimal_to_minor
from streams.policy.document import Node
from streams.policy.metrics import Unit
from streams.policy.model import Operator, Threshold
from streams.policy.reading import TEXT_LENGTH_MAX, Table

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<", "is": "==", "one_of": "in"}
)
ORDERING: Final = ("at_least", "at_most", "above", "below")
EQUALITY: Final = ("is", "one_of")
# Far above any real amount, and exact in every reader of JSON.
AMOUNT_MAX: Final = 2**53 - 1
UPPER_BOUND: Final[Mapping[Unit, Decimal]] = MappingProxyType(
    {"share": Decimal(1), "probability": Decimal(1), "percent": Decimal(100)}
)
HINTS: Final[Mapping[Unit, str]] = MappingProxyType(
    {
        "money": 'an amount in quotes, such as at_least = "100.00"',
        "count": "a whole number, such as at_least = 3",
        "days": "a whole number of days, such as at_most = 30",
        "share": "a fraction of 1, such as at_least = 0.2",
        "probability": "a probability, such as at_most = 0.5",
        "percent": "a number from 0 to 100, such as at_least = 80",
        "flag": "is = true or is = false",
        "text": 'is = "…" or one_of = ["…", "…"]',
    }
)


class Compared(NamedTuple):
    """An operator with what stands on its right."""

    operator: Operator
    threshold: Threshold


def read_compared(table: Table, unit: Unit, currency: str | None) -> Compared | None:
    """Read the one comparison of a condition; None after a mistake, or if its currency is not known."""
    allowed = EQUALITY if unit in {"flag", "text"} else ORDERING
    given = [key for key in OPERATORS if table.find(key) is not None]
    if not given:
        missing = "is" if allowed is EQUALITY else "at_least"
        table.find(missing, hint=HINTS[unit])
        return None
    key = given[0]
    part = table.find(key)
    if part is None or len(given) > 1:
        table.note(table.find(given[1]), f"is one comparison too many beside `{key}`: write a condition for each")
        return None
    if key not in allowed or (unit == "flag" and key == "one_of"):
        table.note(part, f"does not fit: write {HINTS[unit]}")
        return None
    threshold = _threshold(table, part, key, unit, currency)
    return None if threshold is None else Compared(OPERATORS[key], threshold)


def read_money(table: Table, key: str, currency: str | None, *, hint: str | None = None) -> int | None:
    """Read an amount in minor units: a decimal text, or a table of them by currency of which the policy's is taken."""
    part = table.find(key, hint=hint)
    if part is None:
        return None
    place = part
    if isinstance(part.value, dict):
        by_currency = Table(part, EXPONENTS, table.mistakes)
        found = None if currency is None else by_currency.find(currency)
        if found is None:
            if currency is not None:
                known = ", ".join(part.value)
                table.note(part, f'gives no amount in {currency}, only in {known}; add {currency} = "…"')
            return None
        place = found
    if not isinstance(place.value, str):
        table.note(place, 'has to be an amount in quotes, such as "100.00": numbers without quotes may lose cents')
    elif currency is not None:
        try:
            return _in_range(table, place, decimal_to_minor(place.value, currency), key)
        except ValueError as mistake:
            table.note(place, str(mistake))
    return None


def read_texts(table: Table, part: Node) -> tuple[str, ...] | None:
    """Read one text, or an array of them."""
    nodes = part.elements() if isinstance(part.value, list) else [part]
    texts: list[str] = []
    for node in nodes:
        value = node.value
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > TEXT_LENGTH_MAX:
            table.note(node, f"has to be text in quotes, 1 to {TEXT_LENGTH_MAX} printable characters")
            return None
        texts.append(value)
    if not texts:
        table.note(part, 'is empty; write one text or several, such as ["web", "app"]')
        return None
    return tuple(dict.fromkeys(texts))


def _threshold(table: Table, part: Node, key: str, unit: Unit, currency: str | None) -> Threshold | None:
    match unit:
        case "money":
            return read_money(table, key, currency)
        case "flag":
            return _flag(table, part)
        case "text":
            return _words(table, part, key)
        case "count" | "days":
            return _whole(table, part, key)
        case _:
            return _fraction(table, part, key, UPPER_BOUND[unit])


def _flag(table: Table, part: Node) -> bool | None:
    if isinstance(part.value, bool):
        return part.value
    table.note(part, "has to be true or false, without quotes")
    return None


def _words(table: Table, part: Node, key: str) -> str | tuple[str, ...] | None:
    texts = read_texts(table, part)
    if key == "is" and texts is not None and isinstance(part.value, list):
        table.note(part, "has to be one text; several go into `one_of`")
        return None
    return texts if texts is None or key == "one_of" else texts[0]


def _whole(table: Table, part: Node, key: str) -> int | None:
    if isinstance(part.value, int) and not isinstance(part.value, bool):
        return _in_range(table, part, part.value, key)
    table.note(part, "has to be a whole number, without quotes")
    return None


def _fraction(table: Table, part: Node, key: str, upper: Decimal) -> float | None:
    number = table.number(key)
    if number is None:
        return None
    if not 0 <= number <= upper:
        table.note(part, f"has to be 0 to {upper}")
    elif (key == "at_least" and number == 0) or (key == "at_most" and number == upper):
        table.note(part, f"every customer meets {number}: leave the condition out")
    elif (key == "below" and number == 0) or (key == "above" and number == upper):
        table.note(part, "nobody can meet it")
    else:
        return float(number)
    return None


def _in_range(table: Table, place: Node, value: int, key: str) -> int | None:
    lowest = 1 if key in {"at_least", "below"} else 0
    if lowest <= value <= AMOUNT_MAX:
        return value
    if value > AMOUNT_MAX:
        table.note(place, "is too large")
    elif key == "at_least":
        table.note(place, "has to be above 0: every customer meets 0")
    else:
        table.note(place, f"has to be at least {lowest}: nobody can meet it")
    return None
