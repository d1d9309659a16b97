"""Workers come, go, freeze and return while the load never pauses; partitions that stay with a worker go on too."""

import signal
import time
from pathlib import Path

import pytest

from agents.embedded import EmbeddedKafka
from tests.crash.forked_worker import CRASHED, ON_REBALANCE
from tests.crash.harness import ADVANCE_S, JOINED_WITHIN_S, SEVERAL_FAULTS_S, Worker, wait_until
from tests.crash.run import STARTED_WITHIN_S, Run

pytestmark = [pytest.mark.crash, pytest.mark.timeout(480)]

SESSION_S = 6
TAKEN_OVER_WITHIN_S = SESSION_S + ADVANCE_S
FENCED = 10


def test_two_and_three_workers_join_and_leave(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Every second member leaves in another way; no partition stands still for longer than the limit at any time.

    The limit is one for each event: the next comes when every partition has gone on.
    """
    with Run(kafka.bootstrap, tmp_path, "members", seed=5, intake={"dedupe": False}) as run:
        run.start("w1")
        watch = run.watch()
        for name in ("w2", "w3"):
            run.deployment.join(name)
            run.advance()
        assert run.deployment.worker("w2").terminate() == 0
        run.advance()
        run.deployment.worker("w3").kill()
        run.deployment.join("w2", "w3")
        run.advance()
        assert run.deployment.worker("w1").terminate() == 0
        run.advance()
        run.deployment.worker("w3").kill()  # and does not come back: its session must end first
        run.advance()
        run.say(f"longest standstill of a partition {watch.require(ADVANCE_S):.1f} s")
        run.finish()


def test_a_worker_dies_while_a_rebalance_takes_its_partitions(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Held for a rebalance, and in the middle of giving partitions away."""
    with Run(kafka.bootstrap, tmp_path, "revoked", seed=6) as run:
        for point in sorted(ON_REBALANCE):
            worker = run.deployment.worker("w1").start(point)
            run.watch().all_advance(STARTED_WITHIN_S)
            run.deployment.start("w2")
            assert worker.wait(JOINED_WITHIN_S) == CRASHED, f"{point}: log {worker.log}"
            worker.start()
            run.say(point)
            run.advance(SEVERAL_FAULTS_S)
            run.deployment.worker("w2").terminate()
            worker.kill()
        run.start("w1")
        run.finish()


def test_a_worker_frozen_past_its_session_does_no_harm_when_it_wakes(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """SIGSTOP, the others take over, SIGCONT: the zombie's open commit must not count, and nothing is folded twice."""
    with Run(kafka.bootstrap, tmp_path, "zombie", seed=7, intake={"dedupe": False}) as run:
        run.start("w1", "w2")
        for name, other in (("w1", "w2"), ("w2", "w1")):
            run.say(f"freeze {name}")
            worker, taker = run.deployment.worker(name), run.deployment.worker(other)
            openings, taken = worker.openings(), taker.openings()
            worker.signal(signal.SIGSTOP)
            frozen = time.monotonic()
            waited_s = wait_until(lambda: taker.openings() > taken, TAKEN_OVER_WITHIN_S, f"that {other} takes over")  # noqa: B023 - at once
            run.watch().all_advance(TAKEN_OVER_WITHIN_S - waited_s)
            run.say(f"{other} took over after {time.monotonic() - frozen:.1f} s")
            time.sleep(max(0.0, SESSION_S + 2 - (time.monotonic() - frozen)))
            worker.signal(signal.SIGCONT)
            run.pause(1, 2)
            wait_until(lambda: back(run, worker, openings), JOINED_WITHIN_S, f"the return of {name}")  # noqa: B023 - at once
        run.finish()


def back(run: Run, worker: Worker, openings: int) -> bool:
    """Whether a worker has opened partitions again; one that ended as fenced is started anew."""
    code = worker.returncode
    assert code in {None, FENCED}, f"{worker.name} ended with {code}, log {worker.log}"
    run.deployment.revive(run.say)
    return worker.openings() > openings


def test_sigterm_ends_a_worker_in_order_and_at_once(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Exit code 0 within seconds, no transaction left open, and the other worker goes on without waiting a session."""
    with Run(kafka.bootstrap, tmp_path, "sigterm", seed=8) as run:
        run.start("w1", "w2", from_nothing=True)
        run.pause(1, 2)
        began = time.monotonic()
        assert run.deployment.worker("w1").terminate(10) == 0
        run.say(f"ended after {time.monotonic() - began:.1f} s")
        run.say(f"the other took over after {run.watch().all_advance(SESSION_S):.1f} s")
        run.finish()
