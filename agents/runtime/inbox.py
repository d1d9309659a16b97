"""What was fetched for a partition and is not folded yet: bounded by bytes, and never in anybody else's way.

A chunk stays undecoded bytes here. When too much waits, the partition's own topics are paused at the consumer until
half is folded; other partitions are not touched, and a delivery never blocks.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

BYTES_MAX = 4_000_000
"""Beyond this the partition's topics are paused; at most one more fetch per topic can still arrive."""


class Chunk(NamedTuple):
    """What one fetch brought for one topic partition: every committed record of the positions [begin, end)."""

    topic: str
    partition: int
    seek: int
    """Which seek of the partition it follows; chunks of an older seek are worthless."""
    begin: int
    end: int
    batches: list[Any]
    size: int
    """Bytes as fetched."""
    generation: int
    """The consumer group's generation in which it was fetched."""


class Inbox:
    """A partition's queue of chunks, of all its topics, in the order of arrival."""

    def __init__(self, on_full: Callable[[], None], on_drained: Callable[[], None]) -> None:
        self._chunks: deque[Chunk] = deque()
        self._on_full, self._on_drained = on_full, on_drained
        self._full = False
        self.size = 0
        """Bytes waiting."""

    def put(self, chunk: Chunk) -> None:
        """Take a chunk; pauses the partition when it makes the inbox full."""
        self._chunks.append(chunk)
        self.size += chunk.size
        if not self._full and self.size > BYTES_MAX:
            self._full = True
            self._on_full()

    def get(self) -> Chunk | None:
        """Return the next chunk, None when nothing waits; resumes the partition when half is gone."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.size -= chunk.size
        if self._full and self.size <= BYTES_MAX // 2:
            self._full = False
            self._on_drained()
        return chunk

    def __len__(self) -> int:
        return len(self._chunks)
