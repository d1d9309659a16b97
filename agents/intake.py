"""The intake stage: raw records in, journal records keyed by customer out.

Its only state is how far each file that was fed has come.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter, time
from typing import Final

from aiokafka.partitioner import murmur2

from agents.errors import BreakerOpenError
from agents.outputs import Outbox
from agents.runtime.stage import Batch, OutputRecord, Record, StateRecord
from agents.stage_metrics import LATE, RECEIVED, REPEATED, SKIPPED, StageCounts
from schemas.clock import MS_PER_DAY
from schemas.events import EVENT_CLASSES
from schemas.formats.record import Decoder, Raw, Skipped
from schemas.journal import is_control_key
from schemas.marks import FEED_HEADER, marks_of
from schemas.rejections import Rejected
from streams.breaker import Breaker
from streams.intake import Accepted, Limits, accept, accept_clock, admit

STAGE: Final = "intake"
FEEDS_MAX: Final = 1_000
"""Files remembered per partition.

A file that was fed so many files ago and is fed again is left to the customers' own dedupe.
"""
FEED_HEADER_BYTES_MAX: Final = 256
"""A longer header is none of ours."""
FEED_PREFIX: Final = b"feed:"
_HOMES_MAX: Final = 200_000
_LATE_MS: Final = MS_PER_DAY
"""An event that arrives so long after it happened is counted as late."""
_CHECK_EVERY: Final = 64
_TYPE_NAMES: Final = {cls: name for name, cls in EVENT_CLASSES.items()}
_LOG_APPEND_TIME: Final = 1
_NO_HEADERS: Final[list[tuple[str, bytes | None]]] = []


def _arrival(record: Record) -> int:
    """When the broker received it.

    A bound topic that keeps the producers' stamps is believed, but never ahead of now.
    """
    return record.timestamp if record.timestamp_type == _LOG_APPEND_TIME else min(record.timestamp, int(time() * 1000))


class IntakeStage:
    """The stage as the runtime runs it."""

    name = STAGE

    def __init__(
        self,
        sources: tuple[str, ...],
        imports: str,
        topics: dict[str, str],
        partitions: int,
        *,
        limits: Limits,
        breaker: tuple[float, int],
        counts: StageCounts,
        decoders: Mapping[str, Decoder] | None = None,
    ) -> None:
        """`imports` is the one source that may carry clock records; `breaker` is (ratio, window).

        `topics` maps catalogue names to full ones; `decoders` are those of topics in other formats than ours.
        """
        self.sources, self.imports, self.topics, self.partitions = sources, imports, topics, partitions
        self.limits, self.breaker, self.counts = limits, breaker, counts
        self.decoders = decoders or {}
        self.homes: dict[bytes, int] = {}

    def partition(self, number: int) -> "IntakePartition":
        """An empty partition."""
        return IntakePartition(self, number)

    def home(self, key: bytes) -> int:
        """The partition of a customer.

        Java's default partitioner over the id, whatever partitioner the producer uses.
        """
        home = self.homes.get(key)
        if home is None:
            if len(self.homes) >= _HOMES_MAX:
                self.homes.clear()
            home = self.homes[key] = (murmur2(key) & 0x7FFFFFFF) % self.partitions
        return home


class IntakePartition:
    """One partition number of all raw topics."""

    def __init__(self, stage: IntakeStage, number: int) -> None:
        self._stage, self._number = stage, number
        self._journal = stage.topics["customer-events"]
        self._pending: list[list[OutputRecord]] = [[] for _ in range(stage.partitions)]
        self._outbox = Outbox(stage.topics, number, stage.counts)
        self._breaker = Breaker(*stage.breaker)
        self._fed: dict[bytes, int] = {}
        self._fed_changed: dict[bytes, int | None] = {}

    def restore(self, records: Iterable[StateRecord]) -> None:
        """Take how far each fed file has come."""
        for key, value in records:
            self._fed.pop(key, None)
            if value is not None:
                self._fed[key] = int(value)

    def ready(self) -> None:
        """Nothing is derived."""

    def fold(self, records: Sequence[Record], deadline: float) -> int:
        """Accept or refuse records until the deadline."""
        limits, pending, home, count = self._stage.limits, self._pending, self._stage.home, self._count
        decoders = self._stage.decoders
        for taken, record in enumerate(records, 1):
            key, headers = record.key, record.headers
            if headers and self._fed_before(record):
                self._stage.counts[REPEATED, "intake"] += 1
            elif is_control_key(key) and record.topic == self._stage.imports:
                self._take_clock(record)
            elif decoders and record.topic in decoders:
                self._translate(record, decoders[record.topic])
            else:
                result = accept(record.value, headers, _arrival(record), limits)
                if type(result) is Rejected:
                    self._refuse(result, record)
                else:
                    pending[home(result.key)].append((result.key, result.value, _NO_HEADERS))
                    count(record.topic, result)
            if taken % _CHECK_EVERY == 0 and perf_counter() > deadline:
                return taken
        return len(records)

    def work(self, deadline: float) -> bool:
        """Nothing is ever due: `deadline` is not looked at."""
        del deadline
        return False

    def poll(self, watermark_ms: int | None) -> None:
        """The intake makes the watermark; it does not use it."""

    def drain(self) -> Batch:
        """Journal records by home partition, dead letters, and the progress of fed files."""
        outputs = self._outbox.drain()
        for partition, records in enumerate(self._pending):
            if records:
                outputs[self._journal, partition] = records
                self._pending[partition] = []
        states = [(key, None if line is None else b"%d" % line) for key, line in self._fed_changed.items()]
        self._fed_changed = {}
        return Batch(states, outputs)

    def committed(self) -> None:
        """Nothing waits for a commit."""

    def _count(self, topic: str, accepted: Accepted) -> None:
        self._breaker.accepted()
        counts, kind = self._stage.counts, _TYPE_NAMES[type(accepted.event)]
        counts[RECEIVED, topic, kind] += 1
        if accepted.recorded_at - accepted.occurred_at > _LATE_MS:
            counts[LATE, kind] += 1

    def _translate(self, record: Record, decode: Decoder) -> None:
        """Take the events of a record in another format; each that is refused is a dead letter of the record."""
        decoded = decode(Raw(record.value, record.headers, record.key))
        if isinstance(decoded, Skipped):
            self._stage.counts[SKIPPED, record.topic, decoded.cause.value] += 1
            return
        arrived_at, limits = _arrival(record), self._stage.limits
        for event in decoded:
            result = event if isinstance(event, Rejected) else admit(event, record.headers, arrived_at, limits)
            if isinstance(result, Rejected):
                self._refuse(result, record)
            else:
                self._pending[self._stage.home(result.key)].append((result.key, result.value, _NO_HEADERS))
                self._count(record.topic, result)

    def _take_clock(self, record: Record) -> None:
        value = accept_clock(record.value)
        if isinstance(value, Rejected):
            self._refuse(value, record)
        else:
            self._pending[self._number].append((record.key, value, _NO_HEADERS))

    def _refuse(self, rejected: Rejected, record: Record) -> None:
        attempts = marks_of(record.headers).redriven + 1
        self._outbox.dead_letter(rejected, record.key, record.value, record.headers, record, attempts=attempts)
        account = self._breaker.refused(rejected.reason)
        if account is not None:
            raise BreakerOpenError(
                "A partition refuses nearly everything that it receives.",
                where=f"{record.topic}[{record.partition}] up to offset {record.offset}",
                why=account,
                next_step="compare a dead letter with `tierstream schemas list`; bind a format in [[intake.source]]",
            )

    def _fed_before(self, record: Record) -> bool:
        """Whether a file's record was taken before: files are fed in order, so the highest place taken decides."""
        for name, value in record.headers:
            if name == FEED_HEADER and value is not None:
                feed, _, place = value.rpartition(b":")
                if not place.isdigit() or len(value) > FEED_HEADER_BYTES_MAX:
                    return False
                key = FEED_PREFIX + record.topic.encode() + b":" + feed
                if int(place) <= self._fed.get(key, -1):
                    return True
                if key not in self._fed and len(self._fed) >= FEEDS_MAX:
                    oldest = next(iter(self._fed))
                    del self._fed[oldest]
                    self._fed_changed[oldest] = None
                self._fed[key] = self._fed_changed[key] = int(place)
                return False
        return False
