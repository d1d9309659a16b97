"""Typed values out of a document's tables: every mistake is noted with its line and key, none stops the reading.

A reading method returns None where there is nothing usable; whether that was noted or just absent, the caller goes on.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches

from streams.policy.document import Node, PolicyError

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DAYS = re.compile(r"(\d{1,4}) days?")
TEXT_LENGTH_MAX = 200


def quoted(names: Iterable[str]) -> str:
    """Return names as a message shows them: `a`, `b` or `c`."""
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest known one, or what there is."""
    names = sorted(known)
    near = get_close_matches(given.lower(), names, n=1) or get_close_matches(given, names, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {', '.join(names)}" if names else "nothing is known here"


class Table:
    """One table of the document with the keys that it may have."""

    def __init__(self, node: Node, keys: Iterable[str], mistakes: list[PolicyError]) -> None:
        """Note it if this is no table, and every key that is not among `keys`."""
        self.node = node
        self.mistakes = mistakes
        self._parts = node.table()
        known = tuple(keys)
        if not isinstance(node.value, dict):
            self.note(node, f"has to be a table with {quoted(known)}")
        for name, part in self._parts.items():
            if name not in known:
                self.note(part, f"unknown key `{name}`; {did_you_mean(name, known)}")

    def note(self, place: Node | None, message: str) -> None:
        """Note a mistake, at this table if `place` is None."""
        self.mistakes.append((place or self.node).error(message))

    def find(self, name: str, *, hint: str | None = None) -> Node | None:
        """Return the entry; if it is missing and a `hint` says what to write, note that."""
        part = self._parts.get(name)
        if part is None and hint is not None and isinstance(self.node.value, dict):
            self.mistakes.append(self.node.part_error(name, f"missing; write {hint}"))
        return part

    def text(self, name: str, *, hint: str | None = None) -> str | None:
        """Return a text that is neither empty nor overlong nor unprintable."""
        part = self.find(name, hint=hint)
        if part is None:
            return None
        if not isinstance(part.value, str):
            self.note(part, 'has to be text in quotes, such as "…"')
        elif not part.value.strip() or not part.value.isprintable() or len(part.value) > TEXT_LENGTH_MAX:
            self.note(part, f"has to be 1 to {TEXT_LENGTH_MAX} printable characters")
        else:
            return part.value
        return None

    def identifier(self, name: str, *, hint: str | None = None) -> str | None:
        """Return an id: stable, plain, fit for keys and metrics."""
        text = self.text(name, hint=hint)
        if text is not None and ID.fullmatch(text) is None:
            self.note(self.find(name), f"{text!r} is no id: lower-case letters, digits, - and _, at most 64 in all")
            return None
        return text

    def days(self, name: str, *, low: int, high: int, hint: str | None = None) -> int | None:
        """Return a length of time, written as text such as "30 days"."""
        part = self.find(name, hint=hint)
        if part is None:
            return None
        written = DAYS.fullmatch(part.value) if isinstance(part.value, str) else None
        if written is None:
            self.note(part, 'has to be a number of days in quotes, such as "30 days"')
        elif not low <= int(written[1]) <= high:
            self.note(part, f"has to be {low} to {high} days")
        else:
            return int(written[1])
        return None

    def number(self, name: str, *, hint: str | None = None) -> Decimal | None:
        """Return an exact finite number, written as an integer or with a decimal point."""
        part = self.find(name, hint=hint)
        if part is None:
            return None
        if isinstance(part.value, bool) or not isinstance(part.value, int | Decimal):
            self.note(part, "has to be a number, without quotes")
        elif not Decimal(part.value).is_finite():
            self.note(part, "has to be a finite number")
        else:
            return Decimal(part.value)
        return None

    def array(self, name: str, *, hint: str | None = None) -> list[Node]:
        """Return an array's elements; an absent array has none, an empty one where something is asked for is noted."""
        part = self.find(name, hint=hint)
        if part is None:
            return []
        if not isinstance(part.value, list):
            self.note(part, "has to be an array: [ … ]")
        elif not part.value and hint is not None:
            self.note(part, f"is empty; write {hint}")
        return part.elements()
