"""The exchange that keeps ticks from overtaking input, against a broker made of a few numbers."""

from collections.abc import Iterable

import pytest
from aiokafka import TopicPartition
from aiokafka.record.memory_records import MemoryRecords

from agents.runtime.cluster import Cluster, Instant, Isolation
from agents.runtime.progress import ProgressPublisher
from agents.runtime.records import unpack
from agents.runtime.watermark import LowWatermark, Watermarks, encode_low, key_of

A0, A1 = TopicPartition("a", 0), TopicPartition("a", 1)


class NumbersCluster(Cluster):
    """Append time is a clock that the test moves; ends are what the test says."""

    def __init__(self) -> None:
        super().__init__("nowhere:1", client_id="test")
        self.now_ms = 1_000
        self.ends = {A0: 0, A1: 0}
        self.published: list[tuple[bytes, bytes]] = []
        self.calls: list[str] = []

    async def publish(self, tp: TopicPartition, data: bytes) -> int:
        """Note the records; answer with the clock."""
        self.calls.append("publish")
        for batch in unpack(MemoryRecords(data), (), 0).batches:
            self.published += [(record.key, record.value) for record in batch]
        return self.now_ms

    async def offsets(
        self, tps: Iterable[TopicPartition], at: Instant, isolation: Isolation = Isolation.COMMITTED
    ) -> dict[TopicPartition, int]:
        """Answer with the ends; the high watermark is what must be asked for."""
        assert (at, isolation) == (Instant.END, Isolation.UNCOMMITTED)
        self.calls.append("ends")
        return {tp: self.ends[tp] for tp in tps}


class Exchange:
    """A publisher whose intake stands where the test says."""

    def __init__(self, *owned: TopicPartition) -> None:
        self.cluster = NumbersCluster()
        self.passed = dict.fromkeys(owned, 0)
        self.marks = Watermarks([A0, A1], margin_ms=0)
        self.publisher = ProgressPublisher(self.cluster, "progress", 1, self.owned, self.marks)

    def owned(self) -> Iterable[tuple[TopicPartition, int]]:
        """Yield where intake stands."""
        return self.passed.items()

    async def turn(self, at_ms: int) -> None:
        """Let the broker's clock be at `at_ms`, do one exchange, and let all workers read it."""
        self.cluster.now_ms = at_ms
        await self.publisher.turn()
        for key, value in self.cluster.published:
            self.marks.told(key, value)


async def test_the_watermark_is_the_append_time_before_the_end_that_was_reached() -> None:
    """It is told one exchange later, and nothing new is asked while intake is behind."""
    # 1,000  a progress record is appended, then the end 5 is read
    # 2,000  intake has committed 3: still waiting
    # 3,000  intake has committed 5: everything before 1,000 is in the journal
    exchange = Exchange(A0, A1)
    exchange.cluster.ends = {A0: 5, A1: 0}
    await exchange.turn(1_000)
    assert exchange.marks.current() is None

    exchange.passed[A0] = 3
    await exchange.turn(2_000)
    assert exchange.marks.low(A0) is None
    assert exchange.marks.low(A1) == 1_000

    exchange.passed[A0] = 5
    await exchange.turn(3_000)
    assert exchange.marks.current() == 1_000


async def test_an_idle_partition_advances() -> None:
    """No input is no reason to stand still."""
    exchange = Exchange(A0, A1)
    for at_ms in (1_000, 2_000, 3_000):
        await exchange.turn(at_ms)

    assert exchange.marks.current() == 2_000


async def test_the_end_is_asked_for_after_the_record_is_acknowledged() -> None:
    """The other way round, a record appended between the two would be missed."""
    exchange = Exchange(A0)

    await exchange.turn(1_000)

    assert exchange.cluster.calls == ["publish", "ends"]


async def test_a_partition_without_owner_stops_the_watermark() -> None:
    """While nobody tells how far it has come, nothing may be said about it."""
    exchange = Exchange(A0)
    for at_ms in (1_000, 2_000, 3_000):
        await exchange.turn(at_ms)

    assert exchange.marks.low(A0) == 2_000
    assert exchange.marks.current() is None


async def test_a_new_owner_does_not_take_back_what_was_told() -> None:
    """Its first record repeats what the earlier owner had reached: compaction keeps only the last."""
    exchange = Exchange(A0, A1)
    for at_ms in (1_000, 2_000, 3_000):
        await exchange.turn(at_ms)
    successor = ProgressPublisher(exchange.cluster, "progress", 1, exchange.owned, exchange.marks)
    exchange.cluster.published.clear()

    await successor.turn()

    assert [value for _, value in exchange.cluster.published] == [encode_low(LowWatermark(2_000))] * 2


async def test_a_lost_partition_begins_anew() -> None:
    """What was asked for an earlier tenure says nothing about a later one."""
    exchange = Exchange(A0)
    exchange.cluster.ends = {A0: 5, A1: 0}
    await exchange.turn(1_000)
    exchange.passed = {}
    await exchange.turn(2_000)
    exchange.passed = {A0: 5}
    exchange.cluster.ends = {A0: 9, A1: 0}

    await exchange.turn(3_000)
    await exchange.turn(4_000)

    assert exchange.marks.low(A0) is None


async def test_without_the_brokers_clock_there_is_no_watermark() -> None:
    """A progress topic that keeps the producers' time tells nothing."""
    exchange = Exchange(A0, A1)
    for _ in range(3):
        await exchange.turn(-1)

    assert exchange.marks.current() is None


@pytest.mark.parametrize(("first", "second"), [(5_000, 4_000), (4_000, 5_000)])
def test_a_watermark_never_moves_back(first: int, second: int) -> None:
    """Records of two owners may cross."""
    marks = Watermarks([A0], margin_ms=0)
    for low in (first, second):
        marks.told(key_of(A0), encode_low(LowWatermark(low)))

    assert marks.current() == 5_000


def test_the_margin_covers_the_brokers_clocks() -> None:
    """The least of all partitions, less two seconds."""
    marks = Watermarks([A0, A1])
    marks.told(key_of(A0), encode_low(LowWatermark(9_000)))
    marks.told(key_of(A1), encode_low(LowWatermark(7_000)))

    assert marks.current() == 5_000
