"""What Prometheus is shown of the runtime."""

import time

from prometheus_client import generate_latest

from agents.metrics import Lag, RuntimeMetrics


def shown(metrics: RuntimeMetrics, name: str) -> dict[str, float]:
    """Return the samples of a metric, by their labels."""
    lines = [line for line in generate_latest(metrics.registry).decode().splitlines() if line.startswith(name)]
    return {line.rpartition(" ")[0].removeprefix(name): float(line.rpartition(" ")[2]) for line in lines}


def test_a_commit_counts_its_events_once() -> None:
    """Per commit, not per event; the latency is that of the oldest record."""
    metrics = RuntimeMetrics()
    partition = metrics.of("intake", 3)

    partition.committed(events=500, seconds=0.02, oldest_ms=int(time.time() * 1000) - 150)

    assert shown(metrics, "tierstream_events_total") == {'{stage="intake"}': 500}
    assert shown(metrics, "tierstream_commits_total") == {'{stage="intake"}': 1}
    latency = shown(metrics, "tierstream_commit_latency_seconds_bucket")
    assert latency['{le="0.1",stage="intake"}'] == 0
    assert latency['{le="0.25",stage="intake"}'] == 1


def test_lag_is_the_age_of_the_oldest_input_not_committed() -> None:
    """Seconds, computed at the scrape; zero when nothing waits."""
    metrics = RuntimeMetrics()
    waiting, idle = metrics.of("intake", 0), metrics.of("intake", 1)
    waiting.behind_since_ms = int(time.time() * 1000) - 5_000

    lag = shown(metrics, "tierstream_lag_seconds")

    assert 4.9 < lag['{partition="0",stage="intake"}'] < 6
    assert lag['{partition="1",stage="intake"}'] == 0
    assert idle.behind_since_ms == 0


def test_a_partition_that_is_owned_elsewhere_is_not_shown() -> None:
    """Its age would grow for ever."""
    metrics = RuntimeMetrics()
    metrics.of("intake", 0)
    metrics.forget("intake", 0)

    assert shown(metrics, "tierstream_last_commit_age_seconds") == {}


def test_lag_by_topic_partition_is_shown_of_owned_partitions_only() -> None:
    """In records as the brokers told, in seconds as of the scrape; no seconds while they are unknown."""
    metrics = RuntimeMetrics()
    for partition in (0, 1, 2):
        metrics.of("intake", partition)
    now_ms = int(time.time() * 1000)
    metrics.lags = {
        ("intake", "purchases", 0): Lag(7, now_ms - 3_000),
        ("intake", "purchases", 1): Lag(9, None),
        ("intake", "purchases", 2): Lag(0, now_ms - 9_000),
        ("intake", "purchases", 3): Lag(5, now_ms),
    }

    records, seconds = (
        shown(metrics, "tierstream_consumer_lag_records"),
        shown(metrics, "tierstream_consumer_lag_seconds"),
    )

    assert [records[f'{{partition="{n}",stage="intake",topic="purchases"}}'] for n in (0, 1, 2)] == [7, 9, 0]
    assert 3 <= seconds.pop('{partition="0",stage="intake",topic="purchases"}') < 4
    assert seconds == {'{partition="2",stage="intake",topic="purchases"}': 0}


def test_the_newest_arrival_never_runs_backwards() -> None:
    """By topic, over all partitions of the worker."""
    metrics = RuntimeMetrics()
    first, second = metrics.of("intake", 0), metrics.of("intake", 1)
    first.folded("purchases", 5_000)
    second.folded("purchases", 4_000)

    assert shown(metrics, "tierstream_last_event_timestamp_seconds") == {'{topic="purchases"}': 5}
    assert (first.newest_ms, second.newest_ms) == ({"purchases": 5_000}, {"purchases": 4_000})


def test_the_watermark_is_shown_once_it_is_known() -> None:
    """Its age at the scrape."""
    metrics = RuntimeMetrics()
    assert shown(metrics, "tierstream_watermark_lag_seconds") == {}
    metrics.watermark = lambda: int(time.time() * 1000) - 2_000

    assert 2 <= shown(metrics, "tierstream_watermark_lag_seconds")[""] < 3


def test_partitions_are_counted_by_what_they_do() -> None:
    """A state that nobody is in shows 0, so that an alert has something to compare."""
    metrics = RuntimeMetrics()
    metrics.tasks = lambda: [("intake", True), ("intake", True), ("customers", False)]

    found = shown(metrics, "tierstream_partitions")

    assert found['{stage="intake",state="working"}'] == 2
    assert found['{stage="intake",state="opening"}'] == 0
    assert found['{stage="customers",state="opening"}'] == 1
