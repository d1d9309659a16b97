"""Prometheus' own tool judges what is shipped and what is exported; skipped where it is not installed."""

import shutil
import subprocess
from collections import Counter

import pytest
from prometheus_client import generate_latest

from agents.app import show_process
from agents.customers import CustomersStage
from agents.freshness import Freshness
from agents.metrics import Lag, RuntimeMetrics
from agents.stage_metrics import (
    BAND_MOVED,
    LATE,
    NOTICED,
    RECEIVED,
    REFUSED,
    REPEATED,
    TIER_MOVED,
    StageCounts,
    StageMetrics,
)
from schemas.catalog import TOPICS
from tests.deploy.exported import DEPLOY
from tests.journal import JOURNAL, fold_all
from tests.unit.agents.silver import FALLS, journal_with_orders, visit

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)
HERE = DEPLOY.parent / "tests" / "deploy"


def promtool(*arguments: str, given: bytes | None = None) -> str:
    """What it says; fails the test when it complains."""
    assert PROMTOOL is not None
    ended = subprocess.run([PROMTOOL, *arguments], input=given, capture_output=True, check=False, timeout=280)
    said = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 0, said
    return said


def exported() -> bytes:
    """A scrape of a worker with something in every family."""
    metrics, freshness = RuntimeMetrics(), Freshness()
    show_process(metrics.registry)
    counts: StageCounts = Counter(
        {
            (RECEIVED, "purchases", "order.completed"): 1,
            (LATE, "order.completed"): 1,
            (REFUSED, "schema"): 1,
            (REPEATED, "intake"): 1,
            (TIER_MOVED, "standing", "none", "silver", "initial"): 1,
            (NOTICED, "downgrade_upcoming"): 1,
            (BAND_MOVED, "low", "high"): 1,
        }
    )
    stage = CustomersStage(
        JOURNAL, {name: name for name in TOPICS}, 1, decoded_max=10, dedupe=True, counts=counts, freshness=freshness
    )
    partition = stage.partition(0)
    partition.ready()
    journal = journal_with_orders("c1")
    journal.event(visit("c2"), FALLS)  # so that windows are over whose buyers were foretold
    fold_all(partition, journal.records)
    partition.drain()
    partition.committed()
    partition.poll(None)
    metrics.of("customers", 0).committed(events=1, seconds=0.1, oldest_ms=1)
    metrics.of("customers", 0).folded("customer-events", 1)
    metrics.rebuilds.labels("customers", "FencedOffError").inc()
    metrics.lags = {("customers", "customer-events", 0): Lag(1, 1)}
    metrics.watermark = lambda: 1
    metrics.tasks = lambda: [("customers", True)]
    metrics.registry.register(StageMetrics(counts, freshness, lambda: stage.figures.owned(lambda _: True)))
    return generate_latest(metrics.registry)


def test_the_metrics_keep_to_the_conventions() -> None:
    """Base units, `_total`, help texts: promtool's linter finds nothing to say."""
    scrape = exported()
    for line in scrape.decode().splitlines():
        if line.startswith("# TYPE tierstream_"):
            name = line.split()[2]
            assert f"\n{name}" in scrape.decode().replace("# TYPE ", ""), f"no sample of {name}"

    assert promtool("check", "metrics", given=scrape) == ""


def test_the_linter_would_say_something() -> None:
    """A counter without `_total`, in milliseconds."""
    assert PROMTOOL is not None
    bad = b"# HELP a_milliseconds B.\n# TYPE a_milliseconds counter\na_milliseconds 1\n"
    assert subprocess.run([PROMTOOL, "check", "metrics"], input=bad, capture_output=True, check=False).returncode


@pytest.mark.parametrize("name", ["alerts.yaml", "recording.yaml"])
def test_the_rules_are_valid(name: str) -> None:
    """Also those of a Prometheus other than ours."""
    assert "SUCCESS" in promtool("check", "rules", str(DEPLOY / "prometheus" / name))


def test_the_configuration_of_compose_is_valid() -> None:
    """With the rule files that it names."""
    assert "2 rule files found" in promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))


@pytest.mark.parametrize("name", ["alerts_test.yaml", "alerts_over_days_test.yaml"])
def test_every_alert_fires_when_it_should_and_not_otherwise(name: str) -> None:
    """On series written by hand."""
    assert "SUCCESS" in promtool("test", "rules", str(HERE / name))
