"""Paths and conditions of a mapping file."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, get_args

from schemas.formats.mapping import Condition, Place, Test
from streams.policy.document import Node, PolicyError
from streams.policy.reading import Table, did_you_mean, quoted

TESTS: Final[tuple[Test, ...]] = get_args(Test)
_INDEX: Final = re.compile(r"\[(-?\d{1,4})\]")
_PART: Final = re.compile(r"([^.\[\]]+)((?:\[-?\d{1,4}\])*)")


class Places:
    """Reads paths: `customer.id`, `items[0].price`, `@header.id`; in a table, the name of a column as it stands."""

    def __init__(self, roots: Sequence[str], mistakes: list[PolicyError], *, is_table: bool) -> None:
        """`roots` are the names that an `@` may have."""
        self.roots, self.mistakes, self.is_table = roots, mistakes, is_table

    def read(self, node: Node) -> Place | None:
        """The place of a text, or of an array of keys, for keys that hold dots."""
        value = node.value
        if isinstance(value, list):
            keys = [part.value for part in value]
            if not keys or not all(isinstance(key, str | int) and not isinstance(key, bool) for key in keys):
                self.mistakes.append(node.error('has to be an array of keys, such as ["a.b", "c", 0]'))
                return None
            plain = tuple(key for key in keys if isinstance(key, str | int))
            return Place("", plain, "$." + ".".join(str(key) for key in plain))
        if not isinstance(value, str) or not value or not value.isprintable():
            self.mistakes.append(node.error('has to be a path in quotes, such as "customer.id"'))
            return None
        if value.startswith("@"):
            return self._rooted(node, value)
        if self.is_table:
            return Place("", (value,), f"column `{value}`")
        keys_found = self._keys(node, value)
        return None if keys_found is None else Place("", keys_found, "$." + value)

    def _rooted(self, node: Node, path: str) -> Place | None:
        name, _, rest = path[1:].partition(".")
        bare, bracket, index = name.partition("[")
        rest = f"[{index}.{rest}" if bracket and rest else f"[{index}" if bracket else rest
        if bare not in self.roots:
            known = [f"@{root}" for root in self.roots]
            message = f"nothing is called `@{bare}` here; {did_you_mean('@' + bare, known)}"
            self.mistakes.append(node.error(message))
            return None
        keys = self._keys(node, rest) if rest else ()
        return None if keys is None else Place(bare, keys, path)

    def _keys(self, node: Node, path: str) -> tuple[str | int, ...] | None:
        keys: list[str | int] = []
        for part in path.split("."):
            found = _PART.fullmatch(part) if part[:1] != "[" else None
            if found is None and not re.fullmatch(_INDEX.pattern + "+", part):
                self.mistakes.append(node.error(f"`{path}` is no path; write `a.b[0].c`, or an array of keys"))
                return None
            if found is not None:
                keys.append(found[1])
            keys += [int(index) for index in _INDEX.findall(found[2] if found is not None else part)]
        return tuple(keys)

    def conditions(self, table: Table, name: str) -> tuple[Condition, ...]:
        """The tests of an array, all of which have to hold."""
        found = [self._condition(node) for node in table.array(name)]
        return tuple(condition for condition in found if condition is not None)

    def _condition(self, node: Node) -> Condition | None:
        table = Table(node, ("path", *TESTS), self.mistakes)
        path = table.find("path", hint='path = "status"')
        tests = [test for test in TESTS if test in node.table()]
        if len(tests) != 1:
            table.note(node, f"has to have one test: {quoted(TESTS)}")
            return None
        [test] = tests
        operands = self._operands(table, test)
        place = None if path is None else self.read(path)
        return None if place is None or operands is None else Condition(place, test, operands)

    def _operands(self, table: Table, test: Test) -> tuple[str, ...] | None:
        node = table.node.table()[test]
        if test == "given":
            if isinstance(node.value, bool):
                return ("true" if node.value else "false",)
            table.note(node, "has to be true or false")
            return None
        if test in ("above", "below"):
            number = table.number(test)
            return None if number is None else (str(number),)
        values = node.elements() if test in ("one_of", "not_one_of") else [node]
        texts = [_plain(value.value) for value in values]
        if not texts or not all(texts):
            table.note(node, "has to be an array of words" if test.endswith("one_of") else "has to be a word in quotes")
            return None
        return tuple(text for text in texts if text is not None)


def _plain(value: object) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | Decimal():
            return str(value)
        case _:
            return None
