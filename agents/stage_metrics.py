"""What the stages have seen and said, for Prometheus. The stages count in one plain mapping; a scrape reads it.

Counted while folding: a partition that is built again after a failure counts what it folds again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.census import NO_TIER, Place
from agents.freshness import Freshness
from agents.metrics import PREFIX
from agents.score_census import ScoreFigures, added
from schemas.decisions import ModelRef, PolicyRef
from schemas.rejections import RefusalReason

StageCounts = Counter[tuple[str, ...]]
"""Kind of count and its label values, to the count."""

RECEIVED: Final = "received"
LATE: Final = "late"
REFUSED: Final = "refused"
REPEATED: Final = "repeated"
SKIPPED: Final = "skipped"
TIER_MOVED: Final = "tier_moved"
BAND_MOVED: Final = "band_moved"
NOTICED: Final = "noticed"
POLICY_REFUSED: Final = "policy_refused"
RESTATED: Final = "restated"

HASH_SHOWN: Final = 12
"""First digits of a policy's hash, as the command line shows it."""


class _Family(NamedTuple):
    name: str
    help: str
    labels: tuple[str, ...]


_FAMILIES: Final[Mapping[str, _Family]] = {
    RECEIVED: _Family("events_received", "Events accepted by intake.", ("topic", "type")),
    LATE: _Family(
        "late_events",
        "Events accepted that arrived more than a day after they happened; they count in full.",
        ("type",),
    ),
    REFUSED: _Family("dead_letters", "Records put into the dead letters.", ("reason",)),
    REPEATED: _Family("duplicates", "Repeats recognised and dropped.", ("stage",)),
    SKIPPED: _Family("records_skipped", "Records of another format that mean nothing here.", ("topic", "cause")),
    TIER_MOVED: _Family("tier_changes", "Changes of tier published.", ("ladder", "from", "to", "direction")),
    BAND_MOVED: _Family("churn_band_changes", "Changes of the churn risk band published.", ("from", "to")),
    NOTICED: _Family("notices", "Notices published: falls foreseen, and averted.", ("type",)),
    POLICY_REFUSED: _Family(
        "policies_refused",
        "Activations that were not put in force, by partition: not everybody is counted for what they need.",
        (),
    ),
    RESTATED: _Family(
        "counters_restated",
        "Customers whose counters were counted anew for a policy to come: taken, or stale because another record of "
        "the customer came between; those are restated again.",
        ("outcome",),
    ),
}


class CustomersView(Protocol):
    """What a partition of customers tells about itself. Called from the scraper's thread: it only reads."""

    def policy_in_force(self, now_ms: int) -> PolicyRef | None:
        """Return the policy that decides at an instant; None before the first."""

    def model_in_force(self, now_ms: int) -> ModelRef | None:
        """Return the churn model that decides at an instant; None where churn is not judged."""

    def customers_by_tier(self, now_ms: int) -> dict[Place, int] | None:
        """Return the customers by ladder and tier; None while they are being counted."""

    def churn_scores(self) -> ScoreFigures | None:
        """Return the customers by churn score, and what came of scores foretold; None in the first round."""

    def counters_declared(self) -> int:
        """Return how many counters are declared for a policy to come."""

    def tiers(self, now_ms: int) -> dict[str, list[str]]:
        """Return the tiers of each ladder of the policy in force, from the lowest up, by the ladder's id."""


class StageMetrics(Collector):
    """Shows the stages' figures."""

    def __init__(
        self, counts: StageCounts, freshness: Freshness, customers: Callable[[], Sequence[CustomersView]]
    ) -> None:
        """`customers` returns the partitions of customers that this worker owns now."""
        self._counts, self._freshness, self._customers = counts, freshness, customers

    def collect(self) -> Iterator[Metric]:
        """One family per kind; the counts are copied first, because another thread scrapes."""
        now_ms = int(time.time() * 1000)
        views = self._customers()
        counts = _expected(views, now_ms)  # a series that begins at 0 shows its first change as an increase
        counts |= dict(self._counts)
        for kind, family in _FAMILIES.items():
            metric = CounterMetricFamily(f"{PREFIX}_{family.name}", family.help, labels=family.labels)
            for (counted, *values), count in counts.items():
                if counted == kind:
                    metric.add_metric(values, count)
            yield metric
        yield from self._freshness.families()
        yield from _standing(views, now_ms)
        yield from _scores(views)


def _expected(views: Iterable[CustomersView], now_ms: int) -> dict[tuple[str, ...], int]:
    """What can be counted, at 0: every reason of a refusal, and every rise and fall of the policies in force."""
    found: dict[tuple[str, ...], int] = {(REFUSED, reason.value): 0 for reason in RefusalReason}
    found[(POLICY_REFUSED,)] = 0
    found |= {(RESTATED, outcome): 0 for outcome in ("taken", "stale")}
    for view in views:
        for ladder, tiers in view.tiers(now_ms).items():
            found |= {(TIER_MOVED, ladder, NO_TIER, tier, "initial"): 0 for tier in tiers}
            for low, high in combinations([NO_TIER, *tiers], 2):
                found[TIER_MOVED, ladder, low, high, "upgrade"] = 0
                found[TIER_MOVED, ladder, high, low, "downgrade"] = 0
    return found


def _standing(views: Iterable[CustomersView], now_ms: int) -> Iterator[Metric]:
    customers = GaugeMetricFamily(
        f"{PREFIX}_customers",
        "Customers by tier, `none` outside the ladder, of this worker's partitions. A partition joins in "
        "when its restored customers are counted, 4,000 a second.",
        labels=("ladder", "tier"),
    )
    policy = GaugeMetricFamily(
        f"{PREFIX}_policy_info", "1 for each policy that decides in a partition now.", labels=("policy", "hash")
    )
    model = GaugeMetricFamily(
        f"{PREFIX}_churn_model_info",
        "1 for each churn model that decides in a partition now.",
        labels=("model", "version"),
    )
    declared = GaugeMetricFamily(
        f"{PREFIX}_counters_declared",
        "Counters declared for a policy that is activated once every customer is counted for them; then it is 0 again.",
    )
    declared.add_metric((), max((view.counters_declared() for view in views), default=0))
    by_tier: Counter[Place] = Counter()
    policies: set[tuple[str, str]] = set()
    models: set[tuple[str, str]] = set()
    for view in views:
        by_tier.update(view.customers_by_tier(now_ms) or {})
        ref = view.policy_in_force(now_ms)
        if ref is not None:
            policies.add((ref.name, ref.hash[:HASH_SHOWN]))
        judged_by = view.model_in_force(now_ms)
        if judged_by is not None:
            models.add((judged_by.name, judged_by.version))
    for place, count in by_tier.items():
        customers.add_metric(place, count)
    for names in policies:
        policy.add_metric(names, 1)
    for names in models:
        model.add_metric(names, 1)
    yield customers
    yield declared
    yield policy
    yield model


def _scores(views: Iterable[CustomersView]) -> Iterator[Metric]:
    figures = added([found for view in views if (found := view.churn_scores()) is not None])
    for counts, name, help_text in (
        (
            figures.scores,
            "churn_scores",
            "Customers who have bought, by churn model and the tenth their score is in; they are looked at in turn.",
        ),
        (
            figures.forecasts,
            "churn_forecasts",
            "Customers whose newest window of the policy's horizon is over, by the model and the score at its begin.",
        ),
        (figures.buyers_expected, "churn_expected_buyers", "Those of the forecasts who should have bought in it."),
        (figures.buyers, "churn_buyers", "Those of the forecasts who did buy in it."),
    ):
        metric = GaugeMetricFamily(f"{PREFIX}_{name}", help_text, labels=("model", "version", "score"))
        for where, count in counts.items():
            metric.add_metric(where, count)
        yield metric
