"""How a worker ends: in order, with the exit code that names the cause, and without an open transaction left behind."""

import time

import pytest

from agents.errors import BrokerUnreachableError, BugError, FencedError
from tests.integration.conftest import MakeToy
from tests.integration.toy_worker import POISON

pytestmark = pytest.mark.kafka


def test_sigterm_ends_in_order_and_leaves_nothing_open(toy: MakeToy) -> None:
    """Exit 0 soon, with a minute of input before it; committed readers see everything that was written."""
    deployment = toy()
    worker = deployment.worker(slow_s=0.015)
    worker.wait_says("partition ready", deployment.partitions)
    deployment.feed(4_000)
    begun = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - begun < 15
    seen = deployment.read(f"{deployment.name}-out")
    written = deployment.read(f"{deployment.name}-out", "read_uncommitted")
    assert {p: len(r) for p, r in seen.items()} == {p: len(r) for p, r in written.items()}
    deployment.worker()
    deployment.wait_echoed(4_000)
    deployment.check_exact()


def test_a_static_member_that_ends_hands_over_at_once(toy: MakeToy) -> None:
    """It says goodbye: the group does not wait for its session, and the other worker gets its partitions."""
    deployment = toy()
    first = deployment.worker()
    first.wait_says("partition ready", deployment.partitions)
    second = deployment.worker()
    second.wait_says("partition ready", deployment.partitions // 2)
    assert deployment.members() == {"w1", "w2"}
    assert first.terminate() == 0
    assert deployment.members() == {"w2"}
    second.wait_says("partition ready", deployment.partitions)


def test_sigterm_during_restore(toy: MakeToy) -> None:
    """A worker that is still restoring ends as quickly."""
    deployment = toy()
    worker = deployment.worker(restore_s=1.5)
    worker.wait_says("a slow restore has begun")
    assert worker.terminate() == 0
    assert worker.output().count("partition ready") < deployment.partitions


def test_a_bug_in_the_fold_acknowledges_nothing(toy: MakeToy) -> None:
    """Exit 15 names partition and offsets; nothing of the batch is published, and the next start stops there again."""
    deployment = toy(partitions=1)
    deployment.feed(500)
    worker = deployment.worker()
    deployment.wait_echoed(500)
    deployment.feed(100, first=500, values=lambda number: POISON if number == 580 else b"%08d" % number)
    assert worker.wait() == BugError.exit_code
    assert f"{deployment.sources[0]}-0, offsets" in worker.output()
    assert "ValueError" in worker.output()
    assert POISON not in deployment.echoed()
    deployment.check_prefix()
    again = deployment.worker()
    assert again.wait() == BugError.exit_code
    assert POISON not in deployment.echoed()


def test_no_broker_at_the_start(toy: MakeToy) -> None:
    """Exit 16 says which address was tried."""
    deployment = toy()
    worker = deployment.worker(bootstrap="127.0.0.1:1")
    assert worker.wait() == BrokerUnreachableError.exit_code
    assert "kafka.bootstrap = 127.0.0.1:1" in worker.output()


def test_two_processes_with_one_instance_id(toy: MakeToy) -> None:
    """The second takes over; the first notices and ends, and the result stays exact."""
    deployment = toy(session_timeout_s=12)  # who is silent for half of it may have been forgotten: that is no theft
    first = deployment.worker(instance_id="same")
    first.wait_says("partition ready", deployment.partitions)
    deployment.feed(1_000)
    second = deployment.worker(instance_id="same")
    second.wait_says("partition ready", deployment.partitions)
    deployment.feed(1_000, first=1_000)
    assert first.wait() == FencedError.exit_code
    assert "worker.instance_id = same" in first.output()
    deployment.wait_echoed(2_000)
    deployment.check_exact()
