"""Puts millions of lines in order of time without holding them: by days first, each day in memory on its own.

Lines wait in memory until there are LINES_MAX of them, then all days are appended to files, one per day. Reading a day
sorts it: what is held at a time is the larger of LINES_MAX lines and the busiest day.
"""

from collections.abc import Iterator
from pathlib import Path

LINES_MAX = 200_000
"""About 100 MB."""

_KEY = b"%016d%010d%06d"
_KEY_LENGTH = 32
_NO_MINUS = 10**15
"""Added to instants, so that they have one length, before 1970 too."""


class DayFiles:
    """Takes lines in any order; give each to the day on which it is due."""

    def __init__(self, folder: Path) -> None:
        """`folder` has to exist; what is written there is removed by reading it."""
        self._folder = folder
        self._waiting: dict[int, list[bytes]] = {}
        self._count = 0
        self._spilled: set[int] = set()

    def add(self, day: int, instant: int, number: int, place: int, line: bytes) -> None:
        """A line without line breaks; lines come out in order of (day, instant, number, place)."""
        keyed = _KEY % (instant + _NO_MINUS, number, place) + line
        held = self._waiting.get(day)
        if held is None:
            self._waiting[day] = [keyed]
        else:
            held.append(keyed)
        self._count += 1
        if self._count >= LINES_MAX:
            self._spill()

    def in_order(self) -> Iterator[bytes]:
        """Every line, without its end."""
        for day in sorted(self._spilled | self._waiting.keys()):
            lines = self._waiting.pop(day, [])
            if day in self._spilled:
                path = self._path(day)
                lines += path.read_bytes().splitlines()
                path.unlink()
            lines.sort()
            for line in lines:
                yield line[_KEY_LENGTH:]

    def _spill(self) -> None:
        for day, lines in self._waiting.items():
            with self._path(day).open("ab") as file:
                file.write(b"\n".join(lines) + b"\n")
        self._spilled |= self._waiting.keys()
        self._waiting, self._count = {}, 0

    def _path(self, day: int) -> Path:
        return self._folder / f"{day}.lines"
