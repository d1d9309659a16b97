"""A policy that counts by store, and a journal of somebody who bought in one before it was thought of."""

from schemas.journal import CountersRestated
from streams.customer.state import CustomerState
from streams.policy.model import counters
from tests.journal import Journal, policy_of
from tests.recounting import counted_anew
from tests.unit.agents.silver import AT, STRICT, order

BY_STORE = policy_of(
    STRICT.replace('"strict"', '"by-store"').replace(
        'metric = "orders", window = "lifetime"', 'metric = "orders", window = "lifetime", store = "s1"'
    ),
    "USD",
    "UTC",
)
FILTERS = counters(BY_STORE)
NAME = FILTERS[0].name


def restated(journal: Journal, customer: str = "c1") -> CountersRestated:
    """What a fold that counts from the beginning says of a customer at the journal's end."""
    found = counted_anew(journal, customer, FILTERS)
    assert found is not None
    return found


def journal_of_s1() -> Journal:
    """One customer who bought in s1, and the declaration after it."""
    journal = Journal()
    journal.activate(policy_of(STRICT, "USD", "UTC"), 0)
    bought = order()
    bought.store_id = "s1"
    journal.event(bought, AT)
    journal.declare(FILTERS)
    return journal


def counted(state: CustomerState) -> int | None:
    """Orders in s1, where they are counted."""
    return state.series[NAME].count if NAME in state.series else None
