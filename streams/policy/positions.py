"""Where each key of a TOML text stands: the parser of the standard library gives values without their lines.

This scan reads only structure (headers, keys, brackets, strings, comments) and leaves all judgement to `tomllib`: it is
called on text that `tomllib` has accepted, and on no other.
"""

import re
import tomllib
from bisect import bisect_right
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'  # up to two quotes may stand right before the closing three
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]+")


def lines_of(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every table, key and array element of a valid TOML text, by its path."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.lines: dict[Path, int] = {(): 1}
        self.elements: dict[Path, int] = {}  # how many [[headers]] an array of tables has had so far

    def document(self) -> None:
        table: Path = ()
        self.blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.blank()

    def header(self) -> Path:
        line = self.line()
        is_element = self.text.startswith("[[", self.at)
        self.at += 2 if is_element else 1
        parts = self.key()
        self.at += 2 if is_element else 1
        path: Path = ()
        for part in parts[:-1]:
            path = self.inside((*path, part))
            self.lines.setdefault(path, line)
        path = (*path, parts[-1])
        self.lines.setdefault(path, line)
        if not is_element:
            self.lines[self.inside(path)] = line
            return self.inside(path)
        self.elements[path] = self.elements.get(path, 0) + 1
        path = self.inside(path)
        self.lines[path] = line
        return path

    def inside(self, path: Path) -> Path:
        """A header goes on in the last element of an array of tables."""
        return (*path, self.elements[path] - 1) if path in self.elements else path

    def pair(self, table: Path) -> None:
        line = self.line()
        path = table
        for part in self.key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.at += 1  # the sign of equality
        self.value(path)

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.blank()
            if bare := BARE_KEY.match(self.text, self.at):
                parts.append(bare[0])
                self.at = bare.end()
            else:
                parts.append(tomllib.loads(f"key = {self.string()}")["key"])
            self.blank()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def value(self, path: Path) -> None:
        self.blank()
        opening = self.text[self.at]
        if opening in "\"'":
            self.string()
        elif opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        elif scalar := SCALAR.match(self.text, self.at):
            self.at = scalar.end()

    def array(self, path: Path) -> None:
        index = 0
        self.at += 1
        self.blank()
        while self.text[self.at] != "]":
            self.lines[(*path, index)] = self.line()
            self.value((*path, index))
            index += 1
            self.separator()
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.blank()
        while self.text[self.at] != "}":
            self.pair(path)
            self.separator()
        self.at += 1

    def separator(self) -> None:
        self.blank()
        if self.text[self.at] == ",":
            self.at += 1
            self.blank()

    def string(self) -> str:
        found = STRING.match(self.text, self.at)
        if found is None:
            raise ValueError(f"no TOML string at offset {self.at}")
        self.at = found.end()
        return found[0]

    def blank(self) -> None:
        found = BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def line(self) -> int:
        return bisect_right(self.line_starts, self.at)
