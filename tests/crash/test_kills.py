"""`kill -9`, at random moments and at every named point of the commit: nothing lost, nothing doubled, all in order."""

import os
from pathlib import Path

import pytest

from agents.embedded import EmbeddedKafka
from tests.crash.forked_worker import AT_START, CRASHED, ON_REBALANCE, POINTS
from tests.crash.harness import SEVERAL_FAULTS_S
from tests.crash.run import Run

RANDOM_KILLS = int(os.environ.get("CRASH_KILLS", "14"))  # make crash N=200

pytestmark = [pytest.mark.crash, pytest.mark.timeout(480 + 15 * RANDOM_KILLS)]

POLICIES = Path(__file__).with_name("policies")
OFTEN = 20  # a point of the commit is passed so often within a second or two when nothing else is at work
POINT_WITHIN_S = 90  # patience with a busy machine, on which commits are fewer and larger
ENOUGH_FOR_NOTICES = 3_000  # records, of which twenty notices come
ONCE_PER_PARTITION = 5  # a point of the start is passed six times: half of the partitions of two stages


def test_a_worker_dies_at_every_named_point_of_the_commit(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Twice at each point of the commit and the restore, early and later in its life, while another worker reads on."""
    with Run(kafka.bootstrap, tmp_path, "points", seed=3) as run:
        run.start("w1", "w2")
        worker = run.deployment.worker("w1")
        worker.kill()
        for point in POINTS:
            if point in ON_REBALANCE:
                continue
            most = ONCE_PER_PARTITION if point in AT_START else OFTEN
            for nth in (1, run.dice.randrange(2, most)):
                worker.start(point, nth)
                code = worker.wait(POINT_WITHIN_S)
                assert code == CRASHED, f"{point!r} ({nth}) ended with {code}, log {worker.log}"
        worker.start()
        report = run.finish()

    assert report.records["tier changes"] > 100


def test_workers_are_killed_at_random_moments(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """One of two workers at a time, sometimes both, at any distance; dedupe is off, so that no repeat hides."""
    with Run(kafka.bootstrap, tmp_path, "random", seed=4, intake={"dedupe": False}) as run:
        run.start("w1", "w2")
        for _ in range(RANDOM_KILLS):
            run.pause(0.1, 3.0)
            both = run.dice.random() < 0.1
            for name in ("w1", "w2") if both else (run.dice.choice(("w1", "w2")),):
                run.say(f"kill {name}")
                run.deployment.worker(name).kill()
                run.deployment.start(name)
        run.finish(within_s=SEVERAL_FAULTS_S)


def test_workers_are_killed_while_one_rich_policy_follows_another(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Three ladders with three clocks, counters and notices; the second policy is put in force amid the kills."""
    programme = {"file": str(POLICIES / "programme.toml"), "preset": None, "currency": None, "time_zone": None}
    with Run(kafka.bootstrap, tmp_path, "programme", seed=5, policy=programme) as run:
        run.start("w1", "w2")
        for kill in range(RANDOM_KILLS // 2):
            run.pause(0.1, 3.0)
            name = run.dice.choice(("w1", "w2"))
            run.say(f"kill {name}")
            run.deployment.worker(name).kill()
            run.deployment.start(name)
            if kill == RANDOM_KILLS // 4:
                run.deployment.run("policy", "activate", str(POLICIES / "stricter.toml"))
                run.say("the stricter policy is in force")
        run.fed(ENOUGH_FOR_NOTICES)
        report = run.finish(within_s=SEVERAL_FAULTS_S)

    assert report.records["tier changes"] > 100
    assert report.records["notices"] > 5
