"""The benchmark is a program, not a timed test: here it only has to run, report everything and clean up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agents.embedded import EmbeddedKafka
from agents.kafka_clients import admin_client
from agents.settings import KafkaSettings, Settings

pytestmark = pytest.mark.kafka
FIGURES = ("events_per_s", "cpu_us_per_event", "intake_cpu_us_per_event", "customers_cpu_us_per_event")


def test_throughput_reports_every_figure_of_both_workloads_and_leaves_nothing(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    """One line of JSON with all keys, no topic left on the broker, no file left in the temporary folder."""
    arguments = ["--only", "throughput", "--events", "8000", "--customers", "400", "--partitions", "3", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", "bench", *arguments, "--bootstrap", kafka.bootstrap],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    for prefix in ("", "orders_"):
        for figure in FIGURES:
            assert found[prefix + figure] > 0, figure
    assert found["events"] == 8_000
    assert list(tmp_path.iterdir()) == []
    with admin_client(Settings(kafka=KafkaSettings(bootstrap=kafka.bootstrap))) as admin:
        assert [topic for topic in admin.list_topics() if "bench" in topic] == []
