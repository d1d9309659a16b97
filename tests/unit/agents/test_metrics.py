"""What Prometheus is shown, and that it can be scraped."""

import socket
import time
from urllib.request import urlopen

import pytest
from prometheus_client import generate_latest

from agents.errors import ConfigurationError
from agents.metrics import RuntimeMetrics, serving


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


def test_the_endpoint_answers_while_it_is_served() -> None:
    """On loopback, and not at all with port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with serving(RuntimeMetrics(), "127.0.0.1", port), urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"tierstream_commits" in answer.read()
    with serving(RuntimeMetrics(), "127.0.0.1", 0):
        pass


def test_a_port_in_use_is_a_mistake_of_the_settings() -> None:
    """Named with the setting, not as a stack trace."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError, match="metrics"), serving(RuntimeMetrics(), "127.0.0.1", port):
            pass
