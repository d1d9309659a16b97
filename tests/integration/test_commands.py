"""The commands as a user types them, one after the other, on a real broker with a real worker."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka

pytestmark = pytest.mark.kafka
FOLDED_WITHIN_S = 60


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings, as `--config` is left out: commands run in it."""
    (tmp_path / "tierstream.toml").write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "commands"\ntopic_prefix = "commands."\n'
        'partitions = 2\n[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n[intake]\nclock = "event"\n'
    )
    orders = [
        {
            "type": "order.completed",
            "id": f"e{number}",
            "time": f"2026-01-{1 + number:02}T10:00:00Z",
            "customer_id": "anna" if number % 2 else "bert",
            "order_id": f"o{number}",
            "currency": "USD",
            "total_minor": 6000 if number % 2 else 1000,
        }
        for number in range(10)
    ]
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(order) + "\n" for order in orders))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def worker(shop: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker over the shop's topics, ended in order."""
    assert run(["topics", "apply"]) == 0
    with (shop / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agents.cli", "worker"],
            stderr=log,
            stdout=log,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(FOLDED_WITHIN_S) == 0, (shop / "worker.log").read_text()


def _profile(customer: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The profile once the whole file is in it."""
    deadline = time.monotonic() + FOLDED_WITHIN_S
    while time.monotonic() < deadline:
        capsys.readouterr()
        if run(["customer", "show", customer, "--json"]) == 0:
            data: dict[str, object] = json.loads(capsys.readouterr().out)["data"]
            if data["aggregates"]["orders_lifetime"] == 5:  # type: ignore[index]  # JSON
                return data
        time.sleep(0.3)
    raise AssertionError(f"no complete profile of {customer} within {FOLDED_WITHIN_S} s")


def test_from_an_empty_cluster_to_a_customers_tier(
    shop: Path, worker: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """Topics, feed, worker, customer, policy: each command does what its help says."""
    assert run(["topics", "check"]) == 0
    assert run(["feed", "orders.jsonl", "--event-clock"]) == 0
    assert "10 events sent" in capsys.readouterr().out

    anna = _profile("anna", capsys)
    assert anna["customer"]["tier"]["name"] == "Gold"  # type: ignore[index]  # JSON
    assert _profile("bert", capsys)["customer"]["tier"]["name"] == "Silver"  # type: ignore[index]  # JSON
    assert run(["customer", "show", "anna"]) == 0
    shown = capsys.readouterr().out
    assert "Gold (rank 3 of standing) since 2026-01-10T10:00:00.000Z" in shown
    assert "300.00" in shown
    assert run(["customer", "show", "nobody"]) == 1

    assert run(["policy", "show", "--json"]) == 0
    capsys.readouterr()
    assert run(["policy", "activate", "--effective-at", "2026-02-01T00:00:00Z"]) == 0
    deadline = time.monotonic() + FOLDED_WITHIN_S
    known: list[object] = []
    while len(known) < 2 and time.monotonic() < deadline:
        capsys.readouterr()
        run(["policy", "show", "--json"])
        known = json.loads(capsys.readouterr().out)["policies"]
    assert [policy["effective_at"][:10] for policy in known] == ["1970-01-01", "2026-02-01"]  # type: ignore[index]  # JSON


@pytest.mark.parametrize(
    "command",
    [
        ["feed", "orders.jsonl"],
        ["go-live"],
        ["policy", "activate"],
        ["override", "set", "anna", "--ladder", "standing", "--tier", "gold", "--reason", "r", "--actor", "a"],
    ],
    ids=lambda command: command[0],
)
def test_what_is_sent_to_topics_that_are_not_there(
    kafka: EmbeddedKafka, shop: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """A wrong prefix, or `topics apply` forgotten: told at once, where a client would wait for a topic for minutes."""
    settings = shop / "elsewhere.toml"
    settings.write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "commands"\ntopic_prefix = "nowhere."\n'
        'partitions = 2\n[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n'
    )
    assert run(["topics", "apply"]) == 0  # the changelogs go by the application's name: they are there
    begun = time.monotonic()

    assert run([*command, "--config", str(settings)]) == 2
    said = capsys.readouterr().err
    assert "nowhere." in said
    assert "tierstream topics apply" in said
    assert time.monotonic() - begun < 20
