"""A shadow's figures for Prometheus, in a registry of their own."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agents.metrics import PREFIX, SECONDS_BUCKETS
from agents.shadow.pair import BANDS, NO_TIER
from agents.shadow.trial import Trial

Flows = Mapping[tuple[str, str | None, str | None], int]
"""Customers by ladder (empty for the bands), live and shadow tier."""
_BEHIND: Final = "Since the oldest record of the journal that is not in the shadow yet was written; 0 when level."


class ShadowMetrics:
    """What one shadow process does, and how its candidate differs on the partitions that it has."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.info = Gauge(
            f"{PREFIX}_shadow_policy_info",
            "1 for the policy that is tried.",
            ("policy", "hash"),
            registry=self.registry,
        )
        self.customers = self._gauge("customers", "Customers who are compared.")
        self.differing = self._gauge("differing_customers", "Customers who stand differently in any way.")
        self.flows = Gauge(
            f"{PREFIX}_shadow_flow_customers",
            "Customers who stand differently, by ladder (`churn_risk` for the bands), live tier and the candidate's.",
            ("ladder", "live", "shadow"),
            registry=self.registry,
        )
        self.changes = Counter(
            f"{PREFIX}_shadow_differences",
            "Published: differences that began, changed or ended.",
            ("difference",),
            registry=self.registry,
        )
        self.events = self._counter("events", "Records of the journal that were folded, on both sides.")
        self.behind_records = self._gauge("behind_records", "Offsets of the journal that are not folded yet.")
        self.behind_seconds = self._gauge("behind_seconds", _BEHIND)
        self.partitions = self._gauge("partitions", "Partitions that this process has.")
        self.snapshots = Histogram(
            f"{PREFIX}_shadow_snapshot_seconds",
            "One snapshot of a partition.",
            registry=self.registry,
            buckets=SECONDS_BUCKETS,
        )
        self._shown: set[tuple[str, str, str]] = set()

    def of(self, trial: Trial) -> None:
        """Name the candidate."""
        self.info.labels(trial.name, trial.hash[:12]).set(1)

    def show_flows(self, flows: Flows) -> None:
        """Set what is there, and take out what is no more."""
        now = {
            (ladder or BANDS, live or NO_TIER, shadow or NO_TIER): count
            for (ladder, live, shadow), count in flows.items()
            if count
        }
        for gone in self._shown - now.keys():
            self.flows.remove(*gone)
        for labels, count in now.items():
            self.flows.labels(*labels).set(count)
        self._shown = set(now)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"{PREFIX}_shadow_{name}", text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"{PREFIX}_shadow_{name}", text, registry=self.registry)
