"""A simulation as files: the same bytes for the same options, whole or not at all."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.simulator import day_files
from agents.simulator.run import EVENTS_FILE, TRUTH_FILE, feed_id, simulated, write_events
from agents.simulator.shop import Options
from schemas.clock import parse_instant

OPTIONS = Options(customers=120, days=200, seed=5)
PINNED = {
    EVENTS_FILE: "6fa89ff58b524d26717db75639c19b4dd834247a81926c4e78e176792bf0d2f4",
    TRUTH_FILE: "ffe5baaf7df497495354cf19b68b81a660e8f583950e6912984fe754390bbf0a",
}
"""SHA-256 of what OPTIONS give: another digest on another machine, Python or library is what must not be."""


def run(folder: Path, options: Options = OPTIONS, *, in_time_order: bool = False) -> list[bytes]:
    with simulated(options, folder, in_time_order=in_time_order) as simulation:
        written = write_events(simulation, folder / EVENTS_FILE)
    lines = (folder / EVENTS_FILE).read_bytes().splitlines()
    assert len(lines) == written == sum(simulation.counts.values())
    return lines


def test_the_bytes_are_pinned(tmp_path: Path) -> None:
    """Whoever changes what is simulated changes these digests, knowingly."""
    run(tmp_path)
    assert {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in PINNED} == PINNED


def test_neither_hash_seed_nor_spilling_changes_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process with other hashes, and hardly any memory, write the same."""
    run(tmp_path / "here")
    command = [sys.executable, "-m", "agents.cli", "simulate", "--customers", "120", "--days", "200", "--seed", "5"]
    environ = {**os.environ, "PYTHONHASHSEED": "123", "TZ": "Asia/Tokyo"}
    subprocess.run([*command, "--out", str(tmp_path / "there")], check=True, capture_output=True, env=environ)
    monkeypatch.setattr(day_files, "LINES_MAX", 50)
    run(tmp_path / "tight")
    for name in (EVENTS_FILE, TRUTH_FILE):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "tight" / name).read_bytes()


def test_fewer_customers_are_a_part_of_more(tmp_path: Path) -> None:
    """Line by line, and in the same order."""
    few = run(tmp_path / "few", Options(customers=40, seed=5))
    many = run(tmp_path / "many", Options(customers=90, seed=5))
    rest = iter(many)
    assert all(line in rest for line in few)
    truths = [(tmp_path / name / TRUTH_FILE).read_bytes().splitlines() for name in ("few", "many")]
    assert truths[0] == truths[1][:40]


def test_events_stand_in_order_of_arrival_or_of_time(tmp_path: Path) -> None:
    """Stores' batches are behind what happened after them; in order of time nothing is."""
    as_they_come, in_time = run(tmp_path), run(tmp_path, in_time_order=True)
    assert sorted(as_they_come) == sorted(in_time)
    times = [parse_instant(json.loads(line)["time"]) for line in in_time]
    assert times == sorted(times)
    latest, behind, stores = 0, 0, 0
    for event in map(json.loads, as_they_come):
        stores += event["channel_type"] == "offline"
        at = parse_instant(event["time"])
        if at < latest:
            assert event["channel_type"] == "offline"
            behind += 1
        latest = max(latest, at)
    assert stores > 50
    assert behind > stores / 2


def test_a_run_that_is_stopped_leaves_no_half_file(tmp_path: Path) -> None:
    """What was there before stays."""
    before = run(tmp_path)

    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), simulated(Options(customers=300, days=20), tmp_path, told=stop):
        pytest.fail("not all customers are made")
    with pytest.raises(KeyboardInterrupt), simulated(Options(customers=300, days=20), tmp_path) as simulation:
        write_events(simulation, tmp_path / EVENTS_FILE, stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == [EVENTS_FILE, TRUTH_FILE]
    assert (tmp_path / EVENTS_FILE).read_bytes().splitlines() == before


def test_the_feed_is_named_after_all_options() -> None:
    """Another seed, another feed; the same again, the same."""
    assert feed_id(OPTIONS) == feed_id(Options(customers=120, days=200, seed=5)) != feed_id(Options())


@pytest.mark.parametrize(
    "options", [Options(start="2026-02-30"), Options(time_zone="Mars/Base"), Options(currency="XBT")]
)
def test_what_cannot_be_simulated_is_told(tmp_path: Path, options: Options) -> None:
    with pytest.raises(ConfigurationError, match="cannot be simulated"), simulated(options, tmp_path):
        pytest.fail("it was simulated")
