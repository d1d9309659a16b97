"""A policy file as a tree in which every value knows its line: TOML in, no meaning yet.

Here live reading, the errors that name line and key, and the laying of one's own file over a preset.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

import msgspec

from streams.policy.positions import Path, lines_of

Scalar: TypeAlias = str | bool | int | Decimal | datetime | date | time

# Arrays of tables in which an element of one's own file goes over the preset's element of the same id.
MERGED_BY_ID = ("ladder", "tier")
WHOLE_FILE = "(file)"
PLACE_IN_MESSAGE = re.compile(r" \(at line (\d+), column \d+\)$")


class PolicyError(msgspec.Struct, frozen=True):
    """One mistake in a policy file: where it stands, and what to do about it."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.key}: {self.message}"


class Node(NamedTuple):
    """A value with its place. What comes from a preset has the line of `extends`, where one's own file asks for it."""

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int
    key: str
    inherited: bool = False

    def error(self, message: str) -> PolicyError:
        """Return the mistake at this place."""
        return PolicyError(line=self.line, key=self.key, message=message)

    def part_error(self, name: str, message: str) -> PolicyError:
        """Return the mistake of an entry that is not there."""
        key = name if self.key == WHOLE_FILE else f"{self.key}.{name}"
        return PolicyError(line=self.line, key=key, message=message)

    def table(self) -> "Mapping[str, Node]":
        """Return the table's entries; none if this is no table."""
        return self.value if isinstance(self.value, dict) else {}

    def elements(self) -> "list[Node]":
        """Return the array's elements; none if this is no array."""
        return self.value if isinstance(self.value, list) else []


def read(text: str) -> Node | PolicyError:
    """Return the tree of a TOML text, its floats as exact decimals, or the first place where it is no TOML."""
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        return PolicyError(line=1, key=WHOLE_FILE, message="not read: arrays or tables are nested too deeply")
    except ValueError as mistake:  # TOMLDecodeError, or an integer too long for Python
        message = str(mistake)
        place = PLACE_IN_MESSAGE.search(message)
        last_line = text.count("\n") + 1
        why = PLACE_IN_MESSAGE.sub("", message.removesuffix(" (at end of document)"))
        return PolicyError(line=int(place[1]) if place else last_line, key=WHOLE_FILE, message=f"not TOML: {why}")
    return _located(values, (), lines_of(text))


def _located(value: Any, path: Path, lines: Mapping[Path, int]) -> Node:  # noqa: ANN401 - what tomllib returns
    """Build the tree; a part that was never written by itself has the line of what contains it."""
    line = next(lines[path[:length]] for length in range(len(path), -1, -1) if path[:length] in lines)
    key = _text_of(path) or WHOLE_FILE
    if isinstance(value, dict):
        return Node({name: _located(part, (*path, name), lines) for name, part in value.items()}, line, key)
    if isinstance(value, list):
        return Node([_located(part, (*path, index), lines) for index, part in enumerate(value)], line, key)
    return Node(value, line, key)


def _text_of(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def inherit(preset: Node, name: str, line: int) -> Node:
    """Return a preset's tree as part of the file that extends it at `line`."""
    value = preset.value
    if isinstance(value, dict):
        value = {key: inherit(part, name, line) for key, part in value.items()}
    elif isinstance(value, list):
        value = [inherit(part, name, line) for part in value]
    return Node(value, line, f"{name}: {preset.key}", inherited=True)


def overlay(preset: Node, own: Node) -> Node:
    """Lay one's own file over an inherited preset: tables by key down to tiers, ladders and tiers by id.

    A tier that the preset does not have takes its place right above the tier written before it in one's own file, or at
    the bottom if it comes first. Below the tier a key is replaced whole.
    """
    merged = dict(preset.table())
    for name, part in own.table().items():
        below = merged.get(name)
        if below is None:
            merged[name] = part
        elif name in MERGED_BY_ID and isinstance(part.value, list):
            merged[name] = Node(_overlay_by_id(below.elements(), part.elements()), part.line, part.key)
        elif name == "churn" and isinstance(part.value, dict):
            merged[name] = overlay(below, part)
        else:
            merged[name] = part
    return Node(merged, own.line, own.key)


def _overlay_by_id(preset: list[Node], own: list[Node]) -> list[Node]:
    merged = list(preset)
    place = 0
    for element in own:
        given = element.table().get("id")
        same = [
            index
            for index, other in enumerate(merged)
            if given is not None and other.inherited and other.table()["id"].value == given.value
        ]
        if same:
            place = same[0] + 1
            merged[same[0]] = overlay(merged[same[0]], element)
        else:
            merged.insert(place, element)
            place += 1
    return merged
