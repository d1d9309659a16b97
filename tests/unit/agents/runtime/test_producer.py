"""The strict end of a transaction, against a scripted cluster: what is sent again, and what never is."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatch

from agents.runtime import producer as module
from agents.runtime.cluster import Cluster
from agents.runtime.failures import ClusterAwayError, FencedOffError, UnknownOutcomeError
from agents.runtime.producer import TransactionalProducer
from agents.runtime.stage import OutputRecord

NOT_LEADER, COORDINATOR_MOVED, CONCURRENT, FENCED = 6, 16, 51, 47
RECORD: OutputRecord = (b"k", b"v", ())
LOST = KafkaConnectionError("lost")

Script = dict[type, list[int | Exception]]


class ScriptedCluster(Cluster):
    """Answers each kind of request from its list, then with success; remembers what was asked."""

    def __init__(self, script: Script) -> None:
        super().__init__("nowhere:1", client_id="test")
        self.script = script
        self.asked: list[Any] = []
        self.lookups = 0

    @property
    def kinds(self) -> list[str]:
        """The names of the requests, without the first."""
        return [type(request).__name__.removesuffix("Request") for request in self.asked[1:]]

    async def leader(self, tp: TopicPartition) -> int:
        """One node leads all."""
        return 1

    async def transaction_coordinator(self, transactional_id: str) -> int:
        """Count the questions."""
        self.lookups += 1
        return 1

    def refresh(self) -> None:
        """Have no metadata."""

    def close_lane(self, lane: str) -> None:
        """Have no connections."""

    async def send(self, node: int, request: Any, *, lane: str) -> Any:  # noqa: ANN401
        """Play the script."""
        self.asked.append(request)
        scripted = self.script.get(type(request), [])
        step = scripted.pop(0) if scripted else 0
        if isinstance(step, Exception):
            raise step
        return ANSWERS[type(request)](request, step)


ANSWERS: dict[type, Callable[[Any, int], Any]] = {
    InitProducerIdRequest: lambda _, code: SimpleNamespace(error_code=code, producer_id=7, producer_epoch=1),
    EndTxnRequest: lambda _, code: SimpleNamespace(error_code=code),
    AddPartitionsToTxnRequest: lambda r, code: SimpleNamespace(
        errors=[(topic, [(p, code) for p in partitions]) for topic, partitions in r._topics]
    ),
    ProduceRequest: lambda r, code: SimpleNamespace(
        topics=[(topic, [(p, code, 0) for p, _ in partitions]) for topic, partitions in r._topics]
    ),
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_BACKOFF_S", 0.001)
    monkeypatch.setattr(module, "CONCURRENT_BACKOFF_S", 0.001)
    monkeypatch.setattr(module, "TRANSACTION_TIMEOUT_MS", 300)


async def started(script: Script | None = None) -> tuple[TransactionalProducer, ScriptedCluster]:
    """Make a producer that has its epoch."""
    cluster = ScriptedCluster(script or {})
    producer = TransactionalProducer(cluster, "app-stage-0")
    await producer.start()
    return producer, cluster


async def test_a_commit_is_three_requests() -> None:
    """Partitions, records, end: whatever the number of topics."""
    producer, cluster = await started()

    await producer.commit({("a", 0): [RECORD], ("b", 3): [RECORD, RECORD]})

    assert cluster.kinds == ["AddPartitionsToTxn", "Produce", "EndTxn"]
    assert cluster.asked[-1]._transaction_result is True


async def test_sequences_go_on_over_commits() -> None:
    """The broker recognises a repeated batch by them."""
    producer, cluster = await started()

    for _ in range(2):
        await producer.commit({("a", 0): [RECORD, RECORD, RECORD]})

    batches = [DefaultRecordBatch(bytes(r._topics[0][1][0][1])) for r in cluster.asked if isinstance(r, ProduceRequest)]
    assert [b.base_sequence for b in batches] == [0, 3]


@pytest.mark.parametrize("kind", [AddPartitionsToTxnRequest, EndTxnRequest])
async def test_an_unanswered_request_is_never_sent_again(kind: type) -> None:
    """It may be on its way still; only a new epoch may go on."""
    producer, cluster = await started({kind: [LOST]})

    with pytest.raises(UnknownOutcomeError):
        await producer.commit({("a", 0): [RECORD]})

    assert sum(type(request) is kind for request in cluster.asked) == 1


@pytest.mark.parametrize("kind", [AddPartitionsToTxnRequest, EndTxnRequest])
async def test_a_request_that_was_not_sent_is_sent(kind: type) -> None:
    """No connection, nothing on its way."""
    producer, cluster = await started({kind: [NodeNotReadyError("no connection")]})

    await producer.commit({("a", 0): [RECORD]})

    assert sum(type(request) is kind for request in cluster.asked) == 2


@pytest.mark.parametrize("kind", [AddPartitionsToTxnRequest, EndTxnRequest])
@pytest.mark.parametrize("code", [COORDINATOR_MOVED, CONCURRENT])
async def test_an_answered_error_is_tried_again(kind: type, code: int) -> None:
    """The broker said that it did nothing."""
    producer, cluster = await started({kind: [code, code]})

    await producer.commit({("a", 0): [RECORD]})

    assert sum(type(request) is kind for request in cluster.asked) == 3
    assert cluster.lookups == (3 if code == COORDINATOR_MOVED else 1)


@pytest.mark.parametrize("step", [LOST, NOT_LEADER])
async def test_produce_is_repeated_as_it_was(step: int | Exception) -> None:
    """Its sequence numbers make a repeat harmless."""
    producer, cluster = await started({ProduceRequest: [step]})

    await producer.commit({("a", 0): [RECORD]})

    first, second = (request for request in cluster.asked if isinstance(request, ProduceRequest))
    assert first._topics == second._topics


async def test_a_fenced_producer_says_so() -> None:
    """And does not end the transaction of its successor."""
    producer, cluster = await started({ProduceRequest: [FENCED]})

    with pytest.raises(FencedOffError):
        await producer.commit({("a", 0): [RECORD]})

    assert "EndTxn" not in cluster.kinds


async def test_a_cluster_that_never_recovers_ends_the_attempt() -> None:
    """A transaction has its time; after it the coordinator has aborted anyway."""
    producer, _ = await started({ProduceRequest: [NOT_LEADER] * 10_000})

    with pytest.raises(ClusterAwayError):
        await producer.commit({("a", 0): [RECORD]})


async def test_closing_aborts_what_is_open() -> None:
    """Committed readers are not held back until the transaction times out."""
    producer, cluster = await started({ProduceRequest: [FENCED]})
    with pytest.raises(FencedOffError):
        await producer.commit({("a", 0): [RECORD]})

    await producer.close()

    assert cluster.asked[-1]._transaction_result is False


async def test_closing_after_an_unanswered_end_sends_nothing() -> None:
    """An abort could meet a commit that is still on its way."""
    producer, cluster = await started({EndTxnRequest: [LOST]})
    with pytest.raises(UnknownOutcomeError):
        await producer.commit({("a", 0): [RECORD]})

    await producer.close()

    assert cluster.kinds == ["AddPartitionsToTxn", "Produce", "EndTxn"]


async def test_large_commits_take_several_produce_requests() -> None:
    """One batch per partition and request, in order."""
    producer, cluster = await started()
    large: OutputRecord = (b"k", b"v" * 500_000, ())

    await producer.commit({("a", 0): [large, large, large], ("b", 0): [RECORD]})

    sent = [dict(r._topics) for r in cluster.asked if isinstance(r, ProduceRequest)]
    assert [sorted(topics) for topics in sent] == [["a", "b"], ["a"], ["a"]]
