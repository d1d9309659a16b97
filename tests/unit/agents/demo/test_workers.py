"""The demo's workers are real processes that may be killed, come back, and never outlive the demo."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from agents.demo.workers import UNASKED_ENDS_MAX, WorkerPool
from agents.errors import TierstreamError

SLEEPER = (sys.executable, "-S", "-c", "import os,time; print(os.environ['NAME'], flush=True); time.sleep(60)")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    """Two sleeping workers."""
    pool = WorkerPool(2, SLEEPER, tmp_path / "logs", lambda name: {"NAME": name, "PATH": os.environ["PATH"]})
    pool.start()
    yield pool
    pool.stop()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(pool: WorkerPool) -> list[int]:
    return [worker.shown(0).pid for worker in pool.workers]


def revive_until(pool: WorkerPool, condition: str) -> None:
    deadline = time.monotonic() + 10
    while condition != "all working" or any(w.shown(0).state != "working" for w in pool.workers):
        assert time.monotonic() < deadline
        pool.revive()
        time.sleep(0.02)


def test_a_killed_worker_comes_back_as_another_process(pool: WorkerPool) -> None:
    """Exactly one is killed, counted, and started again; the other is left alone."""
    before = pids(pool)
    assert pool.kill_one(Random(1)) in {"worker-1", "worker-2"}
    assert pool.kills == 1
    revive_until(pool, "all working")
    after = pids(pool)
    assert len(set(before) & set(after)) == 1
    assert sorted(worker.shown(0).kills for worker in pool.workers) == [0, 1]


def test_a_worker_that_was_just_killed_is_not_killed_again(pool: WorkerPool) -> None:
    """Each counted kill ended a live process."""
    assert {pool.kill_one(Random(1)), pool.kill_one(Random(1))} == {"worker-1", "worker-2"}
    assert pool.kill_one(Random(1)) is None
    assert pool.kills == 2


def test_nothing_runs_after_the_stop(pool: WorkerPool) -> None:
    """All processes are gone when stop returns."""
    before = pids(pool)
    pool.stop()
    assert not any(alive(pid) for pid in before)
    assert {worker.shown(0).state for worker in pool.workers} == {"stopped"}


def test_each_worker_has_its_own_environment_and_log(pool: WorkerPool, tmp_path: Path) -> None:
    """What a worker says goes to the file of its name."""
    deadline = time.monotonic() + 10
    logs = {name: tmp_path / "logs" / f"{name}.log" for name in ("worker-1", "worker-2")}
    while any(name not in log.read_text() for name, log in logs.items()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_that_keeps_ending_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A fault is not hidden behind endless restarts."""
    pool = WorkerPool(1, (sys.executable, "-S", "-c", "raise SystemExit('no such topic')"), tmp_path, lambda _: {})
    pool.start()
    with pytest.raises(TierstreamError) as told:
        revive_until(pool, "never")
    assert f"{UNASKED_ENDS_MAX} times" in told.value.what
    assert "exit code 1" in pool.workers[0].shown(0).unasked_end
    assert "no such topic" in told.value.why
