"""How far intake has come, told to all workers: per raw partition, an instant before which all is in the journal.

Once a second, for each owned raw partition: a progress record is appended; the broker's append time t is noted; then,
begun after that acknowledgement, the end of the raw partition is asked for. When intake has committed up to that end,
everything that was appended before t is in the journal: t is the low watermark that the next record tells. No host's
clock is used, and an idle partition advances too.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from aiokafka import TopicPartition

from agents.runtime.cluster import Cluster, Instant, Isolation
from agents.runtime.failures import TenureFailure
from agents.runtime.records import pack_plain
from agents.runtime.watermark import LowWatermark, Watermarks, encode_low, key_of

PUBLISH_INTERVAL_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RawPartition:
    """Where one owned raw partition stands in the exchange above."""

    candidate_ms: int | None = None
    """Append time of the last progress record, while its end is not reached."""
    end: int = 0
    low_ms: int | None = None

    def reached(self, passed: int) -> None:
        """Take note of the offset before which intake has committed everything."""
        if self.candidate_ms is not None and passed >= self.end:
            self.low_ms, self.candidate_ms = self.candidate_ms, None


class ProgressPublisher:
    """Publishes the low watermarks of the raw partitions that this worker's intake owns."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        partitions: int,
        passed: Callable[[], Iterable[tuple[TopicPartition, int]]],
        known: Watermarks,
    ) -> None:
        """`passed` yields each owned raw partition with the offset before which everything is committed."""
        self._cluster, self._topic, self._partitions = cluster, topic, partitions
        self._passed, self._known = passed, known
        self._raw: dict[TopicPartition, RawPartition] = {}

    async def run(self) -> None:
        """Publish once a second, for ever; trouble with the cluster is waited out."""
        while True:
            await asyncio.sleep(PUBLISH_INTERVAL_S)
            try:
                await self.turn()
            except TenureFailure as error:
                log.warning("progress not published", why=str(error))

    async def turn(self) -> None:
        """Do one exchange for every partition that is not waiting for intake to catch up."""
        passed = dict(self._passed())
        self._raw = {tp: self._raw.get(tp) or RawPartition() for tp in passed}  # one that comes back begins anew
        for tp, offset in passed.items():
            self._raw[tp].reached(offset)
        free = [tp for tp, raw in self._raw.items() if raw.candidate_ms is None]
        times = await self._publish(free)
        if not times:
            return
        ends = await self._cluster.offsets(times, Instant.END, Isolation.UNCOMMITTED)
        for tp, appended_ms in times.items():
            raw = self._raw[tp]
            raw.candidate_ms, raw.end = appended_ms, ends[tp]

    async def _publish(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Append a record for each; returns the append times."""
        by_target: dict[int, list[TopicPartition]] = defaultdict(list)
        for tp in tps:
            by_target[tp.partition % self._partitions].append(tp)
        times: dict[TopicPartition, int] = {}
        for target, group in by_target.items():
            records = [(key_of(tp), encode_low(LowWatermark(self._low(tp))), ()) for tp in group]
            appended_ms = await self._cluster.publish(TopicPartition(self._topic, target), pack_plain(records))
            if appended_ms < 0:
                log.error("no watermark: the topic's message.timestamp.type is not LogAppendTime", topic=self._topic)
                return {}
            times.update(dict.fromkeys(group, appended_ms))
        return times

    def _low(self, tp: TopicPartition) -> int | None:
        """Return what this worker has reached, or else what an earlier owner had told."""
        low = self._raw[tp].low_ms
        return low if low is not None else self._known.low(tp)
