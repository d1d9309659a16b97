"""What waits to be written: per customer only what the topic says last. Knows neither Kafka nor Redis.

Records of one customer come in the topic's order, as all of them lie in one partition: the last one is the newest, also
when it is a null value. So a removal needs no memory beyond this: a profile that comes later in the topic *is* later.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple


class Waiting(NamedTuple):
    """The last record of a customer."""

    partition: int
    value: bytes | None
    """None: the customer was erased."""
    erased_before: bool
    """An erasure was among the records that this one replaced: what Redis holds belongs to an earlier life."""
    timestamp_ms: int
    """When the record arrived in the topic."""


class WaitingProfiles:
    """The newest record of every customer with records that Redis lacks."""

    def __init__(self) -> None:
        self._newest: dict[bytes, Waiting] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def add(self, customer: bytes, partition: int, value: bytes | None, timestamp_ms: int) -> bool:
        """Take a record; True when it replaces one that waited."""
        before = self._newest.pop(customer, None)
        erased = before is not None and (before.value is None or before.erased_before)
        self._newest[customer] = Waiting(partition, value, erased, timestamp_ms)
        return before is not None

    def first(self, count: int) -> list[tuple[bytes, Waiting]]:
        """Those that have waited longest since their last record; they stay until `done`."""
        return list(islice(self._newest.items(), count))

    def done(self, customers: Sequence[bytes]) -> None:
        """These are in Redis."""
        for customer in customers:
            self._newest.pop(customer, None)

    def forget(self, partition: int) -> None:
        """Another process writes this partition, or it is read again."""
        for customer in [name for name, waiting in self._newest.items() if waiting.partition == partition]:
            del self._newest[customer]

    def partitions(self) -> Iterator[int]:
        """The partitions of what waits, with repeats."""
        return (waiting.partition for waiting in self._newest.values())
