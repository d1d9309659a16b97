"""Customers by tier, as kept for the metrics, are what the states say: over any journal, policies and crashes."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.census import Place
from agents.customers import CustomersPartition
from streams.customer.record import decode_state
from tests.journal import Committed, customers_stage, fold_all, restored
from tests.properties.journals import POLICIES, Happening, happenings, long
from tests.properties.test_partition_laws import Control, controls, journal_of


def told_by_states(partition: CustomersPartition) -> dict[Place, int]:
    """Each customer under the policy that last judged them."""
    found: Counter[Place] = Counter()
    for record in partition._store.values():
        state = decode_state(record)
        ladders = partition._regimes[state.ordinal].policy.ladders
        for ladder, standing in zip(ladders, state.ladders, strict=True):
            if standing.rank:
                found[ladder.id, ladder.tiers[standing.rank - 1].id] += 1
    return dict(found)


@settings(max_examples=60, deadline=None)
@given(
    items=long(st.one_of(happenings(), happenings(), controls), 30),
    first=st.integers(0, len(POLICIES) - 1),
    commits=st.lists(st.sampled_from(["", "", "commit", "crash"]), min_size=1),
)
def test_the_census_is_what_the_states_say(items: list[Happening | Control], first: int, commits: list[str]) -> None:
    """Counted from a snapshot and carried on by what is published, it never drifts."""
    stage, committed = customers_stage(), Committed()
    partition = restored(stage, committed)
    for number, record in enumerate(journal_of(items, first).records):
        fold_all(partition, [record])
        step = commits[number % len(commits)]
        if step:
            committed.commit(partition.drain())
            partition.committed()
        if step == "crash":
            partition = restored(stage, committed)
    committed.commit(partition.drain())

    counted = {place: count for place, count in partition._figures._census._counts.items() if count}
    assert counted == told_by_states(partition)
