"""Counters that were declared for a policy that was given up."""

import msgspec

from agents.partition_records import COUNTERS_KEY, DeclaredCounters
from agents.stage_metrics import RESTATED
from streams.policy.model import OrderFilter
from streams.recount import is_counted
from tests.journal import Journal, customers_stage, fold_all, folded, policy_of
from tests.recounting import counted_anew, fold_counting
from tests.unit.agents.by_store import FILTERS, NAME, counted, journal_of_s1, restated
from tests.unit.agents.silver import AT, STRICT, audited, order


def test_what_was_withdrawn_is_counted_no_more_and_dropped_with_the_next_record() -> None:
    """Neither of who was restated nor of who was new; who has no record of their own keeps it until then."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    new = order("c2", 2)
    new.store_id = "s1"
    journal.event(new, AT + 1)
    journal.declare(())
    withdrawn = folded(journal.records)
    assert [counted(withdrawn.state(key)) for key in (b"c1", b"c2")] == [1, 1]
    for customer in ("c1", "c3"):
        bought = order(customer, 3)
        bought.store_id = "s1"
        journal.event(bought, AT + 2)

    committed = folded(journal.records)

    assert [counted(committed.state(key)) for key in (b"c1", b"c2", b"c3")] == [None, 1, None]
    assert [committed.state(key).declaration for key in (b"c1", b"c2", b"c3")] == [0, 1, 0]
    held = msgspec.msgpack.decode(committed.changelog[COUNTERS_KEY] or b"", type=DeclaredCounters)
    assert not held.is_open


def test_what_was_withdrawn_is_counted_anew_when_it_is_wanted_again() -> None:
    """A restatement of before holds no more, nor does what lies in a state from then: the counts are those of today."""
    journal = journal_of_s1()
    before = restated(journal)
    journal.restate(before)
    journal.declare(())
    missed = order(number=2)
    missed.store_id = "s1"
    journal.event(missed, AT + 1)
    journal.event(order("c2", 9), AT + 1)
    journal.declare(FILTERS)
    journal.restate(before)
    stage = customers_stage()
    partition = stage.partition(0)
    partition.ready()
    fold_all(partition, journal.records)
    assert (stage.counts[RESTATED, "taken"], stage.counts[RESTATED, "stale"]) == (1, 1)

    journal.restate(restated(journal))

    state = folded(journal.records).state(b"c1")
    assert (counted(state), state.declaration) == (2, 3)


def test_a_silent_customer_of_before_is_not_taken_for_counted() -> None:
    """Whose counters are still there, and even right: they are of another declaration."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    journal.declare(())
    journal.declare(FILTERS)

    fold = fold_counting(journal, ())
    state = fold.state_now(b"c1")

    assert fold.declaration is not None
    assert state is not None
    assert counted(state) == 1
    assert not is_counted(state, fold.declaration)


def test_counters_of_a_declaration_that_another_took_the_place_of_go_too() -> None:
    """With a record of one's own, or with the restatement for the newer one."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    other = (OrderFilter(store=("s2",)),)
    journal.declare(other)
    found = counted_anew(journal, "c1", other)
    assert found is not None
    journal.restate(found)

    assert sorted(folded(journal.records).state(b"c1").series) == ["store=s2"]


def test_a_withdrawal_is_in_the_audit_once_with_what_it_withdrew() -> None:
    """And not at all where nothing was declared."""
    journal = Journal()
    journal.activate(policy_of(STRICT, "USD", "UTC"), 0)
    journal.declare(())
    assert audited(folded(journal.records), "counters.withdrawn") == []
    journal.declare(FILTERS)
    journal.declare(())
    journal.declare(())

    committed = folded(journal.records)

    assert [entry["counters"] for entry in audited(committed, "counters.withdrawn")] == [[NAME]]
    assert [entry["counters"] for entry in audited(committed, "counters.declared")] == [[NAME]]
