"""The audit of a partition: what people decided about a tier, and policies that could not be put in force."""

import pytest

from agents.demo.reading import Held
from agents.demo.refold import Refold
from agents.stage_metrics import POLICY_REFUSED
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OverrideCleared, OverrideSet, TierMatchGranted, type_of
from tests.crash.evidence import Entry
from tests.crash.reference import fold
from tests.journal import Journal, customers_stage, fold_all, folded, policy_of, restored
from tests.unit.agents.silver import AT, STRICT, audited, by_hand, journal_with_orders, order, published

BY_STORE = STRICT.replace('"strict"', '"by-store"').replace(
    'metric = "orders", window = "lifetime"', 'metric = "orders", window = "lifetime", store = "{store}"'
)


def by_store(store: str = "s1") -> str:
    return BY_STORE.replace("{store}", store)


UNTIL = AT + 10 * MS_PER_DAY


@pytest.mark.parametrize("kind", [OverrideSet, TierMatchGranted])
def test_a_decision_by_hand_is_in_the_audit(kind: type[OverrideSet | TierMatchGranted]) -> None:
    """Who, whom, what, why, until when, where it led to, and where in the journal it stands."""
    journal = journal_with_orders()
    journal.event(by_hand(kind, until=UNTIL), AT + 1)

    (entry,) = audited(folded(journal.records), type_of(kind))

    del entry["app_version"]
    assert entry == {
        "type": type_of(kind),
        "event_id": "d1",
        "source": "/desk",
        "customer_id": "c1",
        "ladder": "standing",
        "tier": "gold",
        "reason": "complaint 17",
        "actor": "ann",
        "valid_until": format_instant(UNTIL),
        "stands_at": "gold",
        "home": [0, 1],
        "offset": 2,
    }


def test_taking_back_an_override_is_in_the_audit_too() -> None:
    journal = journal_with_orders()
    journal.event(by_hand(OverrideSet), AT + 1)
    journal.event(by_hand(OverrideCleared, "", number=2), AT + 2)

    (entry,) = audited(folded(journal.records), "tier.override_cleared")

    assert (entry["tier"], entry["stands_at"]) == (None, "silver")


def test_what_was_not_taken_is_not_in_the_audit() -> None:
    """A repeat, and a tier that the policy does not have: that one is in the dead letters."""
    journal = journal_with_orders()
    journal.event(by_hand(OverrideSet), AT + 1)
    journal.event(by_hand(OverrideSet), AT + 2)
    journal.event(by_hand(OverrideSet, "diamond", number=2), AT + 3)

    committed = folded(journal.records)

    assert [entry["event_id"] for entry in audited(committed, "tier.override_set")] == ["d1"]
    assert len(committed.topics["dead-letters"]) == 1


def test_a_policy_that_needs_what_was_not_counted_is_refused() -> None:
    """It is not put in force, the audit says what is missing, it is counted, and the policy before it goes on."""
    journal = journal_with_orders()
    journal.activate(policy_of(by_store(), "USD", "UTC"), AT + 1)
    journal.event(order(number=2), AT + MS_PER_DAY)
    stage = customers_stage()
    partition = stage.partition(0)
    partition.ready()
    fold_all(partition, journal.records)
    topics = published(partition)

    (entry,) = audited(topics, "policy.refused")

    assert (entry["policy"], entry["not_counted"], entry["offset"]) == ("by-store", ["store=s1"], 2)
    assert stage.counts[(POLICY_REFUSED,)] == 1
    assert [e["policy"] for e in audited(topics, "policy.activated")] == ["default"]
    assert {record.data["policy"]["name"] for record in topics["customer-profiles"]} == {"default"}


def test_a_refused_policy_is_forgotten_by_a_restore_too() -> None:
    """What comes after it follows the policy before it: numbers of policies are the same as without a crash."""
    journal = journal_with_orders()
    journal.activate(policy_of(by_store(), "USD", "UTC"), AT + 1)
    committed = folded(journal.records)
    journal.activate(policy_of(STRICT, "USD", "UTC"), AT + 2)
    journal.event(order(number=2), AT + MS_PER_DAY)

    partition = restored(customers_stage(), committed)
    fold_all(partition, journal.records[-2:])
    committed.commit(partition.drain())

    assert committed.state(b"c1") == folded(journal.records).state(b"c1")
    assert committed.state(b"c1").ordinal == 1


def test_the_first_policy_may_count_what_it_likes() -> None:
    """And one after it what the first counted, no more."""
    journal = Journal()
    for number, store in enumerate(("s1", "s1", "s2")):
        journal.activate(policy_of(by_store(store), "USD", "UTC"), number)
    journal.event(order(), AT)

    committed = folded(journal.records)

    assert [entry["effective_at"] for entry in audited(committed, "policy.activated")] == [
        format_instant(0),
        format_instant(1),
    ]
    assert [entry["not_counted"] for entry in audited(committed, "policy.refused")] == [["store=s2"]]


def test_those_who_fold_the_journal_anew_refuse_the_same() -> None:
    """The judge of the crash tests and the demo's verification."""
    journal = journal_with_orders()
    journal.activate(policy_of(by_store(), "USD", "UTC"), AT + 1)
    journal.event(order(number=2), AT + MS_PER_DAY)
    journal.close(AT + MS_PER_DAY)
    committed = folded(journal.records)

    entries = [Entry(r.key, r.value, (), 0, r.offset, 0) for r in journal.records]
    expected = fold(entries, 1)
    refold = Refold()
    for record in journal.records:
        refold.take(Held(0, record.offset, record.key, record.value, []))

    assert expected.states[b"c1"] == committed.changelog[b"c1"]
    assert len(refold.published()["tier-changes"][b"c1"]) == len(committed.of("tier-changes", b"c1"))
