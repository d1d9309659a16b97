"""The demo as a user starts it: exact under kills, the same on every run, and gone without a trace afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from rich.console import Console

from agents.cli import run as command
from agents.demo import chaos, feeding
from agents.demo.cdnow import read_purchases
from agents.demo.ground import Options
from agents.demo.run import Outcome, run_demo
from agents.demo.screen import Lines
from agents.demo.simulation import whole_shop
from agents.embedded import EmbeddedKafka
from agents.replay.event_files import FILES
from schemas.events import type_of

CUSTOMERS = 600
GONE_WITHIN_S = 20.0


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """The demo with its first customers only, killed early; returns how many purchases they made."""
    purchases = [purchase for purchase in read_purchases() if int(purchase.customer) <= CUSTOMERS]
    monkeypatch.setattr(feeding, "read_purchases", lambda: purchases)
    monkeypatch.setattr(chaos, "UNPACED_PAUSE_S", (0.3, 1.5))
    return len(purchases)


def run(kafka: EmbeddedKafka, out: Path, *, partitions: int, kill: bool, purchases_only: bool) -> Outcome:
    options = Options(
        out=out,
        live=False,
        purchases_only=purchases_only,
        chaos=kill,
        partitions=partitions,
        bootstrap=kafka.bootstrap,
    )
    return run_demo(options, Lines(Console(stderr=True)))


def topics_of(kafka: EmbeddedKafka) -> set[str]:
    """Topics of people, not of the broker itself."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        return {name for name in admin.list_topics() if not name.startswith("__")}
    finally:
        admin.close()


def test_files_are_the_same_with_kills_and_at_another_number_of_partitions(
    kafka: EmbeddedKafka, small: int, tmp_path: Path
) -> None:
    """Byte by byte: nothing in them depends on where a record lay or how often a worker died."""
    calm = run(kafka, tmp_path / "calm", partitions=2, kill=False, purchases_only=True)
    wild = run(kafka, tmp_path / "wild", partitions=3, kill=True, purchases_only=True)
    for outcome in (calm, wild):
        assert outcome.summary is not None
        assert outcome.exact
        assert (outcome.summary.lost, outcome.summary.doubled, outcome.summary.wrong) == (0, 0, 0)
        assert (outcome.summary.purchases, outcome.summary.simulated) == (small, 0)
        assert outcome.summary.customers == CUSTOMERS
    assert wild.summary is not None
    assert wild.summary.kills > 0
    for name in FILES.values():
        assert (tmp_path / "calm" / name).read_bytes() == (tmp_path / "wild" / name).read_bytes(), name
    lines = (tmp_path / "calm" / "journal.jsonl").read_bytes().splitlines()
    assert len(lines) == 2 + small
    assert [json.loads(line)["type"] for line in (lines[0], lines[-1])] == ["policy.activated", "clock.closed"]
    assert len((tmp_path / "calm" / "profiles.jsonl").read_bytes().splitlines()) == CUSTOMERS
    journal, again = str(tmp_path / "calm" / "journal.jsonl"), tmp_path / "again"
    assert command(["replay", "--input", journal, "--out", str(again), "--jobs", "1", "--json"]) == 0
    assert len(list(again.iterdir())) == len(FILES) - 1
    for path in again.iterdir():
        assert path.read_bytes() == (tmp_path / "wild" / path.name).read_bytes(), path.name


def test_browsing_and_tickets_are_counted_apart(kafka: EmbeddedKafka, small: int, tmp_path: Path) -> None:
    """The simulated part comes on top of the purchases and is exact as well; the user's broker is left as it was."""
    before = topics_of(kafka)
    outcome = run(kafka, tmp_path / "out", partitions=2, kill=False, purchases_only=False)
    assert outcome.summary is not None
    assert outcome.exact
    assert outcome.summary.purchases == small
    assert outcome.summary.simulated > 2 * small
    assert outcome.summary.events == outcome.summary.purchases + outcome.summary.simulated
    assert sum(outcome.summary.tiers.values()) == sum(outcome.summary.churn_risk.values()) == CUSTOMERS
    assert topics_of(kafka) <= before


def test_a_simulated_shop_is_played_as_exactly(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Orders, visits, tickets, refunds, devices and consents of made-up customers alone: nothing is refused."""
    options = Options(out=tmp_path, live=False, simulated_customers=120, partitions=2, bootstrap=kafka.bootstrap)
    outcome = run_demo(options, Lines(Console(stderr=True)))
    assert outcome.summary is not None
    assert outcome.exact
    sent = Counter(type_of(event) for event in whole_shop(120))
    assert outcome.summary.purchases == sent["order.completed"]
    assert outcome.summary.events == sent.total()
    assert (tmp_path / "dead-letters.jsonl").read_bytes() == b""
    profiles = [json.loads(line) for line in (tmp_path / "profiles.jsonl").read_bytes().splitlines()]
    assert {f"c{number:07d}" for number in range(1, 121)} <= {profile["data"]["customer_id"] for profile in profiles}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A whole demo in a process of its own, with its workers at work."""
    command = [sys.executable, "-m", "agents.cli", "demo", "--exit", "--purchases-only", "--data-dir", str(tmp_path)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while len([line for line in processes(tmp_path) if "worker" in line]) < 2:
        assert demo.poll() is None, demo.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield demo
    demo.kill()
    demo.communicate()


def processes(folder: Path) -> list[str]:
    """Command lines of all processes that have to do with a folder, but for the demo's own."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if str(folder) in command and " demo " not in command:
                found.append(command)
    return found


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := processes(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_ctrl_c_leaves_nothing_running(started: subprocess.Popen[str], tmp_path: Path) -> None:
    """Broker and workers are gone when the command returns; no stack trace."""
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert processes(tmp_path) == []
    assert "Traceback" not in said


def test_a_killed_demo_leaves_nothing_running(started: subprocess.Popen[str], tmp_path: Path) -> None:
    """Also SIGKILL takes broker and workers along."""
    os.kill(started.pid, signal.SIGKILL)
    started.communicate(timeout=60)
    wait_until_gone(tmp_path)


def test_an_own_broker_that_does_not_answer_is_told() -> None:
    """The exit code is that of an unreachable broker, and the text says what to do next."""
    command = [sys.executable, "-m", "agents.cli", "demo", "--exit", "--purchases-only", "--bootstrap", "127.0.0.1:1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 16
    assert "next:" in ended.stderr
    assert "Traceback" not in ended.stderr
