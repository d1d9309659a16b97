"""Everything at once, for as long as asked: `make crash N=200` makes two hundred disturbances, twenty to a run.

Skipped without a number. `CRASH_SEED` repeats a run whose seed was printed.
"""

import os
import time
from pathlib import Path

import pytest

from agents.embedded import EmbeddedKafka
from tests.crash.chaos import Chaos
from tests.crash.run import Run

DISTURBANCES = int(os.environ.get("CRASH_KILLS", "0"))
PER_RUN = 20
FIRST_SEED = int(os.environ.get("CRASH_SEED", str(int(time.time()) % 1_000_000)))

pytestmark = [
    pytest.mark.crash,
    pytest.mark.kafka,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not DISTURBANCES, reason="make crash N=200"),
]


@pytest.mark.parametrize("seed", [FIRST_SEED + n for n in range((DISTURBANCES + PER_RUN - 1) // PER_RUN)])
def test_any_number_of_disturbances_leaves_everything_exact(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kills, points, freezes, joins, leaves and broker deaths in any order; dedupe is off in every second run."""
    with (
        EmbeddedKafka(tmp_path / "kafka") as broker,
        Run(broker.bootstrap, tmp_path, "endurance", seed=seed, rate=400, intake={"dedupe": seed % 2 == 0}) as run,
    ):
        run.start("w1", "w2")
        chaos = Chaos(run, broker)
        for _ in range(PER_RUN):
            chaos.disturb()
        report = run.finish(within_s=30)

    with capsys.disabled():
        print(f"\nseed {seed}: {chaos.done}\n  {report}")  # noqa: T201 - who asked for a number reads the seeds
