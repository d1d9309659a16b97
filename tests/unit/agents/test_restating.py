"""Counters in the customers stage: declarations, restatements that hold, that are stale, that are not whole."""

import json

import msgspec
import pytest

from agents.partition_records import COUNTERS_KEY, DeclaredCounters
from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from agents.stage_metrics import POLICY_REFUSED, RESTATED
from schemas.clock import MS_PER_DAY, format_instant
from streams.policy.model import OrderFilter
from streams.recount import declaration_id, filters_text
from tests.journal import HOME, Journal, customers_stage, fold_all, folded, restored
from tests.recounting import counted_anew, fold_counting
from tests.unit.agents.by_store import BY_STORE, FILTERS, NAME, counted, journal_of_s1, restated
from tests.unit.agents.silver import AT, audited, order, published, visit


def test_a_restatement_is_kept_and_nobody_is_told() -> None:
    """The state has it; there is no output, no profile, no audit entry, and its revision stays."""
    journal = journal_of_s1()
    stage = customers_stage()
    partition = stage.partition(0)
    partition.ready()
    fold_all(partition, journal.records)
    published(partition)
    journal.restate(restated(journal))
    revision = folded(journal.records[:-1]).state(b"c1").revision

    fold_all(partition, journal.records[-1:])
    batch = partition.drain()

    assert [key for key, _ in batch.states] == [b"c1"]
    assert batch.outputs == {}
    after = folded(journal.records).state(b"c1")
    assert (after.revision, counted(after), after.declaration) == (revision, 1, 1)
    assert stage.counts[RESTATED, "taken"] == 1


def test_a_customer_who_had_an_event_in_the_same_commit_is_told_of_it() -> None:
    """The restatement beside it takes nothing away."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    journal.event(visit(at=AT + 1), AT + 1)

    committed = folded(journal.records)

    assert committed.of("customer-profiles", b"c1")[-1].data["caused_by"]["journal_seq"] == 2


@pytest.mark.parametrize("late", ["an event came between", "of another declaration", "repeated", "of nobody"])
def test_what_does_not_hold_is_passed_over(late: str) -> None:
    """It is counted as stale, and nothing else comes of it."""
    journal = journal_of_s1()
    record = restated(journal)
    if late == "an event came between":
        journal.event(visit(at=AT + 1), AT + 1)
    elif late == "of another declaration":
        journal.declare((OrderFilter(store=("s2",)),))
    elif late == "repeated":
        journal.restate(record)
    else:
        record = msgspec.structs.replace(record, customer_id="nobody")
    without = folded(journal.records)
    journal.restate(record)
    stage = customers_stage()
    partition = stage.partition(0)
    partition.ready()
    fold_all(partition, journal.records)

    assert dict(partition.drain().states)[b"c1"] == without.changelog[b"c1"]
    assert stage.counts[RESTATED, "stale"] == 1
    assert folded(journal.records).topics.keys() == without.topics.keys()


@pytest.mark.parametrize(
    ("counters_", "detail"),
    [
        (b"\xff", "no restatement of counters"),
        (msgspec.msgpack.encode([]), "0 counters for 1 filters"),
        (msgspec.msgpack.encode([[b"\x01", 1, 1, b""]]), f"{NAME} is not whole"),
        (msgspec.msgpack.encode([[b"\x02\x00" + bytes(10) + b"\x01\x00" + bytes(10), 1, 1, b""]]), "is not whole"),
        (msgspec.msgpack.encode([[b"", 1, 1, b"12345678"]]), "is not whole"),
    ],
)
def test_what_is_not_whole_is_a_dead_letter(counters_: bytes, detail: str) -> None:
    """With its reason and its bytes; live and in a replay."""
    journal = journal_of_s1()
    journal.restate(msgspec.structs.replace(restated(journal), counters=counters_))
    refused: list[str] = []
    fold = JournalFold(HOME, lambda effects, _entry: refused.extend(r.rejected.detail for r in effects.refused))

    committed = folded(journal.records)
    for record in journal.records:
        fold.take(Entry(record.key or b"", record.value or b""))

    (letter,) = committed.topics["dead-letters"]
    assert letter.value == journal.records[-1].value
    assert letter.header["tierstream-dlq-reason"] == b"schema"
    assert detail in letter.header["tierstream-dlq-detail"].decode()
    assert detail in refused[0]
    assert counted(committed.state(b"c1")) is None


def test_who_is_new_after_the_declaration_is_counted_from_the_start() -> None:
    """And who was there before is not, until the restatement."""
    journal = journal_of_s1()
    for customer in ("c1", "c2"):
        bought = order(customer, 2)
        bought.store_id = "s1"
        journal.event(bought, AT + 1)

    committed = folded(journal.records)

    assert [counted(committed.state(key)) for key in (b"c1", b"c2")] == [None, 1]


def test_a_declaration_outlives_a_crash_and_ends_with_its_policy() -> None:
    """It stands in the changelog; the policy that it was for takes the counters over and drops all others."""
    journal = journal_of_s1()
    committed = folded(journal.records)
    held = msgspec.msgpack.decode(committed.changelog[COUNTERS_KEY] or b"", type=DeclaredCounters)
    assert (held.declaration.number, held.declaration.filters, held.is_open) == (1, FILTERS, True)
    journal.restate(restated(journal))
    journal.activate(BY_STORE, AT + MS_PER_DAY, everybody_counted=True)
    journal.tick(AT + 2 * MS_PER_DAY)

    partition = restored(customers_stage(), committed)
    fold_all(partition, journal.records[-3:])
    committed.commit(partition.drain())

    assert committed.changelog == folded(journal.records).changelog
    held = msgspec.msgpack.decode(committed.changelog[COUNTERS_KEY] or b"", type=DeclaredCounters)
    assert not held.is_open
    assert counted(committed.state(b"c1")) == 1
    again = restored(customers_stage(), committed)
    journal.event(order(number=7), AT + 3 * MS_PER_DAY)
    fold_all(again, journal.records[-1:])
    assert published(again)["customer-profiles"][0].data["policy"]["name"] == "by-store"


def test_a_declaration_is_in_the_audit_once() -> None:
    """The same counters declared again change nothing; others take their place."""
    journal = journal_of_s1()
    journal.declare(FILTERS)
    journal.declare((OrderFilter(category=("shoes",)),))

    found = audited(folded(journal.records), "counters.declared")

    assert [entry["counters"] for entry in found] == [[NAME], ["category=shoes"]]
    assert found[0]["id"] == declaration_id(filters_text(FILTERS))


def test_an_activation_that_claims_nothing_is_refused_whatever_was_declared() -> None:
    """A rule over control records alone: that everybody happens to be counted is not asked."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    journal.activate(BY_STORE, AT + MS_PER_DAY)
    stage = customers_stage()
    partition = stage.partition(0)
    partition.ready()
    fold_all(partition, journal.records)

    assert stage.counts[(POLICY_REFUSED,)] == 1
    assert audited(published(partition), "policy.refused")[0]["not_counted"] == [NAME]


def test_counters_stay_while_their_policy_waits_to_take_effect() -> None:
    """Between the activation and its instant orders are counted for it, also of who is new then."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    journal.activate(BY_STORE, AT + 9 * MS_PER_DAY, everybody_counted=True)
    for number, customer in enumerate(("c1", "c2"), 2):
        bought = order(customer, number)
        bought.store_id = "s1"
        journal.event(bought, AT + MS_PER_DAY)
    journal.tick(AT + 10 * MS_PER_DAY)

    committed = folded(journal.records)

    assert [counted(committed.state(key)) for key in (b"c1", b"c2")] == [2, 1]
    assert {r.data["policy"]["name"] for r in committed.topics["customer-profiles"][-2:]} == {"by-store"}


def test_counters_that_no_policy_came_for_are_dropped_by_the_one_that_comes() -> None:
    """Nothing is kept for ever that nobody asks for."""
    journal = journal_of_s1()
    journal.declare((*FILTERS, OrderFilter(store=("s1", "s2"))))
    more = counted_anew(journal, "c1", (*FILTERS, OrderFilter(store=("s1", "s2"))))
    assert more is not None
    journal.restate(more)
    assert sorted(folded(journal.records).state(b"c1").series) == [NAME, "store=s1,s2"]
    journal.activate(BY_STORE, AT + MS_PER_DAY, everybody_counted=True)
    journal.tick(AT + 2 * MS_PER_DAY)

    assert sorted(folded(journal.records).state(b"c1").series) == [NAME]


def test_a_policy_given_to_a_replay_heeds_no_declaration() -> None:
    """It counts for itself from the first event on."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    fold = JournalFold(HOME, lambda _effects, _entry: None, policy=BY_STORE)
    for record in journal.records:
        fold.take(Entry(record.key or b"", record.value or b""))

    state = fold.state_now(b"c1")
    assert state is not None
    assert (counted(state), state.declaration, fold.declaration) == (1, 0, None)


def test_what_a_replay_leaves_out_was_not_counted_from() -> None:
    """A policy for which everybody was counted after `until` is left out with what it was counted from."""
    journal = journal_of_s1()
    journal.event(visit(at=AT + MS_PER_DAY), AT + MS_PER_DAY)
    journal.restate(restated(journal))
    journal.activate(BY_STORE, AT, everybody_counted=True)
    fold = JournalFold(HOME, lambda _effects, _entry: None, until=AT + 1)
    for record in journal.records:
        fold.take(Entry(record.key or b"", record.value or b""))
    fold.close()

    assert [regime.policy.name for regime in fold.regimes] == ["strict"]


def test_a_journal_in_key_order_folds_to_the_same() -> None:
    """Exported files have all control records first: then everybody is counted from the start."""
    journal = journal_of_s1()
    journal.restate(restated(journal))
    journal.activate(BY_STORE, AT + MS_PER_DAY, everybody_counted=True)
    again = order(number=2)
    again.store_id = "s1"
    journal.event(again, AT + 2 * MS_PER_DAY)
    arranged = Journal()
    for record in sorted(journal.records, key=lambda record: record.key or b""):
        arranged.raw(record.key or b"", record.value or b"")

    found, expected = folded(arranged.records), folded(journal.records)

    assert counted(found.state(b"c1")) == counted(expected.state(b"c1")) == 2
    told = [[json.loads(r.value or b"")["data"] for r in c.topics["tier-changes"]] for c in (found, expected)]
    assert told[0] == told[1]


def test_what_left_the_state_meanwhile_is_not_brought_back() -> None:
    """Counted before the order left the day log, and taken after: as if it had always been counted."""
    journal = journal_of_s1()
    late = order(number=2, total=95_000)  # its leaving the window is due after 465 days
    late.store_id, late.time = "s1", format_instant(AT + 100 * MS_PER_DAY)
    journal.event(late, AT + 100 * MS_PER_DAY)
    record = restated(journal)
    journal.tick(AT + 470 * MS_PER_DAY)
    journal.restate(record)

    state = folded(journal.records).state(b"c1")

    always = fold_counting(journal, FILTERS).state_now(b"c1")
    assert always is not None
    assert state.series[NAME] == always.series[NAME]
    assert (state.series[NAME].count, len(state.series[NAME].log), len(state.series[NAME].shares)) == (2, 12, 16)
