"""What a mapping file says, as data: which records become which events, and where each field comes from.

`streams/mappings` reads the TOML; `schemas.formats.mapped` applies it.
"""

from datetime import tzinfo
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["text", "integer", "number", "flag", "money", "instant", "table", "list"]
"""What a field of ours holds, and so how a foreign value is read."""
Test: TypeAlias = Literal["equals", "one_of", "not_one_of", "starts_with", "not_starts_with", "given", "above", "below"]
EpochUnit: TypeAlias = Literal["s", "ms", "us", "ns", "days"]

MS_PER_UNIT = {"s": (1_000, 1), "ms": (1, 1), "us": (1, 1_000), "ns": (1, 1_000_000), "days": (86_400_000, 1)}
"""Epoch unit to factor and divisor that give milliseconds."""


class Place(msgspec.Struct, frozen=True):
    """Where in a record something stands."""

    root: str
    """Empty for the document (the row, in a table); else what an `@` names, such as `header` or `op`."""
    keys: tuple[str | int, ...]
    shown: str
    """As refusals name it."""


class Condition(msgspec.Struct, frozen=True):
    """One test of a record; texts are compared, so 1 equals "1"."""

    place: Place
    test: Test
    operands: tuple[str, ...]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """How one field of an event is filled. Of the options, those of its kind count."""

    target: str
    kind: Kind
    required: bool
    places: tuple[Place, ...] = ()
    """The first that holds something is taken."""
    constant: str | int | float | bool | None = None

    values: dict[str, str] | None = None
    """Text: foreign word to ours."""
    other: str | None = None
    """Text: for words that `values` does not have; without it they are refused."""
    strip_prefix: str = ""
    strip_suffix: str = ""

    money: Literal["decimal", "minor"] = "minor"
    scale: int | None = None
    """Money and numbers: the text is base64 of the unscaled big-endian integer, as Kafka Connect writes decimals."""
    decimal: str = "."
    thousands: str = ""
    negate: bool = False
    over: Place | None = None
    """Money and numbers: the list whose items are summed."""
    times: Place | None = None
    """Money and numbers: multiplied with this, such as a quantity."""
    round_half_up: bool = False
    """Money: each product is rounded to whole minor units, as tills do."""

    epoch: EpochUnit | None = None
    pattern: str | None = None
    """Instants: as `strptime` has it; RFC 3339 or ISO 8601 without it."""
    zone: tzinfo | None = None
    """Instants: of times without an offset, and of epochs only where the field itself names it."""

    fields: tuple["Field", ...] = ()
    where: tuple[Condition, ...] = ()
    """Lists and sums: which items count."""
    first: int | None = None
    """Lists: how many items are kept."""


class Rule(msgspec.Struct, frozen=True):
    """One `[[event]]`: a record for which all conditions hold becomes this event."""

    type: str
    when: tuple[Condition, ...]
    operations: frozenset[str]
    """Debezium: the `op` codes that it takes."""
    fields: tuple[Field, ...]


class Layout(msgspec.Struct, frozen=True):
    """How a CSV file is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str = '"'
    header: tuple[str, ...] = ()
    """Names of the columns, for files whose first line is data already."""
    group_by: tuple[str, ...] = ()
    """Rows that agree in these columns are one record; `@rows` are its rows, the rest is read from the first."""


class Mapping(msgspec.Struct, frozen=True):
    """A whole mapping file."""

    format: str
    source: str
    otherwise: Literal["refuse", "skip"]
    rules: tuple[Rule, ...]
    layout: Layout
    columns: frozenset[str]
    """CSV: every column that is read."""
