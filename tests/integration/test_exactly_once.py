"""A killed worker, a worker that comes, one that goes: what is published stays exactly what came in."""

import random
import signal
import threading
import time

import pytest

from tests.integration.conftest import MakeToy
from tests.integration.toy import Toy, wait_until

pytestmark = pytest.mark.kafka
STEP = 200
STEPS_PER_SECOND = 5


def test_kills_leave_outputs_and_state_exact(toy: MakeToy) -> None:
    """Five SIGKILLs at random moments under load: nothing lost, doubled or out of order."""
    deployment, dice = toy(), random.Random(7)
    feeder = threading.Thread(target=_feed_slowly, args=(deployment, 6))
    feeder.start()
    for _ in range(5):
        worker = deployment.worker(instance_id="w")
        worker.wait_says("partition ready", deployment.partitions)
        time.sleep(dice.uniform(0.1, 1.0))
        worker.kill()
    feeder.join()
    deployment.worker(instance_id="w")
    deployment.wait_echoed(6_000)
    deployment.check_exact()


def test_members_that_come_and_go_keep_every_partition_advancing(toy: MakeToy) -> None:
    """A second worker joins and leaves under load; after each change every partition commits again."""
    deployment, enough, seconds = toy(), threading.Event(), 0

    def feed() -> None:
        nonlocal seconds
        while not enough.is_set():
            _feed_slowly(deployment, 1, first=seconds * STEP * STEPS_PER_SECOND)
            seconds += 1

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        first = deployment.worker()
        first.wait_says("partition ready", deployment.partitions)
        second = deployment.worker()
        second.wait_says("partition ready", 1)
        _every_partition_advances(deployment)
        assert second.terminate() == 0
        _every_partition_advances(deployment)
    finally:
        enough.set()
        feeder.join()
    deployment.wait_echoed(seconds * STEP * STEPS_PER_SECOND)
    deployment.check_exact()
    assert first.alive()


def test_a_worker_paused_past_its_session_does_no_harm(toy: MakeToy) -> None:
    """The others take over; awake again, its late commit is fenced, and it goes on as a member without an exit."""
    deployment = toy()
    first, second = deployment.worker(), deployment.worker()
    for worker in (first, second):
        worker.wait_says("partition ready", 1)
    feeder = threading.Thread(target=_feed_slowly, args=(deployment, 10))
    feeder.start()
    time.sleep(1)
    first.process.send_signal(signal.SIGSTOP)
    second.wait_says("partition ready", deployment.partitions, within_s=20)
    first.process.send_signal(signal.SIGCONT)
    feeder.join()
    deployment.wait_echoed(10_000)
    _feed_slowly(deployment, 1, first=10_000)
    deployment.wait_echoed(11_000)
    deployment.check_exact()
    assert first.alive(), first.output()
    assert second.alive(), second.output()


def _feed_slowly(deployment: Toy, seconds: int, first: int = 0) -> None:
    for step in range(seconds * STEPS_PER_SECOND):
        begun = time.monotonic()
        deployment.feed(STEP, first=first + step * STEP)
        time.sleep(max(0.0, 1 / STEPS_PER_SECOND - (time.monotonic() - begun)))


def _every_partition_advances(deployment: Toy) -> None:
    before = {number: len(records) for number, records in deployment.read(f"{deployment.name}-out").items()}

    def advanced() -> bool:
        now = deployment.read(f"{deployment.name}-out")
        return all(len(now[number]) > count for number, count in before.items())

    wait_until(advanced, 15, lambda: f"still at {before}")
