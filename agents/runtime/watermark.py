"""The instant up to which ticks may be written: what all intakes together have told in the progress topic.

Every worker follows the whole topic from its begin. While any raw partition has told nothing, there is no watermark.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import structlog
from aiokafka import TopicPartition

from agents.runtime.cluster import Cluster, Instant
from agents.runtime.failures import TenureFailure
from agents.runtime.records import unpack

MARGIN_MS = 2_000
"""Brokers' clocks may differ by so much without a tick overtaking an event."""
FOLLOW_INTERVAL_S = 0.5
FETCH_BYTES = 200_000
LANE = "watermark"

log = structlog.get_logger(__name__)


class LowWatermark(msgspec.Struct, frozen=True):
    """The value of a progress record: all raw records appended before this epoch millisecond are in the journal."""

    low_watermark_ms: int | None
    low_watermark: str | None = None
    """The same for human readers."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LowWatermark).decode


def encode_low(low: LowWatermark) -> bytes:
    """Write a record's value, the readable instant included."""
    at = low.low_watermark_ms
    if at is None:
        return _encode(low)
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _encode(LowWatermark(at, text))


def key_of(tp: TopicPartition) -> bytes:
    """Return the key of a raw partition's progress records."""
    return f"{tp.topic}-{tp.partition}".encode()


class Watermarks:
    """The low watermark of each raw partition, as far as it is known here."""

    def __init__(self, expected: Iterable[TopicPartition], margin_ms: int = MARGIN_MS) -> None:
        self._expected = [key_of(tp) for tp in expected]
        self._margin_ms = margin_ms
        self._lows: dict[bytes, int] = {}

    def told(self, key: bytes | None, value: bytes | None) -> None:
        """Take note of a progress record; an instant never moves back."""
        if key is None or value is None:
            return
        low = _decode(value).low_watermark_ms
        if low is not None:
            self._lows[key] = max(low, self._lows.get(key, low))

    def low(self, tp: TopicPartition) -> int | None:
        """Return one partition's low watermark."""
        return self._lows.get(key_of(tp))

    def current(self) -> int | None:
        """Return the least of all expected partitions, less the margin; None while one is missing."""
        try:
            return min(self._lows[key] for key in self._expected) - self._margin_ms
        except (KeyError, ValueError):
            return None


class WatermarkReader:
    """Keeps Watermarks up to date with the progress topic."""

    def __init__(self, cluster: Cluster, topic: str, partitions: int, marks: Watermarks) -> None:
        self._cluster, self._marks = cluster, marks
        self._tps = [TopicPartition(topic, number) for number in range(partitions)]
        self._offsets: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Follow the topic for ever; trouble with the cluster is waited out."""
        while True:
            idle = True
            try:
                idle = await self.turn()
            except TenureFailure as error:
                self._offsets = {}
                log.warning("progress not read", why=str(error))
            await asyncio.sleep(FOLLOW_INTERVAL_S if idle else 0)

    async def turn(self) -> bool:
        """Read what is new; True when nothing was."""
        if not self._offsets:
            self._offsets = await self._cluster.offsets(self._tps, Instant.BEGIN)
        fetched = await self._cluster.fetch(self._offsets, bytes_max=FETCH_BYTES, wait_ms=0, lane=LANE)
        idle = True
        for tp, found in fetched.items():
            begin = self._offsets[tp]
            batches, self._offsets[tp] = unpack(found.records, found.aborted, begin)
            idle = idle and self._offsets[tp] == begin
            for batch in batches:
                for record in batch:
                    self._marks.told(record.key, record.value)
        return idle
