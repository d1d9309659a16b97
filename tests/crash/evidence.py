"""What the checker judges: the records of each topic as plain lists, and the findings it names.

Plain data only: neither a broker nor code of the pipeline is needed to build or to judge it.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from kafka.partitioner.default import murmur2


class Entry(NamedTuple):
    """One record as a reader of committed records sees it. `timestamp` is the broker's, in epoch ms."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    partition: int
    offset: int
    timestamp: int


class Evidence(NamedTuple):
    """All topics of one application, each in (partition, offset) order; raw topics by their full names."""

    partitions: int
    raw: dict[str, list[Entry]]
    journal: list[Entry]
    changelog: list[Entry]
    tier_changes: list[Entry]
    churn_risk: list[Entry]
    notices: list[Entry]
    profiles: list[Entry]
    dead_letters: list[Entry]
    journal_topic: str = "customer-events"
    event_clock: bool = False  # recordedtime is then the event's own time, not the broker's append time
    dedupe: bool = True  # whether the fold drops repeats by producers

    def outputs(self) -> dict[str, list[Entry]]:
        """The topics on which a sequence per customer is promised."""
        return {"tier-changes": self.tier_changes, "churn-risk": self.churn_risk, "notices": self.notices}


class Finding(NamedTuple):
    """One broken promise: where it shows, without the customer's id."""

    name: str
    topic: str
    partition: int
    offset: int
    key_hash: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.topic}[{self.partition}]@{self.offset} key {self.key_hash}: {self.detail}"


def finding(name: str, topic: str, entry: Entry, detail: str = "") -> Finding:
    """A finding that points at a record."""
    return Finding(name, topic, entry.partition, entry.offset, key_hash(entry.key), detail)


def key_hash(key: bytes | None) -> str:
    """Eight hex digits that stand for a key in reports."""
    return "-" if key is None else hashlib.sha256(key).hexdigest()[:8]


def home(key: bytes, partitions: int) -> int:
    """The partition in which Kafka's Java clients place a key."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def header(entry: Entry, name: str) -> str | None:
    """The last header of that name, as text."""
    for key, value in reversed(entry.headers):
        if key == name:
            return value.decode()
    return None
