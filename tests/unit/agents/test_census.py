"""Customers by tier: the same whether counted from the states, from the changes, or from both."""

from collections import Counter

from agents.census import COUNTED_PER_TURN, TierCensus
from agents.customers import CustomersPartition
from schemas.clock import MS_PER_DAY
from schemas.events import OverrideSet
from streams.customer.record import decode_state, encode_state, head
from tests.journal import Committed, customers_stage, default_policy, fold_all, policy_of, restored
from tests.unit.agents.silver import AT, FALLS, STRICT, by_hand, journal_with_orders, open_partition, order, visit

NOW = FALLS + 1_000 * MS_PER_DAY
LADDER = default_policy().ladders[0]


def tiers(partition: CustomersPartition, now_ms: int = NOW) -> dict[str, int] | None:
    """Customers by tier as shown, without the tiers that nobody is in."""
    found = partition._figures.customers_by_tier(now_ms)
    return None if found is None else {tier: count for (_, tier), count in found.items() if count}


def told_by_states(partition: CustomersPartition) -> Counter[str]:
    """The same from the states themselves."""
    found: Counter[str] = Counter()
    for record in partition._store.values():
        rank = decode_state(record).ladders[0].shown
        ladder = partition._regimes[head(record)[1]].policy.ladders[0]
        found[ladder.tiers[rank - 1].id if rank else "none"] += 1
    return found


def test_changes_are_counted_as_they_are_published() -> None:
    """Rises, falls by time, and customers who never bought."""
    journal = journal_with_orders("c1", "c2")
    journal.event(visit("c3"), AT + 1)
    partition = open_partition(journal)
    assert tiers(partition) == told_by_states(partition) == {"silver": 2, "none": 1}

    journal.tick(FALLS)
    fold_all(partition, journal.records[-1:])
    partition.drain()

    assert tiers(partition) == told_by_states(partition)
    assert "silver" not in (tiers(partition) or {})


def test_a_restore_counts_what_it_brought_and_goes_on() -> None:
    """As if it had never been away; every tier of the policy is shown, also an empty one."""
    journal = journal_with_orders("c1", "c2", "c3")
    stage, committed = customers_stage(), Committed()
    first = stage.partition(0)
    first.ready()
    fold_all(first, journal.records)
    committed.commit(first.drain())

    partition = restored(stage, committed)
    assert tiers(partition) == {"silver": 3}
    assert stage.figures.owned(lambda _: True) == [partition._figures]  # not those of the former one
    journal.event(order("c4", 4), AT + 1)
    journal.event(order("c1", 5, 1_000_000), AT + 2)
    fold_all(partition, journal.records[-2:])
    partition.drain()

    assert tiers(partition) == told_by_states(partition)
    assert set(partition._figures.customers_by_tier(NOW) or {}) == {
        *((LADDER.id, tier.id) for tier in LADDER.tiers),
        (LADDER.id, "none"),
    }


def test_a_tier_that_was_set_by_hand_counts_as_it_is_told() -> None:
    """Before and after a restore: the rules' own tier beneath it is nobody's business."""
    journal = journal_with_orders("c1", "c2")
    journal.event(by_hand(OverrideSet, "platinum"), AT + 1)
    stage, committed = customers_stage(), Committed()
    first = stage.partition(0)
    first.ready()
    fold_all(first, journal.records)
    committed.commit(first.drain())

    assert tiers(first) == tiers(restored(stage, committed)) == {"silver": 1, "platinum": 1}


def test_a_large_restore_is_counted_bit_by_bit_while_changes_come_in() -> None:
    """A customer who changes before being counted is counted once, where they are now."""
    journal = journal_with_orders("c0", "c1")
    journal.event(order("c0", 2, 1_000_000), AT + 1)  # another tier, at the snapshot's other end
    stage, committed = customers_stage(), Committed()
    first = stage.partition(0)
    first.ready()
    fold_all(first, journal.records)
    committed.commit(first.drain())
    record = committed.changelog[b"c1"]
    assert record is not None
    committed.changelog |= {b"m%05d" % n: record for n in range(COUNTED_PER_TURN + 10)}

    partition = restored(stage, committed)
    assert tiers(partition) is None
    journal.event(order("m00000", 7, 1_000_000), AT + 1)  # the snapshot is counted from its end: not yet counted
    fold_all(partition, journal.records[-1:])
    partition.drain()
    partition.poll(None)

    assert tiers(partition) == told_by_states(partition)
    assert sum((tiers(partition) or {}).values()) == COUNTED_PER_TURN + 12


def test_a_policy_in_which_a_tier_is_gone() -> None:
    """Its customers are shown where the new one puts them."""
    journal = journal_with_orders("c1", "c2")
    partition = open_partition(journal)
    journal.activate(policy_of(STRICT, "USD", "UTC"), AT + MS_PER_DAY)
    journal.tick(AT + 2 * MS_PER_DAY)
    fold_all(partition, journal.records[-2:])
    partition.drain()

    assert tiers(partition) == told_by_states(partition)
    assert partition._figures.policy_in_force(AT + MS_PER_DAY - 1) == partition._regimes[0].ref
    assert partition._figures.policy_in_force(AT + MS_PER_DAY) == partition._regimes[1].ref


def test_states_without_a_policy_are_left_out() -> None:
    """They must not end the worker."""
    state = open_partition(journal_with_orders("c1"))._decoded[b"c1"]
    census = TierCensus()
    census.begin([encode_state(state)])
    census.count_on([])

    assert census.complete
