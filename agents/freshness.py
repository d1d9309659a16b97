"""How old events are when their decisions can be read: the service level of the whole pipeline.

An event costs the fold one append. The ages are computed after the commit, from at most `SAMPLES_PER_COMMIT` of its
events, evenly spread over it, each of which stands for its neighbours: exact at low rates, a sample at high ones.
"""

from bisect import bisect_left
from collections.abc import Iterator
from math import inf
from typing import Final

from prometheus_client.core import HistogramMetricFamily, Metric

from agents.metrics import PREFIX
from schemas.clock import MS_PER_SECOND, parse_canonical

BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Around the objective of 2.5 s, up to what is plainly an outage."""
SAMPLES_PER_COMMIT: Final = 32

Times = tuple[str, str]
"""An event's `time` and `recordedtime`, as the journal writes them."""


class AgeHistogram:
    """Counts by bucket, with weights, which prometheus_client's own histogram does not have."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum = 0.0

    def observe(self, age_s: float, weight: int) -> None:
        """Count `weight` events of this age; clocks that disagree make no negative ages."""
        age_s = max(0.0, age_s)
        self._counts[bisect_left(BUCKETS_S, age_s)] += weight
        self._sum += age_s * weight

    def family(self, name: str, text: str) -> Metric:
        """Return it as Prometheus wants it: cumulative."""
        total, buckets = 0, []
        for bound, count in zip((*BUCKETS_S, inf), self._counts.copy(), strict=True):
            total += count
            buckets.append(("+Inf" if bound == inf else str(float(bound)), total))
        family = HistogramMetricFamily(f"{PREFIX}_{name}", text)
        family.add_metric((), buckets, self._sum)
        return family


class Freshness:
    """The ages of all events that a worker's customers stage has folded and committed."""

    def __init__(self) -> None:
        self.since_event, self.since_arrival = AgeHistogram(), AgeHistogram()

    def committed(self, events: list[Times], now_ms: int) -> None:
        """Take the events of one commit, which has just succeeded."""
        if not events:
            return
        step = -(-len(events) // SAMPLES_PER_COMMIT)
        for first in range(0, len(events), step):
            happened, arrived = events[first]
            weight = min(step, len(events) - first)
            self.since_event.observe((now_ms - parse_canonical(happened)) / MS_PER_SECOND, weight)
            self.since_arrival.observe((now_ms - parse_canonical(arrived)) / MS_PER_SECOND, weight)

    def families(self) -> Iterator[Metric]:
        """Return both histograms."""
        yield self.since_event.family(
            "event_latency_seconds",
            "From the instant at which an event happened to the commit that decided on it; delays of the producer "
            "included. Not counted with the event clock.",
        )
        yield self.since_arrival.family(
            "event_arrival_latency_seconds",
            "From an event's arrival at the broker to the commit that decided on it: what tierstream answers for. "
            "Not counted with the event clock.",
        )
