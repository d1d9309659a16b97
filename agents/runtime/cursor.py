"""The one place that knows which record comes next: a position per source topic, moved record by record."""

from collections.abc import Mapping, Sequence

from agents.errors import BugError
from agents.runtime.inbox import Chunk
from agents.runtime.records import to_records
from agents.runtime.stage import Record


class Cursor:
    """Next offset per topic, and what of it is committed.

    Chunks of one generation can overlap (a fetch from the group's offset may arrive before the seek took effect): what
    lies before the cursor is left out, also inside a batch. A chunk that begins beyond it means that one was lost.
    """

    def __init__(self, partition: int, offsets: Mapping[str, int]) -> None:
        self._partition = partition
        self.next = dict(offsets)
        """Next offset to fold, by topic."""
        self.committed = dict(offsets)
        """The same, of the last committed transaction."""

    def open(self, chunk: Chunk) -> list[Record]:
        """Return the chunk's records from the cursor on; raises BugError when the cursor is not reached by it."""
        position = self.next[chunk.topic]
        if chunk.begin > position:
            raise BugError(
                "A fetched chunk is missing.",
                where=f"{chunk.topic}-{self._partition}",
                why=f"the next chunk begins at {chunk.begin}, but the next offset to fold is {position}",
                next_step="start the worker again; it goes on from the committed position",
            )
        records: list[Record] = []
        for batch in chunk.batches:
            if batch.next_offset > position:
                records += to_records(batch, chunk.topic, self._partition, position)
        return records

    def folded(self, records: Sequence[Record], count: int) -> None:
        """Move past the first `count` records, all of one topic."""
        last = records[count - 1]
        self.next[last.topic] = last.offset + 1

    def close(self, chunk: Chunk) -> None:
        """Move past the chunk's end: control records take offsets too."""
        self.next[chunk.topic] = max(self.next[chunk.topic], chunk.end)
