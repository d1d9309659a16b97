"""A killed worker, a worker that comes, one that goes: what is published stays exactly what came in."""

import random
import signal
import time

import pytest

from tests.integration.conftest import MakeToy
from tests.integration.processes import Meanwhile
from tests.integration.toy import PATIENCE_S, Toy, wait_until

pytestmark = pytest.mark.kafka
STEP = 200
STEP_EVERY_S = 0.3


class Feed(Meanwhile):
    """Feeds a deployment as long as the block runs."""

    def __init__(self, deployment: Toy) -> None:
        super().__init__(STEP_EVERY_S)
        self._deployment, self.fed = deployment, 0

    def step(self) -> None:
        """The next records."""
        self._deployment.feed(STEP, first=self.fed)
        self.fed += STEP


def test_kills_leave_outputs_and_state_exact(toy: MakeToy) -> None:
    """Five SIGKILLs at random moments under load: nothing lost, doubled or out of order."""
    deployment, dice = toy(), random.Random(7)
    with Feed(deployment) as feed:
        for _ in range(5):
            worker = deployment.worker(instance_id="w")
            worker.wait_says("partition ready", deployment.partitions)
            time.sleep(dice.uniform(0.1, 1.0))
            worker.kill()
    deployment.worker(instance_id="w")
    deployment.wait_echoed(feed.fed)
    deployment.check_exact()


def test_members_that_come_and_go_keep_every_partition_advancing(toy: MakeToy) -> None:
    """A second worker joins and leaves under load; after each change every partition commits again."""
    deployment = toy()
    with Feed(deployment) as feed:
        first = deployment.worker()
        first.wait_says("partition ready", deployment.partitions)
        second = deployment.worker()
        second.wait_says("partition ready", 1)
        _every_partition_advances(deployment)
        assert second.terminate() == 0
        _every_partition_advances(deployment)
    deployment.wait_echoed(feed.fed)
    deployment.check_exact()
    assert first.alive()


def test_a_worker_paused_past_its_session_does_no_harm(toy: MakeToy) -> None:
    """The other takes over; awake again, its late commit is fenced, and it goes on as a member without an exit."""
    deployment = toy()
    first = deployment.worker()
    first.wait_says("partition ready", deployment.partitions)
    second = deployment.worker()
    second.wait_says("partition ready", deployment.partitions // 2)
    with Feed(deployment) as feed:
        _every_partition_advances(deployment)
        first.process.send_signal(signal.SIGSTOP)
        second.wait_says("partition ready", deployment.partitions)
        first.process.send_signal(signal.SIGCONT)
        wait_until(lambda: deployment.members() == {"w1", "w2"}, PATIENCE_S)
        _every_partition_advances(deployment)
    deployment.wait_echoed(feed.fed)
    deployment.check_exact()
    assert first.alive(), first.output()
    assert second.alive(), second.output()


def _every_partition_advances(deployment: Toy) -> None:
    before = {number: len(records) for number, records in deployment.read(f"{deployment.name}-out").items()}

    def advanced() -> bool:
        now = deployment.read(f"{deployment.name}-out")
        return all(len(now[number]) > count for number, count in before.items())

    wait_until(advanced, 15, lambda: f"still at {before}")
