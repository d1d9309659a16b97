"""A transactional producer whose end of transaction is strict: whole commits, and never a request sent twice blindly.

aiokafka's own producer resends EndTxn after a lost connection and reports success, while the held-back first request
then commits half of the *next* transaction. Here EndTxn and AddPartitions without an answer end the producer
(UnknownOutcomeError); an answered, retriable error is tried again. Produce requests may be repeated: their sequence
numbers make a repeat harmless. And a commit costs three requests, not a dozen tasks and futures.
"""

import asyncio
import itertools
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest

from agents.runtime.answers import Answer, judge, judge_all
from agents.runtime.cluster import ALL_REPLICAS, RETRY_BACKOFF_S, Cluster
from agents.runtime.failures import ClusterAwayError, UnknownOutcomeError
from agents.runtime.records import Packed, ProducerState, pack
from agents.runtime.stage import OutputRecord

TRANSACTION_TIMEOUT_MS = 10_000
"""An open transaction of a dead worker holds back the readers of every partition that it wrote to."""
CONCURRENT_BACKOFF_S = 0.02
"""The markers of the previous transaction are still being written: that takes milliseconds."""
ABORT_WITHIN_S = 1.0
PACK_SLICE_S = 0.01
"""Packing a commit of all partitions takes longer than a slice of folding may: the loop turns in between."""
REQUEST_BYTES_MAX = 8_000_000
"""A produce request is sent when its batches are so large together; brokers take 100 MB, but hold up all others."""
_LANES = itertools.count()
"""Two holders of one id, one of which fences the other, must not share a connection: closing is for one's own."""


class TransactionalProducer:
    """The holder of a transactional id. Made by `start`, it lives until its first failure."""

    def __init__(self, cluster: Cluster, transactional_id: str) -> None:
        self._cluster = cluster
        self._id = transactional_id
        self._lane = f"txn {next(_LANES)} {transactional_id}"
        self._coordinator: int | None = None
        self._state = ProducerState(-1, -1)
        self._sequences: dict[TopicPartition, int] = defaultdict(int)
        self._open = False

    async def start(self) -> None:
        """Take over the name: fences whoever had it and aborts what that one left open (InitProducerId)."""
        request = InitProducerIdRequest(self._id, TRANSACTION_TIMEOUT_MS)
        deadline = (
            time.monotonic() + 3 * TRANSACTION_TIMEOUT_MS / 1000
        )  # the abort of another's transaction may take one
        while True:
            try:
                response = await self._ask_coordinator(request, deadline)
            except UnknownOutcomeError as error:  # asking again takes one more epoch: harmless
                raise ClusterAwayError(str(error)) from error
            if not await self._settle(judge(response.error_code, self._id), deadline):
                self._state = ProducerState(response.producer_id, response.producer_epoch)
                return

    async def commit(self, outputs: Mapping[tuple[str, int], Sequence[OutputRecord]]) -> None:
        """Write all records in one transaction; returns when it is committed. Any failure ends the producer."""
        deadline = time.monotonic() + TRANSACTION_TIMEOUT_MS / 1000
        batches: dict[TopicPartition, deque[Packed]] = {}
        packed_since_s = time.perf_counter()
        for (topic, partition), records in outputs.items():
            if time.perf_counter() - packed_since_s > PACK_SLICE_S:
                await asyncio.sleep(0)
                packed_since_s = time.perf_counter()
            tp = TopicPartition(topic, partition)
            packed = pack(records, self._state, self._sequences[tp], f"{topic}-{partition}")
            self._sequences[tp] = (self._sequences[tp] + sum(batch.size for batch in packed)) & 0x7FFFFFFF
            batches[tp] = deque(packed)
        self._open = True
        await self._add_partitions(batches, deadline)
        await self._produce(batches, deadline)
        self._open = False  # from here on the coordinator alone knows
        await self._end(commit=True, deadline=deadline)

    async def close(self) -> None:
        """Abort what is open, as far as a second allows, and close the connections."""
        if self._open:
            self._open = False
            try:
                async with asyncio.timeout(ABORT_WITHIN_S):
                    await self._end(commit=False, deadline=time.monotonic() + ABORT_WITHIN_S)
            except Exception:  # noqa: BLE001, S110 - the next owner's InitProducerId aborts it as well
                pass
        self._cluster.close_lane(self._lane)

    async def _add_partitions(self, tps: Iterable[TopicPartition], deadline: float) -> None:
        topics: dict[str, list[int]] = defaultdict(list)
        for tp in tps:
            topics[tp.topic].append(tp.partition)
        request = AddPartitionsToTxnRequest(self._id, *self._state, list(topics.items()))
        while True:
            response = await self._ask_coordinator(request, deadline)
            codes = {
                f"{topic}-{partition}": code for topic, errors in response.errors for partition, code in errors if code
            }
            if not await self._settle(judge_all(codes), deadline):
                return

    async def _end(self, *, commit: bool, deadline: float) -> None:
        request = EndTxnRequest(self._id, *self._state, commit)
        while True:
            response = await self._ask_coordinator(request, deadline)
            if not await self._settle(judge(response.error_code, self._id), deadline):
                return

    async def _ask_coordinator(self, request: Any, deadline: float) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Send once. What certainly was not sent is tried again; what was sent and not answered is never."""
        while True:
            if self._coordinator is None:
                self._coordinator = await self._cluster.transaction_coordinator(self._id)
            try:
                return await self._cluster.send(self._coordinator, request, lane=self._lane)
            except NodeNotReadyError as error:
                self._coordinator = None
                await self._pause(RETRY_BACKOFF_S, deadline, repr(error))
            except KafkaError as error:
                raise UnknownOutcomeError(f"{type(request).__name__} of {self._id}: {error!r}") from error

    async def _settle(self, answer: Answer, deadline: float) -> bool:
        """Act on a coordinator's answer; True when the same request must be sent again."""
        if answer is Answer.DONE:
            return False
        if answer is Answer.ELSEWHERE:
            self._coordinator = None
            self._cluster.refresh()
        pause = CONCURRENT_BACKOFF_S if answer is Answer.CONCURRENT else RETRY_BACKOFF_S
        await self._pause(pause, deadline, answer.name)
        return True

    async def _produce(self, batches: dict[TopicPartition, deque[Packed]], deadline: float) -> None:
        """Send every partition's batches, one after the other, as many partitions of a leader as a request may hold."""
        while batches:
            by_node: dict[int, dict[TopicPartition, Packed]] = defaultdict(dict)
            size = 0
            for tp, waiting in batches.items():
                by_node[await self._cluster.leader(tp)][tp] = waiting[0]
                size += len(waiting[0].data)
                if size > REQUEST_BYTES_MAX:
                    break
            if len(by_node) == 1:
                answers = [await self._produce_to(*by_node.popitem())]
            else:
                answers = await asyncio.gather(*(self._produce_to(node, heads) for node, heads in by_node.items()))
            refused = ""
            for codes in answers:
                for tp, code in codes.items():
                    where = f"{tp.topic}-{tp.partition}"
                    if judge(code, where) is not Answer.DONE:
                        refused = where
                        continue
                    batches[tp].popleft()
                    if not batches[tp]:
                        del batches[tp]
            if refused:
                self._cluster.refresh()
                await self._pause(RETRY_BACKOFF_S, deadline, f"produce to {refused}")

    async def _produce_to(self, node: int, heads: Mapping[TopicPartition, Packed]) -> dict[TopicPartition, int]:
        """Return the error code of each partition; a lost connection reads as NETWORK_EXCEPTION (13) for all."""
        topics: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
        for tp, packed in heads.items():
            topics[tp.topic].append((tp.partition, packed.data))
        request = ProduceRequest(self._id, ALL_REPLICAS, TRANSACTION_TIMEOUT_MS, list(topics.items()))
        try:
            response = await self._cluster.send(node, request, lane=self._lane)
        except KafkaError:
            return dict.fromkeys(heads, 13)
        return {
            TopicPartition(topic, partition): code
            for topic, partitions in response.topics
            for partition, code, *_ in partitions
        }

    async def _pause(self, seconds: float, deadline: float, why: str) -> None:
        if time.monotonic() + seconds > deadline:
            raise ClusterAwayError(f"{self._id}: {why}, and the transaction's time is over")
        await asyncio.sleep(seconds)
