"""What the stages show: counts by their labels, standing of owned partitions, ages of what is committed."""

import gc
from collections import Counter

from prometheus_client import CollectorRegistry, generate_latest

from agents.customers import CustomersStage
from agents.freshness import Freshness
from agents.intake import IntakeStage
from agents.runtime.stage import Record
from agents.stage_metrics import BAND_MOVED, LATE, RECEIVED, REFUSED, REPEATED, TIER_MOVED, StageCounts, StageMetrics
from schemas.catalog import TOPICS
from schemas.journal import encode_journal
from schemas.rejections import RefusalReason
from streams.intake import Limits
from tests.journal import JOURNAL, fold_all
from tests.unit.agents.silver import AT, journal_with_orders, order

NAMES = {name: name for name in TOPICS}


def shown(metrics: StageMetrics, name: str) -> dict[str, float]:
    """The samples of a metric by their labels."""
    registry = CollectorRegistry()
    registry.register(metrics)
    lines = [line for line in generate_latest(registry).decode().splitlines() if line.startswith(name)]
    return {line.rpartition(" ")[0].removeprefix(name): float(line.rpartition(" ")[2]) for line in lines}


def metrics_of(counts: StageCounts) -> StageMetrics:
    return StageMetrics(counts, Freshness(), tuple)


def test_counts_are_shown_under_their_labels() -> None:
    """One family per kind."""
    metrics = metrics_of(
        Counter({
            (RECEIVED, "purchases", "order.completed"): 3,
            (LATE, "order.completed"): 1,
            (REFUSED, "schema"): 2,
            (REPEATED, "intake"): 4,
            (TIER_MOVED, "standing", "none", "silver", "initial"): 5,
            (BAND_MOVED, "low", "high"): 6,
        })
    )  # fmt: skip

    assert shown(metrics, "tierstream_events_received_total") == {'{topic="purchases",type="order.completed"}': 3}
    assert shown(metrics, "tierstream_late_events_total") == {'{type="order.completed"}': 1}
    refused = shown(metrics, "tierstream_dead_letters_total")
    assert refused == {f'{{reason="{reason}"}}': 2 * (reason == "schema") for reason in RefusalReason}
    assert shown(metrics, "tierstream_duplicates_total") == {'{stage="intake"}': 4}
    assert shown(metrics, "tierstream_tier_changes_total") == {
        '{direction="initial",from="none",ladder="standing",to="silver"}': 5
    }
    assert shown(metrics, "tierstream_churn_band_changes_total") == {'{from="low",to="high"}': 6}


def test_intake_counts_types_and_what_is_late() -> None:
    """Late is accepted: a day and a millisecond after it happened."""
    counts: StageCounts = Counter()
    stage = IntakeStage(("purchases",), "imports", NAMES, 1, limits=Limits(), breaker=(0.9, 100), counts=counts)
    partition = stage.partition(0)
    value = encode_journal(order())
    arrivals = (AT, AT + 86_400_000, AT + 86_400_001)
    partition.fold([Record("purchases", 0, n, at, 1, b"k", value, ()) for n, at in enumerate(arrivals)], float("inf"))

    assert counts == {(RECEIVED, "purchases", "order.completed"): 3, (LATE, "order.completed"): 1}


def test_standing_is_that_of_owned_partitions() -> None:
    """A partition that went to another worker would be counted twice."""
    owned = {0, 1}
    freshness = Freshness()
    stage = CustomersStage(JOURNAL, NAMES, 2, decoded_max=10, dedupe=True, counts=Counter(), freshness=freshness)
    partitions = [stage.partition(number) for number in (0, 1)]
    for partition in partitions:
        partition.ready()
        fold_all(partition, journal_with_orders("c1", "c2").records)
        partition.drain()
    metrics = StageMetrics(Counter(), freshness, lambda: stage.figures.owned(owned.__contains__))  # counts of its own
    silver = '{ladder="standing",tier="silver"}'

    assert shown(metrics, "tierstream_customers")[silver] == 4
    ((labels, value),) = shown(metrics, "tierstream_policy_info").items()
    assert labels.startswith('{hash="')
    assert labels.endswith('",policy="default"}')
    assert value == 1
    ((model, one),) = shown(metrics, "tierstream_churn_model_info").items()
    assert model.startswith('{model="cdnow-1997",version="1+')
    assert one == 1
    moves = shown(metrics, "tierstream_tier_changes_total")
    assert moves['{direction="initial",from="none",ladder="standing",to="silver"}'] == 0
    assert moves['{direction="downgrade",from="platinum",ladder="standing",to="member"}'] == 0
    owned.remove(1)
    assert shown(metrics, "tierstream_customers")[silver] == 2


def test_ages_are_counted_when_the_commit_is_done() -> None:
    """Not when it is folded: a commit that fails is no decision."""
    freshness = Freshness()
    stage = CustomersStage(JOURNAL, NAMES, 1, decoded_max=10, dedupe=True, counts=Counter(), freshness=freshness)
    partition = stage.partition(0)
    partition.ready()
    metrics = StageMetrics(Counter(), freshness, tuple)
    count = "tierstream_event_arrival_latency_seconds_count"

    fold_all(partition, journal_with_orders("c1", "c2").records)
    partition.drain()
    assert shown(metrics, count) == {"": 0}
    partition.committed()
    partition.committed()

    assert shown(metrics, count) == {"": 2}


def test_a_partition_that_went_away_takes_its_states_with_it() -> None:
    """What the metrics show must not keep a revoked partition in memory."""
    stage = CustomersStage(JOURNAL, NAMES, 1, decoded_max=10, dedupe=True, counts=Counter())
    partition = stage.partition(0)
    partition.ready()
    assert len(stage.figures.owned(lambda _: True)) == 1

    del partition
    gc.collect()

    assert stage.figures.owned(lambda _: True) == []
