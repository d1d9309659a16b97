"""Whose transaction holds a partition back: what a restore that stands is waiting for, by name.

The partition's leader knows the producers with an open transaction, the coordinators know what those are called.
"""

import math
import time
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

from agents.runtime.cluster import Cluster
from agents.runtime.failures import ClusterAwayError

NO_TRANSACTION = -1
SAY_AFTER_S = 3.0
"""Ending what a fenced writer left open takes milliseconds."""
SAY_AGAIN_S = 10.0
ABANDONED: Final = "the restore waits for a transaction that nobody ends: a person has to"
REMEDY: Final = "tierstream docs recovery#a-transaction-that-nobody-ends"

log = structlog.get_logger(__name__)


class Holder(NamedTuple):
    """A producer with an open transaction in a partition."""

    transactional_id: str
    """Empty when no coordinator that we may ask knows it: nobody will end that transaction."""
    producer_id: int
    epoch: int
    state: str
    """Of the transaction, as its coordinator says: Ongoing, PrepareCommit, PrepareAbort."""
    first_offset: int

    @property
    def abandoned(self) -> bool:
        """Whether its coordinator does not think of ending it any more: its markers are lost, or nobody knows it."""
        return self.state not in {"Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence"}


class DescribeProducersResponse_v0(Response):  # noqa: N801 - named as aiokafka names its versions
    """The producers at work on partitions."""

    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", CompactString("utf-8")),
                        (
                            "producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("first_offset", Int64),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeProducersRequest_v0(RequestStruct):  # noqa: N801 - as above
    """Ask the leader of a partition."""

    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = DescribeProducersResponse_v0
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("name", CompactString("utf-8")), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)),
        ),
        ("tags", TaggedFields),
    )


class DescribeProducersRequest(Request[DescribeProducersRequest_v0]):
    """The producers at work on one partition."""

    API_KEY = 61

    def __init__(self, tp: TopicPartition) -> None:
        self._tp = tp

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Make the request of the negotiated version."""
        tags: dict[int, bytes] = {}
        return request_struct_class([(self._tp.topic, [self._tp.partition], tags)], tags)


class ListTransactionsResponse_v0(Response):  # noqa: N801 - as above
    """What one broker coordinates."""

    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(CompactString("utf-8"))),
        (
            "transactions",
            CompactArray(
                ("transactional_id", CompactString("utf-8")),
                ("producer_id", Int64),
                ("state", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ListTransactionsRequest_v0(RequestStruct):  # noqa: N801 - as above
    """Ask one broker."""

    FLEXIBLE_VERSION = True
    API_KEY = 66
    API_VERSION = 0
    RESPONSE_TYPE = ListTransactionsResponse_v0
    SCHEMA = Schema(
        ("state_filters", CompactArray(CompactString("utf-8"))),
        ("producer_id_filters", CompactArray(Int64)),
        ("tags", TaggedFields),
    )


class ListTransactionsRequest(Request[ListTransactionsRequest_v0]):
    """The transactions of some producers."""

    API_KEY = 66

    def __init__(self, producer_ids: list[int]) -> None:
        self._producer_ids = producer_ids

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Make the request of the negotiated version."""
        tags: dict[int, bytes] = {}
        return request_struct_class([], self._producer_ids, tags)


async def holders_of(cluster: Cluster, tp: TopicPartition) -> list[Holder]:
    """Return who has an open transaction in the partition, the oldest first. Raises ClusterAwayError."""
    answer = await cluster.ask(await cluster.leader(tp), DescribeProducersRequest(tp))
    ((_, ((_, error, _, producers, _),), _),) = answer.topics
    if error:
        raise ClusterAwayError(f"producers of {tp.topic}-{tp.partition}: {for_code(error).__name__}")
    opened = {
        producer_id: (epoch, first_offset)
        for producer_id, epoch, _, _, _, first_offset, _ in producers
        if first_offset != NO_TRANSACTION
    }
    if not opened:
        return []
    known: dict[int, tuple[str, str]] = {}
    for node in cluster.nodes():
        told = await cluster.ask(node, ListTransactionsRequest(sorted(opened)))
        known |= {producer_id: (name, state) for name, producer_id, state, _ in told.transactions}
    found = []
    for producer_id, (epoch, first_offset) in opened.items():
        name, state = known.get(producer_id, ("", "unknown"))
        found.append(Holder(name, producer_id, epoch, state, first_offset))
    return sorted(found, key=lambda holder: holder.first_offset)


class Standstill:
    """Says whose transaction a restore is waiting for, when it waits for long."""

    def __init__(self, cluster: Cluster, tp: TopicPartition) -> None:
        self._cluster, self._tp = cluster, tp
        self._offset = -1
        self._since = 0.0
        self._say_at = math.inf

    async def look(self, offset: int) -> None:
        """Take note of how far the restore has come."""
        now = time.monotonic()
        if offset != self._offset:
            self._offset, self._since, self._say_at = offset, now, now + SAY_AFTER_S
        elif now >= self._say_at:
            self._say_at = now + SAY_AGAIN_S
            await self._say(now - self._since)

    async def _say(self, seconds: float) -> None:
        where = {"topic": self._tp.topic, "partition": self._tp.partition, "seconds": round(seconds, 1)}
        try:
            holders = await holders_of(self._cluster, self._tp)
        except ClusterAwayError as error:
            log.warning("the restore waits for a transaction to end", why=str(error), **where)
            return
        for holder in holders:
            # At the first look it may just have ended, between the two questions.
            if holder.abandoned and seconds > SAY_AGAIN_S:
                log.error(ABANDONED, **holder._asdict(), **where, see=REMEDY)
            else:
                log.warning("the restore waits for a transaction to end", **holder._asdict(), **where)
        if not holders:
            log.warning("the restore waits, though no transaction is open any more", **where)
