"""Event files that may be larger than memory: each process writes sorted runs, and merging them gives the files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from heapq import merge
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

from agents.replay.event_files import FILES, Line, collation, write_sorted

RUN_BYTES: Final = 64_000_000
"""How much of one topic a process holds before it writes a run."""
_LENGTHS: Final = Struct(">II")

Runs = Mapping[str, list[Path]]
"""Topic to run files, in the order in which they were written."""


class RunWriter:
    """The lines of one share of the customers."""

    def __init__(self, folder: Path, name: str) -> None:
        """`name` tells this share's files from others'."""
        self._folder, self._name = folder, name
        self._lines: dict[str, list[Line]] = {topic: [] for topic in FILES}
        self._bytes = dict.fromkeys(FILES, 0)
        self.runs: dict[str, list[Path]] = {topic: [] for topic in FILES}
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, topic: str, key: bytes, line: bytes) -> None:
        """A line; those of one key come in their order."""
        self._lines[topic].append((key, line))
        self._bytes[topic] += len(key) + len(line)
        if self._bytes[topic] > RUN_BYTES:
            self._write(topic)

    def close(self) -> None:
        """Write what is left."""
        for topic in FILES:
            self._write(topic)

    def _write(self, topic: str) -> None:
        lines, self._lines[topic], self._bytes[topic] = self._lines[topic], [], 0
        if not lines:
            return
        lines.sort(key=collation)
        path = self._folder / f"{topic}.{self._name}.{len(self.runs[topic])}"
        with path.open("wb") as file:
            for key, line in lines:
                file.write(_LENGTHS.pack(len(key), len(line)) + key + line)
        self.runs[topic].append(path)


def write_files(folder: Path, shares: Sequence[Runs], topics: Iterable[str]) -> int:
    """Merge the runs of all shares into these topics' files and remove them; returns the number of lines."""
    count = 0
    for topic in topics:
        paths = [path for runs in shares for path in runs.get(topic, ())]
        with ExitStack() as opened:
            runs = [_lines_of(opened.enter_context(path.open("rb"))) for path in paths]
            count += write_sorted(folder, topic, merge(*runs, key=collation))
        for path in paths:
            path.unlink()
    return count


def _lines_of(file: BinaryIO) -> Iterator[Line]:
    while head := file.read(_LENGTHS.size):
        key_bytes, line_bytes = _LENGTHS.unpack(head)
        yield file.read(key_bytes), file.read(line_bytes)
