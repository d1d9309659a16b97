"""Writes many records to topics quickly: the input and the states that a measurement starts from.

Batches are as large as producers make them (for input) or as a commit makes them (for states), one per partition and
request, a few requests in flight.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from agents.errors import BrokerUnreachableError
from agents.runtime.cluster import ALL_REPLICAS, Cluster

PRODUCER_BATCH_BYTES = 16_384
"""What Kafka's producers collect by default: how input arrives decides what reading it costs."""
COMMIT_BATCH_BYTES = 500_000
IN_FLIGHT = 4
TIMEOUT_MS = 30_000
LANE = "load"
_MAGIC, _NO_CODEC, _PLAIN, _NO_PRODUCER = 2, 0, 0, -1


class Load(NamedTuple):
    """One record to write."""

    partition: int
    timestamp: int
    """Epoch milliseconds; what the topic makes of it is the topic's setting."""
    key: bytes | None
    value: bytes


@asynccontextmanager
async def connected(bootstrap: str) -> AsyncIterator[Cluster]:
    """A cluster's client while the block runs."""
    cluster = Cluster(bootstrap, client_id="tierstream-bench")
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.close()


async def load(cluster: Cluster, topic: str, records: Iterable[Load], batch_bytes: int) -> None:
    """Append all records, in order per partition. BrokerUnreachableError when one is refused."""
    writer = _Writer(cluster, topic)
    builders: dict[int, Any] = {}
    counts: dict[int, int] = {}
    for partition, timestamp, key, value in records:
        builder = builders.get(partition)
        if builder is None:
            builder = builders[partition] = _builder(batch_bytes)
            counts[partition] = 0
        if builder.append(counts[partition], timestamp, key, value, []) is None:
            writer.add(partition, bytes(builder.build()))
            builder = builders[partition] = _builder(batch_bytes)
            builder.append(0, timestamp, key, value, [])
            counts[partition] = 0
            await writer.send_full_requests(len(builders))
        counts[partition] += 1
    for partition, builder in builders.items():
        writer.add(partition, bytes(builder.build()))
    await writer.finish()


class _Writer:
    """Sends finished batches; the oldest of every partition together."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster, self._topic = cluster, topic
        self._waiting: dict[int, deque[bytes]] = defaultdict(deque)
        self._count = 0
        self._open: set[asyncio.Task[None]] = set()

    def add(self, partition: int, batch: bytes) -> None:
        """Take a finished batch."""
        self._waiting[partition].append(batch)
        self._count += 1

    async def send_full_requests(self, batches: int) -> None:
        """Send when so many batches wait."""
        while self._count >= batches:
            await self._send_one_each()

    async def finish(self) -> None:
        """Send the rest and wait for every answer."""
        while self._count:
            await self._send_one_each()
        for task in self._open:
            await task

    async def _send_one_each(self) -> None:
        by_node: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for partition, batches in self._waiting.items():
            if batches:
                node = await self._cluster.leader(TopicPartition(self._topic, partition))
                by_node[node].append((partition, batches.popleft()))
                self._count -= 1
        for node, heads in by_node.items():
            self._open.add(asyncio.create_task(self._send(node, heads)))
        while len(self._open) >= IN_FLIGHT:
            done, self._open = await asyncio.wait(self._open, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        await asyncio.sleep(0)

    async def _send(self, node: int, heads: list[tuple[int, bytes]]) -> None:
        request = ProduceRequest(None, ALL_REPLICAS, TIMEOUT_MS, [(self._topic, heads)])
        response = await self._cluster.send(node, request, lane=LANE)
        errors: Mapping[int, int] = {
            partition: error for _, answers in response.topics for partition, error, *_ in answers if error
        }
        if errors:
            raise BrokerUnreachableError(
                "The broker refused the benchmark's records.",
                where=f"{self._topic}, partitions {sorted(errors)}",
                why=f"Kafka error codes {sorted(set(errors.values()))}",
                next_step="look at the broker's log",
            )


def _builder(batch_bytes: int) -> Any:  # noqa: ANN401 - aiokafka is untyped
    return DefaultRecordBatchBuilder(_MAGIC, _NO_CODEC, _PLAIN, _NO_PRODUCER, -1, -1, batch_bytes)
