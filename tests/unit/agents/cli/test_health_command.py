"""`tierstream health`: the answer of a probe as text, as JSON and as exit code."""

import json
from collections.abc import Iterator

import pytest

from agents.cli import run
from agents.runtime.view import WorkerView
from agents.serving import serving
from tests.unit.agents.test_health import STUCK, partition, view
from tests.unit.agents.test_serving import free_port


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that worker and command are told of; they listen and ask on loopback."""
    chosen = free_port()
    monkeypatch.setenv("TIERSTREAM_METRICS_PORT", str(chosen))
    monkeypatch.setenv("TIERSTREAM_METRICS_HOST", "0.0.0.0")
    return chosen


@pytest.fixture
def worker(port: int) -> Iterator[list[WorkerView]]:
    """A worker that looks as the last view says."""
    from prometheus_client import CollectorRegistry

    seen = [view()]
    with serving(CollectorRegistry(), lambda: seen[-1], "127.0.0.1", port):
        yield seen


def test_a_worker_that_is_well(worker: list[WorkerView], capsys: pytest.CaptureFixture[str]) -> None:
    """One word, exit code 0."""
    assert [run(["health"]), run(["health", "ready"]), run(["health", "startup"])] == [0, 0, 0]
    assert capsys.readouterr().out == "ok\nok\nok\n"


def test_a_stuck_worker(worker: list[WorkerView], capsys: pytest.CaptureFixture[str]) -> None:
    """Which partition and why, exit code 1."""
    worker.append(view(partitions=(partition(), STUCK)))

    assert run(["health", "live"]) == 1
    assert capsys.readouterr().out == (
        "stuck\n  customers, partition 7: has not moved for 31 s: a commit has been open for 31 s\n"
    )
    assert run(["health", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["partitions"][1]["why"] == "a commit has been open for 31 s"


def test_no_worker(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and where it was asked."""
    assert run(["health"]) == 1
    assert f"no answer\n  127.0.0.1:{port}:" in capsys.readouterr().out


def test_a_worker_that_serves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The setting and what to do."""
    assert run(["health"]) == 2
    assert "metrics.port" in capsys.readouterr().err
