"""What the stages have seen and said, for Prometheus. The stages count in one plain mapping; a scrape reads it.

Counted while folding: a partition that is built again after a failure counts what it folds again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.metrics import PREFIX

StageCounts = Counter[tuple[str, ...]]
"""Kind of count and its label values, to the count."""

RECEIVED: Final = "received"
REFUSED: Final = "refused"
REPEATED: Final = "repeated"
SKIPPED: Final = "skipped"
TIER_MOVED: Final = "tier_moved"
BAND_MOVED: Final = "band_moved"


class _Family(NamedTuple):
    name: str
    help: str
    labels: tuple[str, ...]


_FAMILIES: Final[Mapping[str, _Family]] = {
    RECEIVED: _Family("events_received", "Events accepted by intake.", ("topic",)),
    REFUSED: _Family("dead_letters", "Records put into the dead letters.", ("reason",)),
    REPEATED: _Family("duplicates", "Repeats recognised and dropped.", ("stage",)),
    SKIPPED: _Family("records_skipped", "Records of another format that mean nothing here.", ("topic", "cause")),
    TIER_MOVED: _Family("tier_changes", "Changes of tier published.", ("from", "to", "direction")),
    BAND_MOVED: _Family("churn_band_changes", "Changes of the churn risk band published.", ("from", "to")),
}


class StageMetrics(Collector):
    """Shows the stages' counts."""

    def __init__(self, counts: StageCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """One family per kind; the counts are copied first, because another thread scrapes."""
        counts = dict(self._counts)
        for kind, family in _FAMILIES.items():
            metric = CounterMetricFamily(f"{PREFIX}_{family.name}", family.help, labels=family.labels)
            for (counted, *values), count in counts.items():
                if counted == kind:
                    metric.add_metric(values, count)
            yield metric
