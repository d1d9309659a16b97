"""The runtime's figures for Prometheus: all names, each with its unit in it. Counted per commit, never per event."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

PREFIX = "tierstream"
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Around the promise: a commit every 0.1 s, an event visible downstream within 0.3 s."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more per counter, that nobody asks for


class Lag(NamedTuple):
    """What of one topic partition is not committed yet."""

    records: int
    """Offsets up to the end that a committed reader can reach; control records count."""
    after_ms: int | None
    """Nothing that waits arrived before this epoch millisecond; None: not known yet."""


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
        self.newest_ms: dict[str, int] = {}
        """Arrival of the newest record folded, by topic."""
        self.lags: Mapping[tuple[str, str, int], Lag] = {}
        """By stage, topic and partition, as of the watchdog's last look."""
        self.watermark: Callable[[], int | None] = lambda: None
        self.tasks: Callable[[], Iterable[tuple[str, bool]]] = tuple
        """Stage of each owned partition, and whether it is at work."""
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

    def owns(self, stage: str, partition: int) -> bool:
        """Whether the partition is shown."""
        return (stage, partition) in self._live

    def collect(self) -> Iterator[Metric]:
        """Compute what depends on the moment of the scrape."""
        now_ms = time.time() * 1000
        yield from self._ages(now_ms)
        yield from self._lags(now_ms)
        newest = GaugeMetricFamily(
            f"{PREFIX}_last_event_timestamp_seconds",
            "When the newest record folded by this worker arrived at the broker, Unix time.",
            labels=("topic",),
        )
        for topic, arrived_ms in self.newest_ms.copy().items():
            newest.add_metric((topic,), arrived_ms / 1000)
        yield newest
        watermark = self.watermark()
        text = "Age of the instant up to which all input is in the journal; time alone changes nothing beyond it."
        mark = GaugeMetricFamily(f"{PREFIX}_watermark_lag_seconds", text, labels=())
        if watermark is not None:
            mark.add_metric((), max(0.0, now_ms - watermark) / 1000)
        yield mark
        states = GaugeMetricFamily(
            f"{PREFIX}_partitions",
            "Partitions owned by this worker: `opening` until restored, then `working`.",
            labels=("stage", "state"),
        )
        found = list(self.tasks())
        for stage in sorted({stage for stage, _ in found}):
            for working, state in ((False, "opening"), (True, "working")):
                states.add_metric((stage, state), found.count((stage, working)))
        yield states

    def _ages(self, now_ms: float) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            f"{PREFIX}_last_commit_age_seconds", "Since the partition's last commit.", labels=("stage", "partition")
        )
        lag = GaugeMetricFamily(
            f"{PREFIX}_lag_seconds",
            "Age of the oldest input that was taken up and is not committed; 0 when there is none.",
            labels=("stage", "partition"),
        )
        now = time.monotonic()
        for (stage, partition), live in sorted(self._live.copy().items()):
            labels = (stage, str(partition))
            age.add_metric(labels, now - live.last_commit)
            lag.add_metric(labels, max(0.0, now_ms - live.behind_since_ms) / 1000 if live.behind_since_ms else 0.0)
        yield age
        yield lag

    def _lags(self, now_ms: float) -> Iterator[Metric]:
        labels = ("stage", "topic", "partition")
        records = GaugeMetricFamily(
            f"{PREFIX}_consumer_lag_records",
            "Offsets between the last commit and the end of the topic's partition, as the brokers tell it.",
            labels=labels,
        )
        seconds = GaugeMetricFamily(
            f"{PREFIX}_consumer_lag_seconds",
            "Greatest possible age of what is not committed: since the newest committed record arrived, or since "
            "nothing was left to commit; 0 when nothing is.",
            labels=labels,
        )
        for (stage, topic, partition), lag in sorted(self.lags.items()):
            if not self.owns(stage, partition):
                continue
            values = (stage, topic, str(partition))
            records.add_metric(values, lag.records)
            if not lag.records:
                seconds.add_metric(values, 0.0)
            elif lag.after_ms is not None:
                seconds.add_metric(values, max(0.0, now_ms - lag.after_ms) / 1000)
        yield records
        yield seconds

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, registry=self.registry, buckets=SECONDS_BUCKETS)


class PartitionMetrics:
    """One partition's figures; updated once per commit or slice of folding."""

    def __init__(self, owner: RuntimeMetrics, stage: str) -> None:
        self._events, self._commits = owner.events.labels(stage), owner.commits.labels(stage)
        self._seconds, self._latency = owner.commit_seconds.labels(stage), owner.latency_seconds.labels(stage)
        self._newest_ms = owner.newest_ms
        self.last_commit = time.monotonic()
        self.behind_since_ms = 0
        """Arrival of the oldest input not committed yet, epoch milliseconds; 0 when there is none."""
        self.newest_ms: dict[str, int] = {}
        """Arrival of the newest record folded, by topic."""

    def folded(self, topic: str, arrived_ms: int) -> None:
        """Take note of the last record of a slice."""
        self.newest_ms[topic] = arrived_ms
        if arrived_ms > self._newest_ms.get(topic, 0):
            self._newest_ms[topic] = arrived_ms

    def committed(self, *, events: int, seconds: float, oldest_ms: int) -> None:
        """Count a commit of `events` records, the oldest of which arrived at `oldest_ms`."""
        self.last_commit = time.monotonic()
        self._commits.inc()
        self._seconds.observe(seconds)
        if events:
            self._events.inc(events)
            self._latency.observe(max(0.0, time.time() - oldest_ms / 1000))
