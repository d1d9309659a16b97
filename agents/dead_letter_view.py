"""Dead letters as people and programs read them. A list shows no personal data; one letter, asked for, shows all."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from agents.dead_letters import Status
from schemas.clock import format_instant
from schemas.dead_letters import DeadLetter

HEX_COLUMNS: Final = 16


class Group(msgspec.Struct):
    """Letters of one status, reason and topic."""

    status: Status
    reason: str
    topic: str
    letters: int = 0
    first: str = ""
    """When the first and the last of them arrived."""
    last: str = ""


def grouped(found: Iterable[tuple[DeadLetter, Status]]) -> list[Group]:
    """Counts with the range of their times, the most frequent first."""
    groups: dict[tuple[Status, str, str], tuple[Group, list[int]]] = {}
    for letter, status in found:
        key = (status, letter.reason, letter.topic)
        group, times = groups.setdefault(key, (Group(*key), [letter.arrived_at, letter.arrived_at]))
        group.letters += 1
        times[0], times[1] = min(times[0], letter.arrived_at), max(times[1], letter.arrived_at)
    for group, (first, last) in groups.values():
        group.first, group.last = format_instant(first), format_instant(last)
    return sorted((group for group, _ in groups.values()), key=lambda group: (-group.letters, group.reason))


def row_of(letter: DeadLetter, status: Status) -> dict[str, Any]:
    """One letter in a list. The detail quotes the input, so it is left out."""
    return {
        "letter": letter.place,
        "status": status,
        "reason": letter.reason,
        "stage": letter.stage,
        "original": source_of(letter),
        "attempts": letter.attempts,
        "arrived": format_instant(letter.arrived_at),
    }


def source_of(letter: DeadLetter) -> str:
    """Where the original was read."""
    offset = "waited" if letter.source_offset < 0 else str(letter.source_offset)
    return f"{letter.topic}-{letter.partition}-{offset}"


def whole(letter: DeadLetter, status: Status) -> dict[str, Any]:
    """Everything about one letter, for programs; what is no text comes in hexadecimal."""
    return {
        **row_of(letter, status),
        "detail": letter.detail,
        "app_version": letter.app_version,
        "redriven_from": letter.redriven_from or None,
        "key": _plain(letter.key),
        "headers": [[name, _plain(value)] for name, value in letter.headers],
        "value": _plain(letter.value),
    }


def lines_of(letter: DeadLetter, status: Status) -> Iterator[tuple[str, str]]:
    """The same for people: name and text."""
    said = whole(letter, status)
    for name in ("letter", "status", "reason", "detail", "stage", "original", "attempts", "redriven_from", "arrived"):
        if said[name] is not None:
            yield name.replace("_", " "), printable(str(said[name]))
    if letter.key is not None:
        yield "key", printable(_shown(letter.key))
    for name, value in letter.headers:
        yield "header", f"{printable(name)}: {printable(_shown(value))}"


def value_text(value: bytes | None) -> str:
    """The original bytes: JSON indented, other text as it is, anything else in hexadecimal."""
    if value is None:
        return "(no value)"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return hex_dump(value)
    try:
        return printable(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return printable(text) if text.replace("\n", "").replace("\t", "").isprintable() else hex_dump(value)


def hex_dump(value: bytes) -> str:
    """Sixteen bytes a line: offset, digits, and what of it is text."""
    lines = []
    for begin in range(0, len(value), HEX_COLUMNS):
        part = value[begin : begin + HEX_COLUMNS]
        digits = part.hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)  # noqa: PLR2004 - printable ASCII
        lines.append(f"{begin:08x}  {digits:<{HEX_COLUMNS * 3}} {text}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """The text with everything escaped that could move a terminal's cursor or hide something."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _shown(value: bytes | None) -> str:
    if value is None:
        return "(null)"
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex(" ")


def _plain(value: bytes | None) -> object:
    """Bytes in JSON: text, or an object that says that it is none."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}
