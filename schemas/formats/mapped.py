"""Applies a mapping to a record that has been opened: every rule whose conditions hold makes an event."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from schemas.events import InputEvent
from schemas.formats.building import build, derived_id, nth_id
from schemas.formats.mapping import Condition, Field, Mapping, Place, Rule
from schemas.formats.record import Decoded, SkipCause, Skipped
from schemas.formats.values import Roots, UnusableError, as_flag, as_instant, as_minor, as_number, as_text, look_up
from schemas.money import EXPONENTS
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import quoted, refuse

_DIGITS_MAX: Final = 18


def events_of(mapping: Mapping, roots: Roots, *, operation: str = "", record_id: str = "") -> Decoded:
    """The events of an opened record. `record_id` is the id that the format itself gives it, if it does."""
    try:
        rules = [rule for rule in mapping.rules if _takes(rule, roots, operation)]
    except UnusableError as unusable:
        return (refuse(unusable.reason, unusable.detail),)
    if rules:
        return tuple(
            _event(rule, roots, mapping.source, record_id=record_id, nth=nth) for nth, rule in enumerate(rules)
        )
    if mapping.otherwise == "skip":
        return Skipped(SkipCause.NO_RULE, "no [[event]] of the mapping takes it")
    detail = '$: no [[event]] of the mapping takes this record; otherwise = "skip" passes such records over'
    return (refuse(RefusalReason.UNKNOWN_TYPE, detail),)


def holds(condition: Condition, roots: Roots) -> bool:
    """Whether a record, or an item of a list, passes a test. What is no number is neither above nor below."""
    value = look_up(condition.place, roots)
    if condition.test == "given":
        return (value is not None) == (condition.operands[0] == "true")
    if value is None:
        return condition.test in ("not_one_of", "not_starts_with")
    shown, operands = condition.place.shown, condition.operands
    match condition.test:
        case "above" | "below":
            held = _compares(condition, value)
        case "not_one_of":
            held = as_text(value, shown) not in operands
        case "starts_with":
            held = as_text(value, shown).startswith(operands)
        case "not_starts_with":
            held = not as_text(value, shown).startswith(operands)
        case "equals" | "one_of":
            held = as_text(value, shown) in operands
    return held


def _compares(condition: Condition, value: object) -> bool:
    try:
        number = as_number(value, _NUMBER, condition.place.shown, RefusalReason.SCHEMA)
    except UnusableError:
        return False
    limit = Decimal(condition.operands[0])
    return number > limit if condition.test == "above" else number < limit


_NUMBER: Final = Field(target="", kind="number", required=True)


def _takes(rule: Rule, roots: Roots, operation: str) -> bool:
    return (operation in rule.operations or not operation) and all(holds(test, roots) for test in rule.when)


def _event(rule: Rule, roots: Roots, source: str, *, record_id: str, nth: int) -> InputEvent | Rejected:
    try:
        members = _Filling(rule, roots).members(rule.fields, roots)
    except UnusableError as unusable:
        return refuse(unusable.reason, unusable.detail)
    if source and "source" not in members:
        members["source"] = source
    given = members.get("id") or record_id
    members["id"] = nth_id(given, nth) if given else derived_id(rule.type, members)
    return build(rule.type, members)


class _Filling:
    """One event being filled: its amounts are all in the currency that it says."""

    def __init__(self, rule: Rule, roots: Roots) -> None:
        self._type = rule.type
        self._currency = ""
        for field in rule.fields:
            if field.target == "currency":
                self._currency = str(self._value(field, roots) or "")
                if self._currency not in EXPONENTS:
                    detail = f"{quoted(self._currency)} is no ISO 4217 code in capitals"
                    raise UnusableError(RefusalReason.UNKNOWN_CURRENCY, _shown(field), detail)

    def members(self, fields: tuple[Field, ...], roots: Roots) -> dict[str, Any]:
        """The members of an event or of a part of it; what is not there and not needed is left out."""
        members = {}
        for field in fields:
            value = self._value(field, roots)
            if value is not None:
                members[field.target] = value
            elif field.required:
                needed = f"nothing is there, and {self._type} needs it as `{field.target}`"
                raise UnusableError(_reason_for_nothing(field), _shown(field), needed)
        return members

    def _value(self, field: Field, roots: Roots) -> Any:  # noqa: ANN401 - what the field's kind holds
        match field.kind:
            case "table":
                return self.members(field.fields, roots) or None
            case "list":
                return self._list(field, roots)
            case _ if field.over is not None:
                return self._sum(field, field.over, roots)
            case _:
                return self._scalar(field, roots)

    def _scalar(self, field: Field, roots: Roots) -> Any:  # noqa: ANN401 - what the field's kind holds
        if field.constant is not None:
            return field.constant
        value, shown = None, ""
        for place in field.places:
            value, shown = look_up(place, roots), place.shown
            if value is not None:
                break
        if value is None:
            return None
        return self._converted(value, field, roots, shown)

    def _converted(self, value: Any, field: Field, roots: Roots, shown: str) -> Any:  # noqa: ANN401 - foreign and ours
        result: Any
        match field.kind:
            case "text":
                result = _word(field, as_text(value, shown), shown)
            case "flag":
                result = as_flag(value, shown)
            case "instant":
                result = as_instant(value, field, shown)
            case "integer":
                result = _whole(as_number(value, field, shown, RefusalReason.SCHEMA), shown)
            case "number":
                result = float(as_number(value, field, shown, RefusalReason.SCHEMA))
            case _:
                number = as_number(value, field, shown, RefusalReason.BAD_AMOUNT) * self._factor(field, roots)
                result = self._money(number, field, shown, exact=isinstance(value, str))
        return result

    def _factor(self, field: Field, roots: Roots) -> Decimal:
        if field.times is None:
            return Decimal(1)
        value, shown = look_up(field.times, roots), field.times.shown
        plain = Field(target="", kind="number", required=True, decimal=field.decimal, thousands=field.thousands)
        return as_number(value, plain, shown, RefusalReason.BAD_AMOUNT)

    def _money(self, number: Decimal, field: Field, shown: str, *, exact: bool) -> int:
        if field.round_half_up:
            number = _rounded(number, field, self._currency, shown)
        return as_minor(number, field, self._currency, shown, exact=exact)

    def _sum(self, field: Field, over: Place, roots: Roots) -> int | float | None:
        if look_up(over, roots) is None:
            return None
        total, exact = Decimal(0), True
        for item in self._items(field, over, roots):
            for place in field.places:
                value, shown = look_up(place, item), place.shown
                number = as_number(value, field, shown, RefusalReason.BAD_AMOUNT) * self._factor(field, item)
                total += _rounded(number, field, self._currency, shown) if field.round_half_up else number
                exact = exact and isinstance(value, str)
        if field.kind == "money":
            return as_minor(total, field, self._currency, _shown(field), exact=exact)
        return _whole(total, _shown(field)) if field.kind == "integer" else float(total)

    def _list(self, field: Field, roots: Roots) -> list[dict[str, Any]] | None:
        items = self._items(field, field.places[0], roots)[: field.first]
        return [self.members(field.fields, item) for item in items] or None

    def _items(self, field: Field, place: Place, roots: Roots) -> list[Roots]:
        items = look_up(place, roots)
        if items is None:
            return []
        if not isinstance(items, list):
            raise UnusableError(RefusalReason.SCHEMA, place.shown, "expected a list")
        opened = [{**roots, "": item} for item in items]
        return [item for item in opened if all(holds(test, item) for test in field.where)]


def _rounded(number: Decimal, field: Field, currency: str, shown: str) -> Decimal:
    if number and number.adjusted() >= _DIGITS_MAX:
        raise UnusableError(RefusalReason.BAD_AMOUNT, shown, f"has more than {_DIGITS_MAX} digits")
    decimals = EXPONENTS.get(currency, 0) if field.money == "decimal" else 0
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _whole(number: Decimal, shown: str) -> int:
    if number != number.to_integral_value():
        raise UnusableError(RefusalReason.SCHEMA, shown, f"expected a whole number, got {quoted(str(number))}")
    return int(number)


def _word(field: Field, text: str, shown: str) -> str | None:
    text = text.removeprefix(field.strip_prefix).removesuffix(field.strip_suffix)
    if field.values is None:
        return text or None
    word = field.values.get(text, field.other)
    if word is None:
        raise UnusableError(RefusalReason.SCHEMA, shown, f"{quoted(text)} is not among `values`")
    return word


def _shown(field: Field) -> str:
    if field.over is not None:
        return field.over.shown
    return field.places[0].shown if field.places else f"`{field.target}`"


def _reason_for_nothing(field: Field) -> RefusalReason:
    return RefusalReason.NO_CUSTOMER if field.target == "customer_id" else RefusalReason.SCHEMA
