"""The broker dies and comes back: no exit, nothing lost, every partition goes on."""

import time

import pytest

from agents.embedded import EmbeddedKafka
from tests.integration.conftest import MakeToy

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_the_worker_waits_and_resumes(toy: MakeToy, kafka: EmbeddedKafka, way: str) -> None:
    """Tasks are built again with a growing pause until the broker answers; the same process goes on."""
    deployment = toy()
    deployment.feed(2_000)
    worker = deployment.worker(slow_s=0.001)
    worker.wait_says("partition ready", deployment.partitions)
    time.sleep(1)
    getattr(kafka, way)()
    time.sleep(2)
    assert worker.alive(), worker.output()
    kafka.restart()
    deployment.feed(2_000, first=2_000)
    deployment.wait_echoed(4_000)
    deployment.check_exact()
    assert worker.alive(), worker.output()
    assert worker.terminate() == 0
