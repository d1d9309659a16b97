"""A lost answer to EndTxn must not tear the next transaction: red with aiokafka's own producer, green with ours."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from agents.embedded import EmbeddedKafka
from agents.runtime.cluster import Cluster
from agents.runtime.failures import UnknownOutcomeError
from agents.runtime.producer import TransactionalProducer
from tests.integration.conftest import MakeToy
from tests.integration.fault_proxy import FaultProxy
from tests.integration.toy import PATIENCE_S
from tests.integration.toy_worker import make_engine

pytestmark = pytest.mark.kafka


@pytest.fixture
async def proxy(kafka: EmbeddedKafka) -> AsyncIterator[FaultProxy]:
    """The proxy, in the test's event loop."""
    assert kafka.proxied_port is not None
    assert kafka.behind_proxy is not None
    async with FaultProxy(kafka.proxied_port, kafka.behind_proxy) as running:
        yield running


async def test_aiokafka_tears_the_next_transaction(kafka: EmbeddedKafka, proxy: FaultProxy) -> None:
    """The reason for a producer of our own: if this fails, aiokafka has been mended and ours may go."""
    topic = _topic(kafka, "stock")
    producer = AIOKafkaProducer(
        bootstrap_servers=f"127.0.0.1:{kafka.proxied_port}", transactional_id="stock", transaction_timeout_ms=30_000
    )
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"first", partition=0)
    proxy.hold_next()
    await producer.commit_transaction()  # reports success: the resent EndTxn was answered
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"second, half", partition=0)
    proxy.release()
    await proxy.delivered.wait()

    async with asyncio.timeout(PATIENCE_S):  # a commit is answered before it shows
        while len(shown := await _committed(kafka, topic)) < 2:
            pass
    assert shown == [b"first", b"second, half"]  # while the transaction is still open

    await asyncio.wait_for(producer.stop(), PATIENCE_S)


async def test_our_producer_does_not_commit_what_it_does_not_know(kafka: EmbeddedKafka, proxy: FaultProxy) -> None:
    """The commit is reported as unknown, the producer is over, and the held request does nothing to its successor."""
    topic = _topic(kafka, "strict")
    cluster = Cluster(f"127.0.0.1:{kafka.proxied_port}", client_id="strict")
    await cluster.start()
    producer = TransactionalProducer(cluster, "strict")
    await producer.start()
    proxy.hold_next()
    with pytest.raises(UnknownOutcomeError):
        await producer.commit({(topic, 0): [(None, b"first", [])]})
    await producer.close()
    successor = TransactionalProducer(cluster, "strict")
    await successor.start()

    async def hold_the_end(**_: Any) -> None:  # noqa: ANN401
        proxy.release()
        await proxy.delivered.wait()
        await asyncio.sleep(0.3)
        assert await _committed(kafka, topic) == []
        await end(commit=True, deadline=float("inf"))

    end, successor._end = successor._end, hold_the_end  # type: ignore[method-assign]  # with the transaction open
    await successor.commit({(topic, 0): [(None, b"second", [])]})

    async with asyncio.timeout(PATIENCE_S):  # a commit is answered before it shows
        while not (shown := await _committed(kafka, topic)):
            pass
    assert shown == [b"second"]

    await successor.close()
    await cluster.close()


async def test_a_worker_rebuilds_its_task_and_stays_exact(
    kafka: EmbeddedKafka, proxy: FaultProxy, toy: MakeToy, tmp_path: Path
) -> None:
    """After an unanswered commit the partition is restored under a new epoch; the process goes on."""
    deployment = toy(kafka.bootstrap, partitions=2)
    deployment.feed(200)
    engine, stage = make_engine(
        {
            "application": deployment.name,
            "bootstrap": f"127.0.0.1:{kafka.proxied_port}",
            "sources": deployment.sources,
            "partitions": 2,
            "data_dir": str(tmp_path),
        }
    )
    proxy.hold_next()
    await engine.start()
    await asyncio.wait_for(proxy.held.wait(), PATIENCE_S)
    await asyncio.sleep(1)
    proxy.release()
    await asyncio.to_thread(deployment.feed, 200, first=200)
    await asyncio.to_thread(deployment.wait_echoed, 400)
    await engine.stop()

    assert engine.failure is None
    assert len(stage.made) == 3, "two partitions, one of them made twice"
    await asyncio.to_thread(deployment.check_exact)


def _topic(kafka: EmbeddedKafka, name: str) -> str:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    admin.close()
    return name


async def _committed(kafka: EmbeddedKafka, topic: str) -> list[bytes]:
    """Return what a reader of committed records sees now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, isolation_level="read_committed")
    await consumer.start()
    tp = TopicPartition(topic, 0)
    consumer.assign([tp])
    consumer.seek(tp, 0)
    values = []
    for _ in range(3):
        values += [record.value for record in (await consumer.getmany(tp, timeout_ms=200)).get(tp, ())]
    await consumer.stop()
    return values
