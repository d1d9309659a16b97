"""The fields of an `[[event]]`: what each holds follows from our types, where it comes from is what the file says."""

import types
import typing
from collections.abc import Mapping as MappingABC
from collections.abc import Set as AbstractSet
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from schemas.fields import Instant
from schemas.formats.mapping import MS_PER_UNIT, EpochUnit, Field, Kind, Place
from schemas.reflection import Struct, hints_of, structs_in
from streams.calendar import rules_of, zone_names
from streams.mappings.places import Places
from streams.policy.document import Node, PolicyError
from streams.policy.reading import Table, quoted

if TYPE_CHECKING:
    from streams.mappings.parse import Defaults

_FROM: Final = ("path", "first_of", "constant")
_NUMERIC: Final = ("scale", "negate", "sum", "over", "times", "where")
OPTIONS: Final[MappingABC[Kind, tuple[str, ...]]] = {
    "text": (*_FROM, "values", "other", "strip_prefix", "strip_suffix"),
    "flag": _FROM,
    "instant": (*_FROM, "epoch", "pattern", "zone"),
    "integer": (*_FROM, *_NUMERIC),
    "number": (*_FROM, *_NUMERIC),
    "money": (*_FROM, *_NUMERIC, "money", "round"),
    "list": ("each", "where", "first", "fields"),
    "table": (),
}
"""What the table of a field may say, by what the field holds."""
_BASES: Final[MappingABC[type, Kind]] = {bool: "flag", int: "integer", float: "number", str: "text"}
_SAMPLE: Final = datetime(2026, 11, 22, 10, 11, 12)  # noqa: DTZ001 -- tries a pattern, means no instant


def kind_of(name: str, hint: Any) -> Kind:  # noqa: ANN401 - annotations have no common type
    """What a field of ours holds."""
    if hint in (Instant, Instant | None):
        return "instant"
    if structs_in(hint):
        return "list" if tuple in _origins(hint) else "table"
    if name.endswith("_minor"):
        return "money"
    return next(kind for base, kind in _BASES.items() if base in _origins(hint))


def _origins(hint: Any) -> set[object]:  # noqa: ANN401 - annotations have no common type
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _origins(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return set().union(*(_origins(part) for part in typing.get_args(hint)))
    return {origin or hint}


class FieldReader:
    """Reads the fields of one event, noting every mistake."""

    def __init__(self, places: Places, defaults: "Defaults", mistakes: list[PolicyError]) -> None:
        self._places, self._defaults, self._mistakes = places, defaults, mistakes

    def fields(
        self, node: Node, struct: Struct, hints: MappingABC[str, object], *, optional: AbstractSet[str] = frozenset()
    ) -> tuple[Field, ...]:
        """The fields of a table; `optional` ones may be left out although the struct needs them."""
        table = Table(node, hints, self._mistakes)
        needed = {field.encode_name for field in msgspec.structs.fields(struct) if field.required} - set(optional)
        found = []
        for name, hint in hints.items():
            part = table.find(name, hint=f'where it comes from, such as {name} = "path"' if name in needed else None)
            if part is not None:
                field = self._field(name, hint, part, required=name in needed)
                found += [field] if field is not None else []
        currency = [field for field in found if field.target == "currency"]
        return (*currency, *(field for field in found if field.target != "currency"))

    def _field(self, name: str, hint: object, node: Node, *, required: bool) -> Field | None:
        kind = kind_of(name, hint)
        if kind == "table":
            [struct] = structs_in(hint)
            fields = self.fields(node, struct, hints_of(struct))
            return Field(target=name, kind=kind, required=required, fields=fields)
        if isinstance(node.value, str | list) and kind != "list":  # the short form: nothing but a path
            node = Node({"path": node}, node.line, node.key)
        table = Table(node, OPTIONS[kind], self._mistakes)
        if kind == "list":
            return self._list(name, hint, table, required=required)
        constant = self._constant(table, kind)
        over, places = self._origin(table, has_constant=constant is not None)
        if constant is None and not places:
            return None
        options: dict[str, Any] = {}
        match kind:
            case "text":
                options = self._words(table)
            case "instant":
                options = self._instant(table, is_constant=constant is not None)
            case "money" | "integer" | "number":
                options = self._numeric(table, kind, is_constant=constant is not None)
            case _:
                pass
        return Field(target=name, kind=kind, required=required, places=places, constant=constant, over=over, **options)

    def _list(self, name: str, hint: object, table: Table, *, required: bool) -> Field | None:
        each = table.find("each", hint='each = "items"')
        fields = table.find("fields", hint="fields = { … }")
        place = None if each is None else self._places.read(each)
        if place is None or fields is None:
            return None
        [struct] = structs_in(hint)
        return Field(
            target=name,
            kind="list",
            required=required,
            places=(place,),
            fields=self.fields(fields, struct, hints_of(struct)),
            where=self._places.conditions(table, "where"),
            first=self._whole(table, "first", low=1, high=256),
        )

    def _constant(self, table: Table, kind: Kind) -> str | int | float | bool | None:
        node = table.find("constant")
        if node is None:
            return None
        wanted = {"flag": bool, "integer": int, "money": int}.get(kind, str)
        if kind == "number":
            number = table.number("constant")
            return None if number is None else float(number)
        if not isinstance(node.value, wanted) or (wanted is int and isinstance(node.value, bool)) or node.value == "":
            words = {bool: "true or false", int: "a whole number", str: "text in quotes"}
            table.note(node, f"has to be {words[wanted]}")
            return None
        return node.value if isinstance(node.value, str | int) else None

    def _origin(self, table: Table, *, has_constant: bool) -> tuple[Place | None, tuple[Place, ...]]:
        """The list that is summed, if there is one, and the places to look at."""
        given = [name for name in ("path", "first_of", "constant", "sum") if name in table.node.table()]
        if len(given) != 1:
            table.note(None, "has to say where it comes from: one of `path`, `first_of`, `constant` and `sum`")
            return None, ()
        over = table.find("over", hint='over = "items" (or "@rows"), the list' if given == ["sum"] else None)
        if has_constant or given == ["constant"]:
            return None, ()
        node = table.node.table()[given[0]]
        nodes = table.array("first_of", hint="paths") if given == ["first_of"] else [node]
        places = tuple(place for part in nodes if (place := self._places.read(part)) is not None)
        return (None if over is None else self._places.read(over)), places

    def _words(self, table: Table) -> dict[str, Any]:
        values = table.find("values")
        words = {}
        for word, node in (values.table() if values is not None else {}).items():
            if isinstance(node.value, str) and node.value:
                words[word] = node.value
            else:
                table.note(node, "has to be our word for it, in quotes")
        if values is not None and not values.table():
            table.note(values, 'has to be a table of words, such as { PAID = "paid" }')
        if values is None and table.find("other") is not None:
            table.note(table.find("other"), "stands beside `values`, and there are none")
        return {
            "values": words if values is not None else None,
            "other": table.text("other"),
            "strip_prefix": table.text("strip_prefix") or "",
            "strip_suffix": table.text("strip_suffix") or "",
        }

    def _instant(self, table: Table, *, is_constant: bool) -> dict[str, Any]:
        epoch, pattern, own = self._epoch(table), table.text("pattern"), table.text("zone")
        zone: tzinfo | None = None
        if own is not None and own not in zone_names():
            table.note(table.find("zone"), f"no IANA time zone is called {own!r}")
        elif own is not None:
            zone = rules_of(own)
        elif epoch is None:
            zone = self._defaults.zone
        if epoch is not None and pattern is not None:
            table.note(table.find("pattern"), "a time is an `epoch` number or has a `pattern`, not both")
        if pattern is not None:
            self._try(pattern, table, zoned=zone is not None or own is not None or is_constant)
        return {"epoch": epoch, "pattern": pattern, "zone": zone}

    def _epoch(self, table: Table) -> EpochUnit | None:
        text = table.text("epoch")
        units: dict[str, EpochUnit] = {"s": "s", "ms": "ms", "us": "us", "ns": "ns", "days": "days"}
        if text is not None and text not in units:
            table.note(table.find("epoch"), f"has to be {quoted(MS_PER_UNIT)}")
        return None if text is None else units.get(text)

    def _try(self, pattern: str, table: Table, *, zoned: bool) -> None:
        try:
            datetime.strptime(_SAMPLE.strftime(pattern.replace("%z", "+0000")), pattern)  # noqa: DTZ007 -- only a trial
        except (ValueError, KeyError, IndexError) as error:
            table.note(table.find("pattern"), f"is no pattern of strptime's: {error}")
        if "%z" not in pattern and not zoned:
            hint = 'zone = "Europe/Berlin" here, or time_zone under [mapping]'
            table.note(table.find("pattern"), f"gives local times: say of which zone, {hint}")

    def _numeric(self, table: Table, kind: Kind, *, is_constant: bool) -> dict[str, Any]:
        times = table.find("times")
        options: dict[str, Any] = {
            "decimal": self._defaults.decimal,
            "thousands": self._defaults.thousands,
            "scale": self._whole(table, "scale", low=0, high=18),
            "negate": self._flag(table, "negate"),
            "times": None if times is None else self._places.read(times),
            "where": self._places.conditions(table, "where"),
        }
        if kind == "money":
            options["money"] = self._money(table, is_constant=is_constant)
            rounding = table.text("round")
            if rounding not in (None, "half_up"):
                table.note(table.find("round"), "has to be `half_up`")
            options["round_half_up"] = rounding == "half_up"
        elif times is not None and table.find("sum") is None:
            table.note(times, "stands beside `sum`")
        return options

    def _money(self, table: Table, *, is_constant: bool) -> Literal["decimal", "minor"]:
        own = table.text("money")
        if own not in (None, "decimal", "minor"):
            table.note(table.find("money"), "has to be `decimal` or `minor`")
        if own is None and self._defaults.money is None and not is_constant:
            table.note(None, 'say money = "decimal" (27.50) or "minor" (2750), here or under [mapping]: never guessed')
        return "decimal" if (own or self._defaults.money) == "decimal" else "minor"

    def _whole(self, table: Table, name: str, *, low: int, high: int) -> int | None:
        number = table.number(name)
        if number is None:
            return None
        if number != number.to_integral_value() or not low <= number <= high:
            table.note(table.find(name), f"has to be a whole number of {low} to {high}")
            return None
        return int(number)

    def _flag(self, table: Table, name: str) -> bool:
        node = table.find(name)
        if node is not None and not isinstance(node.value, bool):
            table.note(node, "has to be true or false")
        return node is not None and node.value is True
