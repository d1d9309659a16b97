"""Reads some partitions of a finished demo, checks them and tells what they hold; a process of its own for each share.

Nothing but the broker's address and names goes in, and no live object comes out: what is sent back can be pickled.
"""

import gc
import signal
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection

import msgspec

from agents.demo.board import Board
from agents.demo.files import FILES, PROFILES, Collector, Line
from agents.demo.follow import Follower
from agents.demo.reading import Held, read_all
from agents.demo.refold import CHANGES
from agents.demo.verify import Verdict, event_identity, verify
from agents.errors import TierstreamError
from schemas.journal import is_control_key
from streams.policy.parse import load_canonical

JOURNAL = "customer-events"
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


class Progress(msgspec.Struct, frozen=True):
    """How many records it has read, and folded or compared."""

    done: int


def inspect_in_process(share: Share, teller: Connection) -> None:
    """Inspect, and tell Progress now and then, and Found, or the TierstreamError that came between, at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which then ends this process
    gc.disable()  # nothing here is cyclic, and walking all live objects again and again takes half of the time
    try:
        teller.send(_Inspection(share, teller).found())
    except TierstreamError as error:
        teller.send(error)


class _Inspection:
    """One pass over each topic: the check, the counts and the lines take what they need as it goes by."""

    def __init__(self, share: Share, teller: Connection) -> None:
        self._share, self._teller = share, teller
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
                collector.take(record)
            self._count(topic, record)
            self._records += 1
            if self._records % TELL_EVERY == 0:
                self._teller.send(Progress(self._records))
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
