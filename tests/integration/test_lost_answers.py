"""One lost request or answer, whichever: every partition commits again in time, exactly once, and no worker ends.

What a lost answer leaves behind (a transaction that nobody ends, a name that was taken, a member that is gone) holds
others back until somebody's time is over: so each kind is tried, against the limit that a user is promised.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.embedded import EmbeddedKafka
from agents.runtime.cluster import Cluster
from agents.runtime.engine import Engine
from agents.runtime.producer import TransactionalProducer
from tests.conftest import quiet_port
from tests.integration.conftest import MakeToy
from tests.integration.fault_proxy import (
    ADD_PARTITIONS_TO_TXN,
    API_NAMES,
    END_TXN,
    INIT_PRODUCER_ID,
    JOIN_GROUP,
    LEAVE_GROUP,
    PRODUCE,
    WRITE_TXN_MARKERS,
    FaultProxy,
)
from tests.integration.toy import PATIENCE_S, Toy
from tests.integration.toy_worker import make_engine

pytestmark = pytest.mark.kafka

ADVANCE_S = 15.0
"""What is promised of every partition with input, after any single fault."""
SESSION_S = 12
PARTITIONS = 2


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker with a proxy before it, for clients of its second listener and for what it tells itself."""
    through_the_proxy = {"inter.broker.listener.name": "PROXIED"}
    with EmbeddedKafka(
        tmp_path_factory.mktemp("lossy"), proxied_port=quiet_port(), properties=through_the_proxy
    ) as kafka:
        yield kafka


@pytest.fixture
async def proxy(broker: EmbeddedKafka) -> AsyncIterator[FaultProxy]:
    """The proxy, in the test's event loop."""
    assert broker.proxied_port is not None
    assert broker.behind_proxy is not None
    async with FaultProxy(broker.proxied_port, broker.behind_proxy) as running:
        yield running


@asynccontextmanager
async def at_work(deployment: Toy, bootstrap: str, folder: Path, name: str = "w1") -> AsyncIterator[Engine]:
    """A worker of that name, in the test's event loop, which has its assignment."""
    engine, _ = make_engine(
        {
            "application": deployment.name,
            "bootstrap": bootstrap,
            "sources": deployment.sources,
            "partitions": deployment.partitions,
            "data_dir": str(folder / name),
            "instance_id": name,
            "session_timeout_s": SESSION_S,
        }
    )
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def feed_and_wait(deployment: Toy, count: int, *, first: int) -> float:
    """Feed, and wait until all is echoed; returns the seconds that it took."""
    begun = time.monotonic()
    await asyncio.to_thread(deployment.feed, count, first=first)
    await asyncio.to_thread(deployment.wait_echoed, first + count)
    return time.monotonic() - begun


async def until_joined(engine: Engine, partitions: int) -> None:
    """Wait until a worker has that many partitions at work."""
    async with asyncio.timeout(PATIENCE_S):
        while sum(task.tenure is not None for task in engine._tasks()) != partitions:  # noqa: ASYNC110 - a test's patience
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("api", [PRODUCE, ADD_PARTITIONS_TO_TXN, END_TXN, INIT_PRODUCER_ID], ids=API_NAMES.get)
async def test_a_connection_that_breaks_under_a_request(
    broker: EmbeddedKafka, proxy: FaultProxy, toy: MakeToy, tmp_path: Path, api: int
) -> None:
    """The request may have been done or not, or is done later; InitProducerId is asked for when a commit was lost."""
    deployment = toy(broker.bootstrap, partitions=PARTITIONS)
    async with at_work(deployment, f"127.0.0.1:{broker.proxied_port}", tmp_path) as engine:
        await feed_and_wait(deployment, 50, first=0)
        if api == INIT_PRODUCER_ID:
            proxy.hold_next(END_TXN)
            await asyncio.to_thread(deployment.feed, 50, first=50)
            await asyncio.wait_for(proxy.held.wait(), PATIENCE_S)
        proxy.hold_next(api)
        took_s = await feed_and_wait(deployment, 50, first=50 + 50 * (api == INIT_PRODUCER_ID))
        assert proxy.held.is_set()
        proxy.release()

    assert engine.failure is None
    assert took_s < ADVANCE_S
    await asyncio.to_thread(deployment.check_exact)


@pytest.mark.parametrize("api", [END_TXN, WRITE_TXN_MARKERS], ids=API_NAMES.get)
async def test_an_answer_that_never_comes(
    broker: EmbeddedKafka, proxy: FaultProxy, toy: MakeToy, tmp_path: Path, api: int
) -> None:
    """To the worker, or to the coordinator of transactions, which can end none while it waits for its markers."""
    deployment = toy(broker.bootstrap, partitions=PARTITIONS)
    async with at_work(deployment, f"127.0.0.1:{broker.proxied_port}", tmp_path) as engine:
        await feed_and_wait(deployment, 50, first=0)
        proxy.lose_answer(api)
        took_s = await feed_and_wait(deployment, 50, first=50)
        assert proxy.held.is_set()
        took_s = max(took_s, await feed_and_wait(deployment, 50, first=100))

    assert engine.failure is None
    assert took_s < ADVANCE_S
    await asyncio.to_thread(deployment.check_exact)


async def test_a_writer_fenced_while_it_had_nothing_to_commit_goes_on(
    broker: EmbeddedKafka, proxy: FaultProxy, toy: MakeToy, tmp_path: Path
) -> None:
    """Whoever took one of its partitions in a rebalance long past fenced it; the group says what is still its own."""
    del proxy  # the broker tells itself things through it
    deployment = toy(broker.bootstrap, partitions=PARTITIONS)
    async with at_work(deployment, broker.bootstrap, tmp_path) as engine:
        await feed_and_wait(deployment, 50, first=0)
        cluster = Cluster(broker.bootstrap, client_id="another")
        await cluster.start()
        another = TransactionalProducer(cluster, engine.tables[0].writer.name)
        await another.start()
        await another.close()
        await cluster.close()
        took_s = await feed_and_wait(deployment, 50, first=50)

    assert engine.failure is None
    assert took_s < ADVANCE_S
    await asyncio.to_thread(deployment.check_exact)


async def test_a_lost_goodbye_is_said_again(
    broker: EmbeddedKafka, proxy: FaultProxy, toy: MakeToy, tmp_path: Path
) -> None:
    """The others need not wait for the session's end."""
    deployment = toy(broker.bootstrap, partitions=PARTITIONS)
    async with at_work(deployment, f"127.0.0.1:{broker.proxied_port}", tmp_path) as engine:
        await feed_and_wait(deployment, 50, first=0)
        assert await asyncio.to_thread(deployment.members) == {"w1"}
        proxy.hold_next(LEAVE_GROUP)
        engine.end()

    assert proxy.held.is_set()
    assert proxy.seen[LEAVE_GROUP] == 2
    assert await asyncio.to_thread(deployment.members) == set()


async def test_who_ends_in_the_midst_of_a_rebalance_is_not_waited_for(
    broker: EmbeddedKafka, proxy: FaultProxy, toy: MakeToy, tmp_path: Path
) -> None:
    """Its join was sent and is not answered: the group would wait for its session, and the rebalance with it."""
    deployment = toy(broker.bootstrap, partitions=PARTITIONS)
    async with at_work(deployment, broker.bootstrap, tmp_path, "w2") as second:
        async with at_work(deployment, f"127.0.0.1:{broker.proxied_port}", tmp_path, "w1") as first:
            await until_joined(first, 1)
            await until_joined(second, 1)
            proxy.lose_answer(JOIN_GROUP)
            async with at_work(deployment, broker.bootstrap, tmp_path, "w3") as third:
                await asyncio.wait_for(proxy.held.wait(), PATIENCE_S)
                third.end()
            begun = time.monotonic()
            first.end()
        await until_joined(second, PARTITIONS)
        took_s = time.monotonic() - begun
        assert await asyncio.to_thread(deployment.members) == {"w2"}

    assert took_s < SESSION_S
