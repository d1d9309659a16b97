"""A consumer and a Redis in memory that write down what was asked of them, in one list, so that order shows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kafka import TopicPartition

from agents.profiles.layout import Layout
from agents.profiles.store import Answer, Move, Position, Write
from tests.profiles import encoded, profile

TOPIC = "customer-profiles"
PLACE = TopicPartition(TOPIC, 0)


class FakeRecord(NamedTuple):
    """What kafka-python gives."""

    offset: int
    key: bytes
    value: bytes | None
    timestamp: int = 1_000


class FakeConsumer:
    """One partition, whose records come in the portions that are laid into `portions`."""

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls
        self.portions: list[list[FakeRecord]] = []
        self.paused = False
        self._position = 0
        self.end = 0

    def offer(self, *customers: str, revision: int = 1) -> None:
        """Have a poll give a profile of each."""
        records = [
            FakeRecord(self.end + number, name.encode(), encoded(profile(name, revision)))
            for number, name in enumerate(customers)
        ]
        self.end += len(records)
        self.portions.append(records)

    def poll(self, *, timeout_ms: int) -> dict[TopicPartition, list[FakeRecord]]:
        """The next portion, unless reading is paused."""
        if self.paused or not self.portions:
            return {}
        records = self.portions.pop(0)
        self._position = records[-1].offset + 1
        return {PLACE: records}

    def pause(self, place: TopicPartition) -> None:
        """Stop giving."""
        self.paused = True

    def resume(self, place: TopicPartition) -> None:
        """Give again."""
        self.paused = False

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Note where to."""
        self.calls.append(("seek", offset))
        self._position = offset

    def position(self, place: TopicPartition) -> int:
        """The next offset."""
        return self._position

    def end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Far away."""
        return dict.fromkeys(places, 1_000)

    def partitions_for_topic(self, topic: str) -> set[int]:
        """The one."""
        return {0}

    def commit_async(self, offsets: dict[TopicPartition, Any]) -> None:
        """Note what."""
        self.calls.append(("commit", offsets[PLACE].offset))


class FakeStore:
    """A Redis that takes everything, until `broken` says why not."""

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls
        self.layout = Layout("tierstream", 1)
        self.broken: Exception | None = None
        self.lost = False
        self.marker = Position("1", 0, "ready")

    def _ask(self) -> None:
        if self.broken:
            raise self.broken

    def close(self) -> None:
        """Note that."""
        self.calls.append("close")

    def expired(self, as_of_ms: int) -> bool:
        """Never."""
        return False

    def claim(self, partition: int, topic_id: str) -> Position:
        """Give the marker."""
        self._ask()
        self.calls.append("claim")
        return self.marker

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        """Note who and which revision."""
        self._ask()
        if self.lost:
            return [Answer.LOST for _ in writes]
        self.calls.append(("write", [(w.customer.decode(), w.entry and w.entry.revision) for w in writes]))
        return [Answer.WRITTEN for _ in writes]

    def advance(self, moves: Sequence[Move]) -> list[bool]:
        """Move the marker."""
        self._ask()
        self.calls += [("advance", move.offset) for move in moves]
        for move in moves:
            self.marker = Position(self.marker.epoch, move.offset, move.state)
        return [True for _ in moves]
