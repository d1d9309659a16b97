"""One client for everything but the consumer group: topic ids, offsets, changelog reads, transactions.

The producers of all partitions share its metadata and its connections' machinery; each asks for a lane of its own,
because a broker serves the requests of one connection one after the other.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.conn import CloseReason
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.memory_records import MemoryRecords

from agents.errors import BrokerUnreachableError, FixError
from agents.kafka_access import why_not_let_in
from agents.kafka_security import PLAINTEXT, Security
from agents.runtime.denials import as_denied, refuse_denied
from agents.runtime.failures import ClusterAwayError, InputMovedError
from agents.runtime.wire import TopicIdsRequest

REQUEST_TIMEOUT_MS = 10_000
"""As long as a transaction may stay open: an answer that takes longer is worth nothing."""
RETRY_BACKOFF_S = 0.1
LEADER_TRIES = 4
ALL_REPLICAS = -1


class Isolation(IntEnum):
    """What a reader may see."""

    UNCOMMITTED = 0
    COMMITTED = 1


class Instant(IntEnum):
    """The two ends of a partition, as ListOffsets names them."""

    END = -1
    BEGIN = -2


class TopicIdentity(NamedTuple):
    """Which topic it is, whatever its name says: a topic made again has another id."""

    topic_id: str
    partitions: int


class Fetched(NamedTuple):
    """The answer to a fetch of one partition."""

    records: MemoryRecords
    aborted: list[tuple[int, int]]


class Cluster:
    """Requests to the brokers, each routed to its leader or coordinator."""

    def __init__(self, bootstrap: str, *, client_id: str, security: Security = PLAINTEXT) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._security = security
        self._client: Any = None
        self.troubles = 0
        """How often a broker could not be talked to; for whoever wonders whether we are still let in."""

    async def start(self) -> None:
        """Connect; raises BrokerUnreachableError when no bootstrap server answers, a FixError when they refuse us."""
        refusal = await asyncio.to_thread(why_not_let_in, self._bootstrap, self._security)
        if isinstance(refusal, FixError):
            raise refusal
        self._client = AIOKafkaClient(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            retry_backoff_ms=int(RETRY_BACKOFF_S * 1000),
            **self._security.options(),
        )
        try:
            await self._client.bootstrap()
        except KafkaConnectionError as error:
            await self.close()
            raise refusal or BrokerUnreachableError(
                "No Kafka broker answered in time.",
                where=f"kafka.bootstrap = {self._bootstrap}",
                why=str(error),
                next_step="start the worker again",
            ) from error

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def topics(self, names: Iterable[str]) -> dict[str, TopicIdentity]:
        """Return the identities of the named topics; a missing one is left out."""
        node = self._client.get_random_node()
        response = await self._send(node, TopicIdsRequest(sorted(names)), lane="metadata")
        found = {}
        for error, name, topic_id, _, partitions, _, _ in response.topics:
            kind = for_code(error)
            if kind is UnknownTopicOrPartitionError:
                continue
            refuse_denied(error, name, "see a topic (DESCRIBE)")
            if error:
                raise ClusterAwayError(f"metadata of {name}: {kind.__name__}")
            found[name] = TopicIdentity(str(topic_id), len(partitions))
        return found

    async def offsets(
        self, tps: Iterable[TopicPartition], at: Instant, isolation: Isolation = Isolation.COMMITTED
    ) -> dict[TopicPartition, int]:
        """Return the first or next offset of each partition, asked of its leader now."""
        by_node: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for tp in tps:
            by_node[await self.leader(tp)][tp.topic].append((tp.partition, int(at)))
        requests = [
            self._send(node, OffsetRequest(-1, int(isolation), list(wanted.items())), lane="metadata")
            for node, wanted in by_node.items()
        ]
        found = {}
        for response in await asyncio.gather(*requests):
            for topic, partitions in response.topics:
                for partition, error, _, offset, *_ in partitions:
                    refuse_denied(error, topic, "see a topic's offsets (DESCRIBE)")
                    if error:
                        self.refresh()
                        raise ClusterAwayError(f"offsets of {topic}-{partition}: {for_code(error).__name__}")
                    found[TopicPartition(topic, partition)] = offset
        return found

    async def fetch(
        self, offsets: Mapping[TopicPartition, int], *, bytes_max: int, wait_ms: int, lane: str
    ) -> dict[TopicPartition, Fetched]:
        """Read committed record batches of each partition; every leader waits up to `wait_ms` for a first byte."""
        by_node: dict[int, dict[str, list[tuple[int, int, int]]]] = defaultdict(lambda: defaultdict(list))
        for tp, offset in offsets.items():
            by_node[await self.leader(tp)][tp.topic].append((tp.partition, offset, bytes_max))
        requests = [
            self._send(
                node, FetchRequest(wait_ms, 1, bytes_max, int(Isolation.COMMITTED), list(wanted.items())), lane=lane
            )
            for node, wanted in by_node.items()
        ]
        found = {}
        for response in await asyncio.gather(*requests):
            for topic, partitions in response.topics:
                for partition, error, _, _, *middle, data in partitions:
                    self._check_fetch(error, f"{topic}-{partition}")
                    aborted = next((part for part in middle if isinstance(part, list)), [])
                    found[TopicPartition(topic, partition)] = Fetched(MemoryRecords(data or b""), aborted)
        return found

    def _check_fetch(self, error: int, where: str) -> None:
        refuse_denied(error, where, "read a topic (READ)")
        kind = for_code(error)
        if kind is OffsetOutOfRangeError:
            raise InputMovedError(f"{where} has not the offset that was asked for")
        if error:
            self.refresh()
            raise ClusterAwayError(f"fetch of {where}: {kind.__name__}")

    async def publish(self, tp: TopicPartition, data: bytes) -> int:
        """Append one finished, not transactional batch; returns the broker's append time, -1 where it keeps none."""
        request = ProduceRequest(None, ALL_REPLICAS, REQUEST_TIMEOUT_MS, [(tp.topic, [(tp.partition, data)])])
        response = await self._send(await self.leader(tp), request, lane="publish")
        (_, ((_, error, _, timestamp, *_),)) = response.topics[0]
        refuse_denied(error, tp.topic, "write to a topic (WRITE)")
        if error:
            self.refresh()
            raise ClusterAwayError(f"produce to {tp.topic}-{tp.partition}: {for_code(error).__name__}")
        return int(timestamp)

    async def leader(self, tp: TopicPartition) -> int:
        """Return the node that leads a partition; when unknown, waits for metadata a few times."""
        for attempt in range(LEADER_TRIES):
            node = self._client.cluster.leader_for_partition(tp)
            if node is not None and node != -1:
                return int(node)
            self._client.add_topic(tp.topic)
            await self._client.force_metadata_update()
            await asyncio.sleep(
                RETRY_BACKOFF_S * bool(attempt)
            )  # the first update may have left before the topic was added
        self.troubles += 1
        raise ClusterAwayError(f"nobody leads {tp.topic}-{tp.partition}")

    async def transaction_coordinator(self, transactional_id: str) -> int:
        """Look up which node coordinates a transactional id."""
        return await self._coordinator(CoordinationType.TRANSACTION, transactional_id)

    async def ask_group(self, group: str, request: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Send a request to the node that coordinates a consumer group."""
        return await self._send(await self._coordinator(CoordinationType.GROUP, group), request, lane="group")

    async def ask(self, node: int, request: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Send any request to a node."""
        return await self._send(node, request, lane="metadata")

    def nodes(self) -> list[int]:
        """Return the brokers that are known now."""
        return [int(broker.nodeId) for broker in self._client.cluster.brokers()]

    async def _coordinator(self, kind: Any, name: str) -> int:  # noqa: ANN401 - aiokafka is untyped
        try:
            return int(await self._client.coordinator_lookup(kind, name))
        except (KafkaError, AssertionError) as error:
            if denied := as_denied(error, name):
                raise denied from error
            self.troubles += 1
            raise ClusterAwayError(f"coordinator of {name}: {error!r}") from error

    async def send(self, node: int, request: Any, *, lane: str) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Send on a lane. NodeNotReadyError: certainly not sent. Another KafkaError: sent perhaps, not answered."""
        try:
            return await self._client.send(node, request, group=lane)
        except NodeNotReadyError:
            self.troubles += 1
            self.refresh()
            raise

    async def _send(self, node: int | None, request: Any, *, lane: str) -> Any:  # noqa: ANN401 - aiokafka is untyped
        if node is None:
            self.troubles += 1
            raise ClusterAwayError("no broker is known")
        try:
            return await self.send(node, request, lane=lane)
        except KafkaError as error:
            raise ClusterAwayError(repr(error)) from error

    def refresh(self) -> None:
        """Have metadata read again soon: a leader or coordinator moved."""
        self._client.force_metadata_update()

    def close_lane(self, lane: str) -> None:
        """Close the connections of a lane; what was sent on it and not answered stays unknown."""
        if self._client is None:
            return
        connections = self._client._conns  # noqa: SLF001 - aiokafka has no lanes of its own
        for key in [key for key in connections if key[1] == lane]:
            connections.pop(key).close(reason=CloseReason.SHUTDOWN)
