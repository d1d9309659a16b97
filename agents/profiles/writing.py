"""Turns what waits into calls, and counts what became of them."""

import time
from collections.abc import Iterable

import msgspec
import structlog

from agents.logging_setup import customer_ref
from agents.profiles.layout import Entry
from agents.profiles.metrics import ProjectionMetrics
from agents.profiles.store import Answer, ProfileStore, Write
from agents.profiles.waiting import Waiting, WaitingProfiles
from schemas.cloudevents import decode_output
from schemas.decisions import Profile

log = structlog.get_logger(__name__)


class Writer:
    """Writes what waits, one round trip at a time."""

    def __init__(
        self, store: ProfileStore, waiting: WaitingProfiles, records_max: int, metrics: ProjectionMetrics
    ) -> None:
        self._store, self._waiting, self._records_max, self._metrics = store, waiting, records_max, metrics

    def write(self) -> set[int]:
        """Write those that have waited longest; returns the partitions whose marker is not ours any more."""
        batch = self._waiting.first(self._records_max)
        writes = [write for customer, waiting in batch for write in self._writes(customer, waiting)]
        begun = time.monotonic()
        answers = self._store.write(writes)
        self._metrics.write_seconds.observe(time.monotonic() - begun)
        lost = {write.partition for write, answer in zip(writes, answers, strict=True) if answer is Answer.LOST}
        self._waiting.done([customer for customer, waiting in batch if waiting.partition not in lost])
        self._count(zip(writes, answers, strict=True))
        newest_ms = max((waiting.timestamp_ms for _, waiting in batch if waiting.partition not in lost), default=0)
        self._metrics.newest_written_ms = max(self._metrics.newest_written_ms, newest_ms)
        return lost

    def _writes(self, customer: bytes, waiting: Waiting) -> list[Write]:
        """The calls for one customer: an earlier life is removed before the later one is written."""
        entry = None if waiting.value is None else self._entry(customer, waiting)
        writes = []
        if waiting.value is None or waiting.erased_before:
            writes.append(Write(customer, waiting.partition, None))
        if entry is not None:
            writes.append(Write(customer, waiting.partition, entry))
        return writes

    def _entry(self, customer: bytes, waiting: Waiting) -> Entry | None:
        """The profile of a record; None for what is no profile, which stays in the topic and is told here."""
        try:
            profile = decode_output(waiting.value or b"").decision
            if isinstance(profile, Profile) and profile.customer_id.encode() == customer:
                return self._store.layout.entry(profile)
            why = "not this customer's profile"
        except (msgspec.DecodeError, ValueError) as error:  # a text that is no instant is a ValueError
            why = type(error).__name__
        self._metrics.unreadable.inc()
        log.error("a record is no profile", partition=waiting.partition, customer=customer_ref(customer), why=why)
        return None

    def _count(self, answered: Iterable[tuple[Write, Answer]]) -> None:
        for write, answer in answered:
            if answer is Answer.STALE and write.entry is not None:
                self._metrics.stale.inc()
            elif write.entry is None or self._store.expired(write.entry.as_of_ms):
                self._metrics.erased.inc(int(answer is Answer.WRITTEN))
            elif answer is not Answer.LOST:
                self._metrics.written.inc()
