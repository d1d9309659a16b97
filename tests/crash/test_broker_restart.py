"""The broker dies or restarts under load: workers wait and go on by themselves, and nothing is lost or doubled."""

import time
from pathlib import Path

import pytest

from agents.embedded import EmbeddedKafka
from tests.crash.run import Run

pytestmark = [pytest.mark.crash, pytest.mark.kafka, pytest.mark.timeout(480)]

DOWN_S = 4.0
BACK_WITHIN_S = 30.0


def test_workers_outlive_their_broker(tmp_path: Path) -> None:
    """`kill -9` of the broker, silence, a start; then an orderly restart. The workers are never touched."""
    with (
        EmbeddedKafka(tmp_path / "kafka") as broker,
        Run(broker.bootstrap, tmp_path, "broker", seed=9, intake={"dedupe": False}) as run,
    ):
        run.start("w1", "w2", from_nothing=True)
        run.pause(2, 3)
        broker.kill()
        time.sleep(DOWN_S)
        broker.start()
        run.say(f"killed broker: all advance {run.watch().all_advance(BACK_WITHIN_S):.1f} s after its return")
        broker.restart()
        run.say(f"restarted broker: all advance {run.watch().all_advance(BACK_WITHIN_S):.1f} s after its return")
        lives = {worker.name: (worker.lives, worker.returncode) for worker in run.deployment.workers.values()}
        assert lives == {"w1": (1, None), "w2": (1, None)}, f"workers ended, logs in {run.deployment.folder}"
        run.finish()
