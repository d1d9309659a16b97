"""What a stage must offer to be run: the contract between the runtime and the two agents. Types only.

A stage is a name, its source topics and a factory of partitions. A `StagePartition` is synchronous, does no I/O and is
used by one task only. After any failure it is thrown away whole, and a new one is restored from the changelog: it may
therefore change its own memory freely before a commit.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes | None]]
StateRecord = tuple[bytes, bytes | None]
"""Key and encoded state of the changelog; None deletes."""
OutputRecord = tuple[bytes | None, bytes | None, Headers]
"""Key, value, headers of an output record."""

RUNTIME_KEYS = b"\x00runtime"
"""Changelog keys that begin so belong to the runtime; a stage never sees them and must not write them."""


class Record(NamedTuple):
    """One consumed record; the same attributes as aiokafka's ConsumerRecord, made faster."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Epoch milliseconds: the broker's append time when `timestamp_type` is 1, else the producer's word."""
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Output(NamedTuple):
    """One record to publish: the partition is always chosen by the stage."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Batch(NamedTuple):
    """What a stage wants committed together with its input position."""

    states: list[StateRecord]
    outputs: dict[tuple[str, int], list[OutputRecord]]
    """Records by (topic, partition), each list in the order of publication."""


class Restorable(Protocol):
    """What a changelog partition is read into."""

    def restore(self, records: Iterable[StateRecord]) -> None:
        """Take changelog records, in order; called repeatedly before `ready`."""

    def ready(self) -> None:
        """Take note that the changelog was read to its end."""


class StagePartition(Restorable, Protocol):
    """The state and the fold of one partition of one stage."""

    def fold(self, records: Sequence[Record], deadline: float) -> int:
        """Fold records in order until `time.perf_counter()` passes the deadline; return how many were taken.

        0 only while `work` has something to do that must come first.
        """

    def work(self, deadline: float) -> bool:
        """Do due work until the deadline; True when more remains."""

    def poll(self, watermark_ms: int | None) -> None:
        """Look at the watermark (None: unknown), at least once a second; may add records to the pending batch."""

    def drain(self) -> Batch:
        """Hand over everything since the last drain; called once per commit."""

    def committed(self) -> None:
        """Take note that the last drained batch is committed."""


class Stage(Protocol):
    """A named step of the pipeline. Its name is in the changelog's and the transactions' names: never rename it."""

    @property
    def name(self) -> str:
        """The stage's name, unique in the application."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Full names of the topics it folds, all with the same number of partitions."""

    def partition(self, number: int) -> StagePartition:
        """Make an empty partition, to be restored."""
