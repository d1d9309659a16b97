"""The projection's figures for Prometheus, in a registry of their own."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.metrics import PREFIX, SECONDS_BUCKETS


class ProjectionMetrics(Collector):
    """What one projection process did, and how far behind Redis is."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.read = self._counter("records_read", "Records read from customer-profiles.")
        self.coalesced = self._counter("records_coalesced", "Records that a later one replaced before it was written.")
        self.written = self._counter("profiles_written", "Profiles written.")
        self.erased = self._counter("profiles_erased", "Customers removed: erased, or past inactive_ttl_days.")
        self.stale = self._counter("profiles_stale", "Writes refused because Redis had a newer profile.")
        self.unreadable = self._counter("records_unreadable", "Records that are no profile; Redis keeps what it had.")
        self.rebuilds = self._counter("rebuilds", "Partitions read again from their begin.")
        self.outages = self._counter("outages", "Attempts that failed because of Redis.", "reason")
        self.breaker_open = self._gauge("breaker_open", "1 while Redis is left alone after a failure.")
        self.queue = self._gauge("queue_customers", "Customers that wait to be written.")
        self.write_seconds = Histogram(
            f"{PREFIX}_redis_write_seconds",
            "One round trip of writes.",
            registry=self.registry,
            buckets=SECONDS_BUCKETS,
        )
        self.level_at_ms = time.time() * 1000
        """When Redis last had everything that was in the topic."""
        self.level = False
        self.newest_written_ms = 0
        """Arrival in the topic of the newest profile that was written."""
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Compute what depends on the moment of the scrape."""
        now_ms = time.time() * 1000
        behind_s = 0.0 if self.level else max(0.0, now_ms - self.level_at_ms) / 1000
        yield GaugeMetricFamily(
            f"{PREFIX}_redis_behind_seconds",
            "Since Redis last had every profile of our partitions; 0 while it has.",
            value=behind_s,
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_redis_newest_profile_age_seconds",
            "Age of the newest profile that was written; 0 before the first.",
            value=max(0.0, now_ms - self.newest_written_ms) / 1000 if self.newest_written_ms else 0.0,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_redis_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"{PREFIX}_redis_{name}", text, registry=self.registry)
