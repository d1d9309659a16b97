"""The door from a mapping file to a mapping: data, never code; all mistakes are reported together, by line and key."""

import codecs
from collections.abc import Iterable
from datetime import tzinfo
from typing import Final, Literal, NamedTuple

from schemas.events import EVENT_CLASSES
from schemas.formats.debezium import OPERATIONS
from schemas.formats.mapping import Field, Layout, Mapping, Place, Rule
from schemas.formats.record import MAPPED_FORMATS
from schemas.formats.table import ENCODINGS
from schemas.reflection import hints_of
from streams.calendar import rules_of, zone_names
from streams.mappings.fields import FieldReader
from streams.mappings.places import Places
from streams.policy.document import Node, PolicyError, read
from streams.policy.reading import Table, did_you_mean, quoted

SECTIONS: Final = ("mapping", "csv", "event")
MAPPING_KEYS: Final = ("format", "source", "time_zone", "money", "otherwise")
CSV_KEYS: Final = ("delimiter", "encoding", "quote", "decimal", "thousands", "header", "group_by")
EVENT_KEYS: Final = ("type", "when", "on", "fields")
ROOTS: Final = {
    "json": ("key", "header"),
    "outbox": ("key", "header"),
    "debezium": ("key", "header", "op", "ts_ms", "source", "before", "after", "transaction"),
    "csv": ("rows",),
}
"""What an `@` may name, by format."""
DEFAULT_OPERATIONS: Final = ("create", "update", "read")
SET_BY_US: Final = frozenset({"type", "recordedtime"})

MappingMistake = PolicyError
"""Line, key and message of one mistake."""


class Defaults(NamedTuple):
    """What `[mapping]` and `[csv]` say for all fields."""

    zone: tzinfo | None
    money: Literal["decimal", "minor"] | None
    decimal: str
    thousands: str


def parse(text: str) -> Mapping | list[MappingMistake]:
    """The mapping of a TOML text, or every mistake in it, by line."""
    root = read(text)
    if isinstance(root, PolicyError):
        return [root]
    mistakes: list[MappingMistake] = []
    document = Table(root, SECTIONS, mistakes)
    header_node = document.find("mapping", hint='[mapping] with format = "json", "debezium", "outbox" or "csv"')
    header = Table(header_node or Node({}, root.line, "mapping"), MAPPING_KEYS, mistakes)
    format_name = choice(header, "format", MAPPED_FORMATS, hint="one of " + ", ".join(MAPPED_FORMATS))
    if header_node is None or format_name is None:
        return sorted(mistakes, key=lambda mistake: mistake.line)
    table_node = document.find("csv")
    table = Table(table_node or Node({}, 1, "csv"), CSV_KEYS, mistakes)
    if table_node is not None and format_name != "csv":
        document.note(table_node, f'is for format = "csv", and this is "{format_name}"')
    layout = _layout(table)
    defaults = Defaults(_zone(header), _money(header), *_marks(table))
    source, otherwise = header.text("source") or "", choice(header, "otherwise", ("refuse", "skip"))
    roots = ROOTS[format_name] if layout.group_by or format_name != "csv" else ()
    places = Places(roots, mistakes, is_table=format_name == "csv")
    rules = [
        rule
        for node in document.array("event", hint="[[event]] with a type and fields")
        if (rule := _rule(node, format_name, places, defaults, mistakes)) is not None
    ]
    if mistakes:
        return sorted(mistakes, key=lambda mistake: mistake.line)
    columns = frozenset(columns_of(rules)) | set(layout.group_by) if format_name == "csv" else frozenset[str]()
    return Mapping(format_name, source, "skip" if otherwise == "skip" else "refuse", tuple(rules), layout, columns)


def _rule(
    node: Node, format_name: str, places: Places, defaults: Defaults, mistakes: list[MappingMistake]
) -> Rule | None:
    table = Table(node, EVENT_KEYS, mistakes)
    operations = frozenset(OPERATIONS[word] for word in _operations(table, format_name))
    when = places.conditions(table, "when")
    name = table.text("type", hint='type = "order.completed" or another one of `tierstream schemas list`')
    if name is not None and name not in EVENT_CLASSES:
        table.note(table.find("type"), f"no event is called {name!r}; {did_you_mean(name, EVENT_CLASSES)}")
        return None
    fields = table.find("fields", hint="[event.fields] with a line for each field")
    if name is None or fields is None:
        return None
    reader = FieldReader(places, defaults, mistakes)
    hints = {key: hint for key, hint in hints_of(EVENT_CLASSES[name]).items() if key not in SET_BY_US}
    return Rule(name, when, operations, reader.fields(fields, EVENT_CLASSES[name], hints, optional={"id"}))


def _operations(table: Table, format_name: str) -> Iterable[str]:
    node = table.find("on")
    if node is None:
        return DEFAULT_OPERATIONS
    if format_name != "debezium":
        table.note(node, 'is for format = "debezium" alone')
        return ()
    words = table.array("on", hint=quoted(OPERATIONS))
    for word in words:
        if word.value not in OPERATIONS:
            table.note(word, f"has to be {quoted(OPERATIONS)}")
    return [str(word.value) for word in words if word.value in OPERATIONS]


def _layout(table: Table) -> Layout:
    encoding = choice(table, "encoding", ENCODINGS) or "utf-8"
    quote = table.find("quote")
    header, group_by = _texts(table, "header"), _texts(table, "group_by")
    if len(set(header)) < len(header):
        table.note(table.find("header"), "names a column twice")
    if header:
        for node in table.array("group_by"):
            if node.value not in header:
                table.note(node, f"is no column of `header`; {did_you_mean(str(node.value), header)}")
    return Layout(
        delimiter=_mark(table, "delimiter", ","),
        encoding=codecs.lookup(encoding).name,
        quote="" if quote is not None and quote.value == "" else _mark(table, "quote", '"'),
        header=header,
        group_by=group_by,
    )


def _marks(table: Table) -> tuple[str, str]:
    decimal, thousands = _mark(table, "decimal", "."), _mark(table, "thousands", "")
    if decimal == thousands:
        table.note(table.find("thousands"), f"is {thousands!r}, and so is `decimal`")
    return decimal, thousands


def _mark(table: Table, name: str, default: str) -> str:
    node = table.find(name)
    if node is None:
        return default
    if isinstance(node.value, str) and len(node.value) == 1 and node.value.isascii() and node.value not in "\r\n":
        return node.value
    table.note(node, "has to be one character in quotes, of ASCII")
    return default


def _texts(table: Table, name: str) -> tuple[str, ...]:
    nodes = table.array(name)
    for node in nodes:
        if not isinstance(node.value, str) or not node.value:
            table.note(node, "has to be the name of a column, in quotes")
    return tuple(node.value for node in nodes if isinstance(node.value, str) and node.value)


def _zone(header: Table) -> tzinfo | None:
    name = header.text("time_zone")
    if name is None:
        return None
    if name not in zone_names():
        header.note(header.find("time_zone"), f"no IANA time zone is called {name!r}")
        return None
    return rules_of(name)


def _money(header: Table) -> Literal["decimal", "minor"] | None:
    match choice(header, "money", ("decimal", "minor")):
        case "decimal":
            return "decimal"
        case "minor":
            return "minor"
        case _:
            return None


def choice(table: Table, name: str, known: Iterable[str], *, hint: str | None = None) -> str | None:
    """One of a few words."""
    text, words = table.text(name, hint=hint), tuple(known)
    if text is None or text in words:
        return text
    table.note(table.find(name), f"has to be {quoted(words)}; {did_you_mean(text, words)}")
    return None


def columns_of(rules: Iterable[Rule]) -> Iterable[str]:
    """Every column of a table that rules read."""
    for rule in rules:
        for condition in rule.when:
            yield from _column(condition.place)
        yield from _columns_of_fields(rule.fields)


def _columns_of_fields(fields: Iterable[Field]) -> Iterable[str]:
    for field in fields:
        for place in (*field.places, field.over, field.times, *(test.place for test in field.where)):
            yield from _column(place)
        yield from _columns_of_fields(field.fields)


def _column(place: Place | None) -> Iterable[str]:
    if place is not None and not place.root:
        yield str(place.keys[0])
