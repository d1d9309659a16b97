"""Stand-ins for what surrounds a tenure: a producer that commits when told, a consumer that notes what it is asked."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from agents.errors import TierstreamError
from agents.metrics import RuntimeMetrics
from agents.runtime.cluster import Cluster, TopicIdentity
from agents.runtime.context import Context
from agents.runtime.engine_settings import Pace
from agents.runtime.inbox import Chunk
from agents.runtime.position import Position, TopicPosition
from agents.runtime.producer import TransactionalProducer
from agents.runtime.records import ProducerState, pack, unpack
from agents.runtime.restore import RestoreProgress
from agents.runtime.stage import Batch, OutputRecord, Record, StateRecord
from agents.runtime.tenure import Tenure
from agents.runtime.writer import StageWriter

IDENTITY = TopicIdentity("id", 1)


class FakeSource:
    """Notes the calls; numbers the seeks."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.seeks = self.asked = 0
        self.stands = True

    async def assignment_stands(self) -> bool:
        """Say what the test wants the group to say."""
        self.asked += 1
        return self.stands

    def open(self, offsets: Mapping[TopicPartition, int]) -> int:
        """Note a seek."""
        self.seeks += 1
        self.calls.append(("open", dict(offsets)))
        return self.seeks

    def shut(self, tps: Iterable[TopicPartition]) -> None:
        """Note it."""
        self.calls.append(("shut", list(tps)))

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        """Note it."""
        self.calls.append(("pause", list(tps)))

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        """Note it."""
        self.calls.append(("resume", list(tps)))


class FakeProducer(TransactionalProducer):
    """Keeps what is committed; a commit waits while the gate is shut, and fails when told."""

    def __init__(self) -> None:
        super().__init__(Cluster("nowhere:1", client_id="test"), "test")
        self.committed: list[dict[tuple[str, int], list[OutputRecord]]] = []
        self.begun = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.closed = False

    async def start(self) -> None:
        """Have the name at once."""

    async def commit(self, outputs: Mapping[tuple[str, int], Sequence[OutputRecord]]) -> None:
        """Wait for the gate, then keep or fail."""
        self.begun += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.committed.append({place: list(records) for place, records in outputs.items()})

    async def close(self) -> None:
        """Note it."""
        self.closed = True


class FakeWriter(StageWriter):
    """A writer whose producers are fakes, a new one per term."""

    def __init__(self, pace: Pace, producer: FakeProducer | None = None) -> None:
        super().__init__(Cluster("nowhere:1", client_id="test"), "app-toy-writer-w", pace)
        self.made: list[FakeProducer] = []
        self._first = producer

    def new_producer(self) -> FakeProducer:
        """Make the next term's, or take the one that was given."""
        producer, self._first = self._first or FakeProducer(), None
        self.made.append(producer)
        return producer


class NotingPartition:
    """A stage partition that echoes values to `out` and notes what is asked of it."""

    def __init__(self) -> None:
        self.folded: list[bytes | None] = []
        self.pending: list[OutputRecord] = []
        self.slice_max = 1_000_000
        self.commits = self.polls = self.works = 0
        self.work_left, self.work_s = 0, 0.0
        """Slices of work to come, and how long each takes."""
        self.poison: bytes | None = None

    def restore(self, records: Iterable[StateRecord]) -> None:
        """Keep nothing."""

    def ready(self) -> None:
        """Need nothing."""

    def fold(self, records: Sequence[Record], deadline: float) -> int:
        """Echo at most `slice_max` records."""
        del deadline
        taken = records[: self.slice_max]
        for record in taken:
            if record.value == self.poison is not None:
                raise ValueError("bad")
            self.folded.append(record.value)
            self.pending.append((record.key, record.value, ()))
        return len(taken)

    def work(self, deadline: float) -> bool:
        """Have some slices of work."""
        del deadline
        self.works += 1
        time.sleep(self.work_s)
        self.work_left = max(0, self.work_left - 1)
        return self.work_left > 0

    def poll(self, watermark_ms: int | None) -> None:
        """Count."""
        del watermark_ms
        self.polls += 1

    def drain(self) -> Batch:
        """Hand over the echoes."""
        pending, self.pending = self.pending, []
        return Batch([], {("out", 0): pending} if pending else {})

    def committed(self) -> None:
        """Count."""
        self.commits += 1


class ToyStage:
    """Makes NotingPartitions."""

    name = "toy"

    def __init__(self, *sources: str) -> None:
        self.sources = sources or ("in",)

    def partition(self, number: int) -> NotingPartition:
        """Make one."""
        del number
        return NotingPartition()


class Bench:
    """A tenure with everything around it faked."""

    def __init__(self, *, interval_s: float = 0.01, records_max: int = 1_000) -> None:
        self.source, self.producer, self.state = FakeSource(), FakeProducer(), NotingPartition()
        self.failures: list[BaseException] = []
        self.context = context(self.source, self.failures, Pace(interval_s, records_max))
        self.writer = FakeWriter(self.context.pace, self.producer)
        position = Position({"in": TopicPosition("id", 1, 0)}, "1")
        self.tenure = Tenure(self.context, ToyStage(), 0, self.writer, self.state, position, {"in": IDENTITY})
        self.tenure.fetch()

    def deliver(self, begin: int, end: int, *, seek: int | None = None) -> None:
        """Deliver a chunk of the positions [begin, end)."""
        self.tenure.deliver(chunk(begin, end, seek=self.tenure.seek if seek is None else seek))

    @property
    def committed(self) -> list[bytes | None]:
        """The values in `out`, as committed."""
        return [value for outputs in self.producer.committed for _, value, _ in outputs.get(("out", 0), [])]


def context(source: FakeSource, failures: list[BaseException], pace: Pace | None = None) -> Context:
    """Make a context that reaches nothing."""

    def fail(error: BaseException) -> None:
        assert isinstance(error, TierstreamError)
        failures.append(error)

    return Context(
        application="app",
        member="w",
        app_version="1",
        cluster=Cluster("nowhere:1", client_id="test"),
        source=source,
        pace=pace or Pace(),
        metrics=RuntimeMetrics(),
        restores=RestoreProgress(lambda *_: None),
        fail=fail,
        watermark=lambda: None,
    )


def chunk(begin: int, end: int, *, topic: str = "in", seek: int = 1, size: int = 100) -> Chunk:
    """Make a chunk whose values are the offsets."""
    (packed,) = pack([(b"k", b"%d" % offset, ()) for offset in range(begin, end)], ProducerState(1, 0), 0, topic)
    batches = unpack(memory(begin.to_bytes(8, "big") + packed.data[8:]), (), begin).batches
    return Chunk(topic, 0, seek, begin, end, batches, size, 1)


def memory(data: bytes) -> Any:  # noqa: ANN401 - aiokafka is untyped
    """Make fetched bytes readable."""
    from aiokafka.record.memory_records import MemoryRecords

    return MemoryRecords(data)
