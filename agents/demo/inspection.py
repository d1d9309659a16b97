"""Reads some partitions of a finished demo, checks them and tells what they hold; a process of its own for each share.

Nothing but the broker's address and names goes in, and no live object comes out: what is sent back can be pickled.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from agents.demo.board import Board
from agents.demo.follow import Follower
from agents.demo.reading import Held, read_all
from agents.demo.verify import Verdict, event_identity, verify
from agents.processes import Told
from agents.replay.event_files import CHANGES, FILES, JOURNAL, PROFILES, Collector, Line
from schemas.journal import is_control_key
from streams.policy.parse import load_canonical

TELL_EVERY = 2_000


class Share(msgspec.Struct, frozen=True):
    """What one process looks at."""

    bootstrap: str
    topics: dict[str, str]
    """Catalogue names to those on the broker; the raw topic as `raw`."""
    partitions: frozenset[int]
    policy: str
    """Canonical text."""
    with_lines: bool
    """Whether the files' lines are wanted."""


class Found(msgspec.Struct):
    """What it found."""

    verdict: Verdict
    arrived: list[bytes]
    """Identities of the events on the raw topic."""
    board: Board
    """Counts, tier mix and risk bands at the end."""
    directions: Counter[str]
    """Changes of tier by direction."""
    lines: dict[str, list[Line]]
    """By topic, when wanted."""


def inspect(share: Share, told: Told) -> Found:
    """Read everything of a share; `told` is told how many records were read, and folded or compared."""
    return _Inspection(share, told).found()


class _Inspection:
    """One pass over each topic: the check, the counts and the lines take what they need as it goes by."""

    def __init__(self, share: Share, told: Told) -> None:
        self._share, self._told = share, told
        self._board = Board(begins_at=0, ends_at=0)
        self._follower = Follower(self._board, load_canonical(share.policy))
        self._collectors = {topic: Collector(topic) for topic in FILES} if share.with_lines else {}
        self._arrived: list[bytes] = []
        self._records = 0

    def found(self) -> Found:
        """Read everything."""
        published = {topic: self._read(topic) for topic in (*CHANGES, PROFILES)}
        verdict = verify(self._read("raw"), self._read(JOURNAL), published)
        for _ in self._read("dead-letters"):
            pass
        lines = {topic: collector.lines for topic, collector in self._collectors.items()}
        return Found(verdict, self._arrived, self._board, self._follower.directions, lines)

    def _read(self, topic: str) -> Iterator[Held]:
        collector = self._collectors.get(topic)
        for record in read_all(self._share.bootstrap, self._share.topics[topic], self._share.partitions):
            if collector is not None:
                collector.take(record.key, record.value, record.headers)
            self._count(topic, record)
            self._records += 1
            if self._records % TELL_EVERY == 0:
                self._told(self._records)
            yield record

    def _count(self, topic: str, record: Held) -> None:
        value = record.value or b""
        match topic:
            case "raw" if not is_control_key(record.key):
                self._arrived.append(event_identity(value))
            case "customer-events":
                self._follower.journal(record.key, value)
            case "tier-changes":
                self._follower.tier_changed(value)
            case "churn-risk":
                self._follower.risk_changed(value)
            case _:
                pass
