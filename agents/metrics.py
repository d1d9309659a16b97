"""The worker's figures for Prometheus: all names, each with its unit in it. Counted per commit, never per event.

Served on `metrics.host:port` from a thread of its own, so that a busy event loop does not make the figures late.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.errors import ConfigurationError

PREFIX = "tierstream"
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Around the promise: a commit every 0.1 s, an event visible downstream within 0.3 s."""


class HasRegistry(Protocol):
    """Figures of a process."""

    registry: CollectorRegistry


class RuntimeMetrics(Collector):
    """Figures of all partitions of a worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = self._counter("events", "Input records folded and committed.", "stage")
        self.commits = self._counter("commits", "Committed transactions.", "stage")
        self.commit_seconds = self._histogram("commit_seconds", "From the begin of a transaction to its end.", "stage")
        self.latency_seconds = self._histogram(
            "commit_latency_seconds",
            "From the arrival of a commit's oldest record at the broker to the commit.",
            "stage",
        )
        self.rebuilds = self._counter("rebuilds", "Partition tasks built again after a failure.", "stage", "reason")
        self.rebalances = self._counter("rebalances", "Assignments received from the consumer group.")
        self.restored = self._counter("restored_records", "Changelog records read back.")
        self.restore_remaining = self._gauge("restore_remaining_offsets", "Changelog offsets still to be read back.")
        self.restoring = self._gauge("restoring_partitions", "Partitions that are being restored.")
        self.loop_lag = self._gauge("loop_lag_seconds", "How late the event loop was at the last look.")
        self._live: dict[tuple[str, int], PartitionMetrics] = {}
        self.registry.register(self)

    def of(self, stage: str, partition: int) -> "PartitionMetrics":
        """Return the figures of one partition, fresh."""
        live = PartitionMetrics(self, stage)
        self._live[stage, partition] = live
        return live

    def forget(self, stage: str, partition: int) -> None:
        """Stop showing a partition that this worker does not own any more."""
        self._live.pop((stage, partition), None)

    def collect(self) -> Iterator[Metric]:
        """Compute what depends on the moment of the scrape."""
        age = GaugeMetricFamily(
            f"{PREFIX}_last_commit_age_seconds", "Since the partition's last commit.", labels=("stage", "partition")
        )
        lag = GaugeMetricFamily(
            f"{PREFIX}_lag_seconds",
            "Age of the oldest input that is available and not committed; 0 when there is none.",
            labels=("stage", "partition"),
        )
        now, now_ms = time.monotonic(), time.time() * 1000
        for (stage, partition), live in sorted(self._live.items()):
            labels = (stage, str(partition))
            age.add_metric(labels, now - live.last_commit)
            lag.add_metric(labels, max(0.0, now_ms - live.behind_since_ms) / 1000 if live.behind_since_ms else 0.0)
        yield age
        yield lag

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, registry=self.registry, buckets=SECONDS_BUCKETS)


class PartitionMetrics:
    """One partition's figures; updated once per commit."""

    def __init__(self, owner: RuntimeMetrics, stage: str) -> None:
        self._events, self._commits = owner.events.labels(stage), owner.commits.labels(stage)
        self._seconds, self._latency = owner.commit_seconds.labels(stage), owner.latency_seconds.labels(stage)
        self.last_commit = time.monotonic()
        self.behind_since_ms = 0
        """Arrival of the oldest input not committed yet, epoch milliseconds; 0 when there is none."""

    def committed(self, *, events: int, seconds: float, oldest_ms: int) -> None:
        """Count a commit of `events` records, the oldest of which arrived at `oldest_ms`."""
        self.last_commit = time.monotonic()
        self._commits.inc()
        self._seconds.observe(seconds)
        if events:
            self._events.inc(events)
            self._latency.observe(max(0.0, time.time() - oldest_ms / 1000))


@contextmanager
def serving(metrics: HasRegistry, host: str, port: int, setting: str = "metrics.port") -> Iterator[None]:
    """Serve the figures at `/metrics` while the block runs; port 0 serves nothing."""
    if not port:
        yield
        return
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise ConfigurationError(
            "The metrics cannot be served.",
            where=f"metrics.host = {host}, {setting} = {port}",
            why=str(error),
            next_step="choose a free port, or 0 to serve none",
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
