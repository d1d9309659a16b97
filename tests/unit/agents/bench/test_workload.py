"""The benchmark's events: repeatable, in order, accepted by the intake, mixed as stated."""

from collections import Counter

import msgspec
import pytest

from agents.bench.workload import MIX, ORDERS, WORKLOADS, BenchEvent, Workload, events, raw_partition, spread
from schemas.clock import MS_PER_DAY
from schemas.events import OrderCompleted, OrderRefunded
from streams.intake import Accepted, Limits, accept

NOW = 1_790_000_000_000
COUNT, CUSTOMERS = 20_000, 500


def _events(workload: Workload) -> list[BenchEvent]:
    return list(events(workload, CUSTOMERS, COUNT, spread(CUSTOMERS, COUNT, NOW)))


def _accepted(event: BenchEvent) -> Accepted:
    result = accept(event.value, (), event.arrived_at, Limits())
    assert isinstance(result, Accepted), result
    return result


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_event_is_accepted_and_the_same_again(workload: Workload) -> None:
    """Nothing ends in the dead letters, ids are unique, and a second run sends the same bytes."""
    made = _events(workload)
    assert len({_accepted(event).event.id for event in made}) == COUNT
    assert made == _events(workload)


def test_the_mix_is_the_one_stated() -> None:
    """78 % browsing, 18 % orders, 2 % refunds, 2 % tickets; the other workload is orders alone."""
    kinds = Counter(msgspec.json.decode(event.value)["type"] for event in _events(MIX))
    shares = {kind: count / COUNT for kind, count in kinds.items()}
    assert shares["browse.activity"] == pytest.approx(0.78, abs=0.01)
    assert shares["order.completed"] == pytest.approx(0.18, abs=0.01)
    assert shares["order.refunded"] == pytest.approx(0.02, abs=0.005)
    assert shares["support.ticket_created"] == pytest.approx(0.02, abs=0.005)
    assert {msgspec.json.decode(event.value)["type"] for event in _events(ORDERS)} == {"order.completed"}


def test_time_passes_as_for_customers_with_52_events_a_year_and_ends_now() -> None:
    """Arrivals never run backwards; 40 events per customer take 40/52 of a year."""
    arrivals = [event.arrived_at for event in _events(MIX)]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] == NOW
    assert (NOW - arrivals[0]) / MS_PER_DAY == pytest.approx(365 * 40 / 52, rel=0.01)


def test_refunds_are_of_orders_that_came_before_and_of_their_customers() -> None:
    """So none of them waits for its order."""
    bought: dict[str, str] = {}
    refunds = 0
    for event in map(_accepted, _events(MIX)):
        match event.event:
            case OrderCompleted(order_id=order, customer_id=customer):
                bought[order] = customer
            case OrderRefunded(order_id=order, customer_id=customer):
                refunds += 1
                assert bought[order] == customer
            case _:
                pass
    assert refunds > 0


def test_a_customers_events_lie_on_one_partition_and_all_partitions_are_used() -> None:
    """Order per customer is kept; load is spread."""
    assert {raw_partition(rank, 12) for rank in range(CUSTOMERS)} == set(range(12))
