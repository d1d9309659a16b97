"""Scores and what came of them, for the metrics: from the states alone, the same after a restart."""

import math
from collections import Counter, defaultdict

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents.customer_figures import CustomerFigures
from agents.customers import CustomersPartition
from agents.freshness import Freshness
from agents.score_census import LOOKED_AT_PER_TURN, ScoreFigures
from agents.stage_metrics import StageMetrics
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import OrderCompleted
from streams.customer.record import decode_state
from streams.models.scoring import score
from streams.standing.churn import inputs_of
from tests.churn import FULL
from tests.journal import Committed, Journal, customers_stage, default_policy, fold_all, restored

BEGIN = parse_instant("2026-01-01T12:00:00Z")
CUSTOMERS, APART_DAYS = 70, 200


def order(customer: int, number: int, day: int, *, test: bool = False) -> tuple[OrderCompleted, int]:
    at = BEGIN + day * MS_PER_DAY
    return (
        OrderCompleted(
            id=f"e{customer}-{number}",
            time=format_instant(at),
            source="s",
            customer_id=f"c{customer}",
            order_id=f"o{customer}-{number}",
            currency="USD",
            total_minor=1_000 + customer,
            channel="web",
            test=test,
        ),
        at,
    )


def shop() -> Journal:
    """All buy once; half a year later a third buy again, and one of them closes the newest windows with an order."""
    written = Journal()
    written.activate(default_policy(), 0)
    written.activate_model(FULL, 0)
    for customer in range(CUSTOMERS):
        written.event(*order(customer, 0, 0, test=customer == 1))
    for customer in range(0, CUSTOMERS, 3):
        written.event(*order(customer, 1, APART_DAYS))
    written.event(*order(0, 2, APART_DAYS + 89))
    return written


def rounds(figures: CustomerFigures) -> ScoreFigures:
    """Look until a whole round is over."""
    for _ in range(CUSTOMERS // LOOKED_AT_PER_TURN + 2):
        figures.turn()
    found = figures.churn_scores()
    assert found is not None
    return found


@pytest.fixture(name="partition")
def made_partition() -> CustomersPartition:
    return opened(Committed())[0]


def opened(committed: Committed) -> tuple[CustomersPartition, Committed]:
    partition = customers_stage().partition(0)
    partition.ready()
    fold_all(partition, shop().records)
    committed.commit(partition.drain())
    return partition, committed


def test_nothing_is_told_before_a_whole_round(partition: CustomersPartition) -> None:
    """Half of the customers would look like a shop that is half as large."""
    partition._figures.turn()
    assert partition._figures.churn_scores() is None
    assert sum(rounds(partition._figures).scores.values()) == CUSTOMERS - 1  # but for the test customer


def test_scores_are_those_of_the_newest_instant_that_is_known(partition: CustomersPartition) -> None:
    """Not of the clock on the wall: while input is missing nobody looks silent."""
    at = BEGIN + (APART_DAYS + 89) * MS_PER_DAY
    wanted: Counter[str] = Counter()
    for record in partition._store.values():
        state, regime = decode_state(record), partition._regimes[-1]
        assert regime.risk is not None
        if not state.test:
            tenth = int(score(regime.risk.scorer, inputs_of(regime.risk, state, regime.calendar), at) * 10)
            wanted[f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}"] += 1

    assert {bucket: count for (_, _, bucket), count in rounds(partition._figures).scores.items()} == wanted
    assert len(wanted) > 1


def test_what_was_expected_stands_beside_what_happened(partition: CustomersPartition) -> None:
    found = rounds(partition._figures)
    assert sum(found.forecasts.values()) == CUSTOMERS - 1
    buyers, expected = sum(found.buyers.values()), sum(found.buyers_expected.values())
    # Of those who bought again 89 days ago, only for those whose window began on that very day it is not the newest.
    assert CUSTOMERS / 3 - 3 <= buyers <= CUSTOMERS / 3 + 1
    assert 0 < expected < CUSTOMERS
    for (model, version, bucket), count in found.forecasts.items():
        low, high = map(float, bucket.split("-"))
        assert (model, version[:2]) == ("full", "1+")
        assert count * (1 - high) <= found.buyers_expected[model, version, bucket] <= count * (1 - low)


def test_another_owner_tells_the_same() -> None:
    partition, committed = opened(Committed())
    after = rounds(restored(customers_stage(), committed)._figures)
    before = rounds(partition._figures)
    assert (after.scores, after.forecasts, after.buyers) == (before.scores, before.forecasts, before.buyers)
    assert math.isclose(sum(after.buyers_expected.values()), sum(before.buyers_expected.values()))


def test_the_metrics_add_up_the_partitions(partition: CustomersPartition) -> None:
    rounds(partition._figures)
    registry = CollectorRegistry()
    registry.register(StageMetrics(Counter(), Freshness(), lambda: [partition._figures, partition._figures]))
    samples = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("tierstream_churn_")]
    totals: dict[str, float] = defaultdict(float)
    for line in samples:
        totals[line.partition("{")[0]] += float(line.rpartition(" ")[2])
    assert totals["tierstream_churn_scores"] == totals["tierstream_churn_forecasts"] == 2 * (CUSTOMERS - 1)
    assert totals["tierstream_churn_buyers"] >= 2 * (CUSTOMERS / 3 - 3)
    assert totals["tierstream_churn_expected_buyers"] > 0
