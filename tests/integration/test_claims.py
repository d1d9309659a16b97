"""Who may write for a partition: the writer that claimed it last, and nobody beside it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

import agents.runtime.producer
from agents.embedded import EmbeddedKafka
from agents.metrics import RuntimeMetrics
from agents.runtime import holders, names, opening
from agents.runtime.cluster import Cluster, Instant, Isolation
from agents.runtime.context import Context
from agents.runtime.engine_settings import Pace
from agents.runtime.failures import ClusterAwayError, FencedOffError
from agents.runtime.opening import open_tenure
from agents.runtime.producer import TransactionalProducer
from agents.runtime.records import unpack
from agents.runtime.restore import RestoreProgress, restore
from agents.runtime.stage import OutputRecord
from agents.runtime.tenure import Tenure
from agents.runtime.writer import StageWriter
from tests.integration.conftest import MakeToy
from tests.integration.toy import PATIENCE_S, Toy
from tests.integration.toy_worker import Echo
from tests.unit.agents.runtime.fakes import FakeSource

pytestmark = pytest.mark.kafka
LEFT_OPEN: OutputRecord = (b"k", b"never committed", [])


class Worker:
    """A worker without a consumer group: it opens what it is told to."""

    def __init__(self, deployment: Toy, cluster: Cluster, name: str) -> None:
        self.stage = Echo(tuple(deployment.sources), f"{deployment.name}-out")
        self.writer = StageWriter(cluster, names.writer_id(deployment.name, "echo", name), Pace())
        self.context = Context(
            application=deployment.name,
            member=name,
            app_version="1",
            cluster=cluster,
            source=FakeSource(),
            pace=Pace(),
            metrics=RuntimeMetrics(),
            restores=RestoreProgress(lambda *_: None),
            fail=lambda error: None,
            watermark=lambda: None,
        )

    async def open(self, partition: int = 0) -> Tenure:
        """Claim and restore a partition; a broker that was just started has no coordinator yet."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await open_tenure(self.context, self.stage, partition, self.writer)
                except ClusterAwayError:
                    await asyncio.sleep(0.5)

    @property
    def producer(self) -> TransactionalProducer:
        """The producer of the writer's present term."""
        assert self.writer._producer is not None
        return self.writer._producer


@asynccontextmanager
async def workers(deployment: Toy, kafka: EmbeddedKafka, *members: str) -> AsyncIterator[list[Worker]]:
    """Workers with a client each."""
    clusters = [Cluster(kafka.bootstrap, client_id=name) for name in members]
    for cluster in clusters:
        await cluster.start()
    made = [Worker(deployment, cluster, name) for cluster, name in zip(clusters, members, strict=True)]
    try:
        yield made
    finally:
        for worker in made:
            await worker.writer.close()
        for cluster in clusters:
            await cluster.close()


def changelog_of(deployment: Toy, partition: int = 0) -> tuple[str, int]:
    """The partition's changelog."""
    return names.changelog(deployment.name, "echo"), partition


@dataclass
class HeldEnd:
    """A producer that stops when it has written its records and is about to end the transaction."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, producer: TransactionalProducer) -> "HeldEnd":
        """Of this producer's next transaction."""
        held, end = cls(), producer._end

        async def hold_the_end(**kwargs: Any) -> None:  # noqa: ANN401
            held.reached.set()
            await held.go_on.wait()
            await end(**kwargs)

        producer._end = hold_the_end  # type: ignore[method-assign]  # stands where a frozen process would
        return held


@pytest.fixture
def patient_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions that nobody ends stay open for longer than any test lasts."""
    monkeypatch.setattr(agents.runtime.producer, "TRANSACTION_TIMEOUT_MS", int(4 * PATIENCE_S * 1_000))


async def committed(worker: Worker, place: tuple[str, int]) -> list[bytes | None]:
    """What a reader of committed records sees once all transactions are ended: they are answered before that."""
    tp, cluster = TopicPartition(*place), worker.context.cluster
    offset, end = 0, (await cluster.offsets([tp], Instant.END, Isolation.UNCOMMITTED))[tp]
    values: list[bytes | None] = []
    async with asyncio.timeout(PATIENCE_S):
        while offset < end:
            fetched = (await cluster.fetch({tp: offset}, bytes_max=1_000_000, wait_ms=100, lane="test"))[tp]
            batches, offset = unpack(fetched.records, fetched.aborted, offset)
            values += [record.value for batch in batches for record in batch]
    return values


@pytest.mark.usefixtures("patient_broker")
async def test_what_a_dead_writer_left_open_is_aborted_at_once(toy: MakeToy, kafka: EmbeddedKafka) -> None:
    """Not after the transaction's time; and when it wakes it can commit none of it."""
    deployment = toy(partitions=2)
    async with workers(deployment, kafka, "a", "b") as (first, second):
        await first.open()
        held = HeldEnd.of(first.producer)  # SIGSTOP between produce and EndTxn
        commit = asyncio.create_task(first.producer.commit({changelog_of(deployment): [LEFT_OPEN]}))
        await held.reached.wait()
        await asyncio.wait_for(second.open(), PATIENCE_S)
        held.go_on.set()
        with pytest.raises(FencedOffError):
            await commit

        assert b"never committed" not in await committed(second, changelog_of(deployment))


async def test_of_two_that_claim_at_once_the_later_one_has_it(
    toy: MakeToy, kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier one cannot enter its writer any more, however late it wakes."""
    deployment = toy(partitions=2)
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def pause_first(cluster: Cluster, *args: Any) -> Any:  # noqa: ANN401
        restored = await restore(cluster, *args)
        if not paused.is_set():
            paused.set()
            await go_on.wait()
        return restored

    monkeypatch.setattr(opening, "restore", pause_first)
    async with workers(deployment, kafka, "a", "b") as (first, second):
        opening_first = asyncio.create_task(first.open())
        await paused.wait()
        tenure = await second.open()
        go_on.set()
        with pytest.raises(FencedOffError):
            await opening_first
        await second.producer.commit({changelog_of(deployment): [(b"k", b"1", [])]})

        assert (await committed(second, changelog_of(deployment)))[-1] == b"1"
        assert second.writer.name in str(tenure._position)


async def test_a_partition_given_back_in_order_costs_the_others_nothing(toy: MakeToy, kafka: EmbeddedKafka) -> None:
    """The next owner finds nobody to fence, so the giver's other partitions commit on."""
    deployment = toy(partitions=2)
    async with workers(deployment, kafka, "a", "b") as (first, second):
        given, _kept = await first.open(0), await first.open(1)
        given.stop()
        await asyncio.wait_for(given.run(), 5)
        await given.close()
        await second.open(0)
        await first.producer.commit({changelog_of(deployment, 1): [(b"k", b"1", [])]})

        assert (await committed(second, changelog_of(deployment, 1)))[-1] == b"1"


async def test_a_partition_taken_without_a_word_ends_the_writers_term(toy: MakeToy, kafka: EmbeddedKafka) -> None:
    """Also for the partitions that nobody took: what it still holds of the lost one must never be committed."""
    deployment = toy(partitions=2)
    async with workers(deployment, kafka, "a", "b") as (first, second):
        await first.open(0)
        await first.open(1)
        await second.open(0)
        with pytest.raises(FencedOffError):
            await first.producer.commit({changelog_of(deployment, 1): [(b"k", b"1", [])]})


@pytest.mark.usefixtures("patient_broker")
async def test_a_restore_that_waits_says_for_whom(
    toy: MakeToy, kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that nobody fences holds the end of the changelog back: the log has its name, and what it is at."""
    monkeypatch.setattr(holders, "SAY_AFTER_S", 0.5)
    deployment = toy(partitions=2)
    async with workers(deployment, kafka, "a") as (worker,):
        await worker.open(1)
        stranger = TransactionalProducer(worker.context.cluster, f"{deployment.name}-stranger")
        await stranger.start()
        held = HeldEnd.of(stranger)
        commit = asyncio.create_task(stranger.commit({changelog_of(deployment): [(b"k", b"1", [])]}))
        await held.reached.wait()
        changelog, waits, moved_s = TopicPartition(*changelog_of(deployment)), list[Any](), 0.0
        with capture_logs() as said:
            opening_it = asyncio.create_task(worker.open())
            async with asyncio.timeout(PATIENCE_S):
                while not waits or moved_s < 1:
                    await asyncio.sleep(0.1)
                    waits = [line for line in said if line["event"] == "the restore waits for a transaction to end"]
                    moved_s = time.monotonic() - worker.context.restores.moved_at(changelog)
            held.go_on.set()
            await opening_it
        await commit
        await stranger.close()

    assert waits[0]["transactional_id"] == f"{deployment.name}-stranger"
    assert (waits[0]["state"], waits[0]["first_offset"]) == ("Ongoing", 0)
    assert moved_s >= 1, "waiting is no progress: the watchdog must see it"
