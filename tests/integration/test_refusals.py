"""Positions that do not fit their topic any more: the worker ends with exit 12 and the remedy; nothing is skipped."""

import signal
import time

import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, NewPartitions

from agents.errors import RefusedPositionError
from tests.integration.conftest import MakeToy
from tests.integration.toy import PATIENCE_S, Toy, ToyWorker, wait_until

pytestmark = pytest.mark.kafka


def test_a_topic_that_was_made_again(toy: MakeToy) -> None:
    """Another topic id is another topic; with --accept-topic it is read from its begin."""
    deployment = _folded(toy())
    topic = deployment.sources[0]
    _remake(deployment, topic)
    deployment.feed(200, first=1_000)
    worker = deployment.worker()
    _refused(worker, "deleted and made again", f"--accept-topic {topic}")
    assert len(deployment.echoed()) == 1_000
    deployment.worker(accepted_topics=[topic])
    deployment.wait_echoed(1_200)


def test_retention_that_passed_the_position(toy: MakeToy) -> None:
    """Records that were deleted unread are named; with --accept-topic the worker goes on behind them."""
    deployment = _folded(toy())
    topic = deployment.sources[0]
    deployment.feed(400, first=1_000)
    admin = KafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    tp = TopicPartition(topic, 1)
    ends = {tp: len(deployment.read(topic)[1])}
    admin.delete_records(ends)
    admin.close()
    worker = deployment.worker()
    _refused(worker, "deleted before they were read", f"--accept-topic {topic}")
    assert f"{topic}-1" in worker.output()
    deployment.worker(accepted_topics=[topic])
    deployment.wait_echoed(1_400 - 50)


def test_a_topic_that_got_more_partitions(toy: MakeToy) -> None:
    """Customers would change partitions: refused, with the bridge; accepting it is no remedy."""
    deployment = _folded(toy())
    topic = deployment.sources[1]
    admin = KafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    admin.create_partitions({topic: NewPartitions(deployment.partitions + 2)})
    admin.close()
    for accepted in ([], [topic]):
        worker = deployment.worker(accepted_topics=accepted)
        _refused(worker, "another number of partitions", "tierstream topics check")


def test_retention_that_passes_a_worker_at_work(toy: MakeToy) -> None:
    """A worker that is overtaken while it runs is built again, and then refuses."""
    deployment = _folded(toy())
    worker = deployment.worker()
    worker.wait_says("partition ready", deployment.partitions)
    worker.process.send_signal(signal.SIGSTOP)  # shorter than its session
    deployment.feed(400, first=1_000)
    topic = deployment.sources[0]
    admin = KafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    admin.delete_records({TopicPartition(topic, 0): len(deployment.read(topic)[0])})
    admin.close()
    worker.process.send_signal(signal.SIGCONT)
    _refused(worker, "deleted before they were read", f"{topic}-0")


def _folded(deployment: Toy) -> Toy:
    """Have 1,000 records folded, and the worker gone."""
    deployment.feed(1_000)
    worker = deployment.worker()
    deployment.wait_echoed(1_000)
    assert worker.terminate() == 0
    return deployment


def _refused(worker: ToyWorker, *words: str) -> None:
    assert worker.wait() == RefusedPositionError.exit_code
    for word in words:
        assert word in worker.output()


def _remake(deployment: Toy, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=deployment.bootstrap)
    admin.delete_topics([topic])
    wait_until(lambda: topic not in admin.list_topics(), PATIENCE_S)
    admin.close()
    time.sleep(0.5)
    deployment.create_topics({topic: {"message.timestamp.type": "LogAppendTime"}})
