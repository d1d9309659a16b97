"""A partition that loads a history: nobody is told, then everybody once, and killed anywhere it stays once."""

from math import inf

import pytest

import agents.backfill
from agents.partition_records import BACKFILL_KEY
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent, OrderCancelled
from schemas.journal import GoLive, control_key, encode_journal
from tests.journal import Committed, Journal, Published, customers_stage, default_policy, fold_all, folded, restored
from tests.unit.agents.silver import AT, FALLS, audited, journal_with_orders, open_partition, order, published, visit

CUSTOMERS = ("c1", "c2", "c3", "c4", "c5")
LIVE = AT + 30 * MS_PER_DAY
TOPICS = ("tier-changes", "churn-risk")


def past(event: InputEvent) -> InputEvent:
    """The same event as part of a history."""
    event.backfill = True
    return event


def history(*customers: str) -> Journal:
    """A journal in which each of these customers became silver, long ago."""
    journal = Journal()
    journal.activate(default_policy(), 0)
    for customer in customers:
        journal.event(past(order(customer)), AT)
    return journal


def causes(records: list[Published]) -> list[str]:
    """The cause of each decision, which its header has to repeat."""
    assert [r.data["cause"].encode() for r in records] == [r.header["tierstream-cause"] for r in records]
    return [record.data["cause"] for record in records]


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice of work introduces one customer."""
    monkeypatch.setattr(agents.backfill, "_CHECK_EVERY", 1)


def test_a_history_is_told_as_backfill_and_then_introduced_once() -> None:
    """On each topic one `initial` as of the go-live; numbers go on without gaps, and live changes follow."""
    journal = history("c1")
    journal.go_live(LIVE)
    journal.event(order(number=2, total=20_000), LIVE + 1)

    committed = folded(journal.records)

    tiers = committed.of("tier-changes", b"c1")
    assert causes(tiers) == ["backfill", "initial", "event"]
    assert [(t.data["tier"]["id"], t.data["direction"]) for t in tiers] == [
        ("silver", "initial"),
        ("silver", "initial"),
        ("gold", "upgrade"),
    ]
    assert [t.data["sequence"] for t in tiers] == [1, 2, 3]
    assert tiers[1].data["effective_at"] == format_instant(LIVE)
    assert tiers[1].data["previous_tier"] is None
    assert [r["rule"] for r in tiers[1].data["reasons"]] == ["standing.silver.enter"]
    assert causes(committed.of("churn-risk", b"c1"))[:2] == ["backfill", "initial"]
    revisions = [r.data["revision"] for topic in TOPICS for r in committed.of(topic, b"c1")]
    assert len(set(revisions)) == len(revisions)
    assert [entry["instant"] for entry in audited(committed, "go-live")] == [format_instant(LIVE)]


def test_profiles_of_a_history_say_so() -> None:
    """Also that of a customer about whom nothing was decided; after the go-live they say `initial`."""
    journal = history("c1")
    journal.event(past(visit("c2")), AT)
    before = folded(journal.records)
    journal.go_live(LIVE)
    after = folded(journal.records)

    for customer in (b"c1", b"c2"):
        assert causes(before.of("customer-profiles", customer)) == ["backfill"]
        assert causes(after.of("customer-profiles", customer)) == ["initial"]
    assert [after.of(topic, b"c2") for topic in TOPICS] == [[], []]


def test_what_happens_live_during_a_history_is_part_of_it() -> None:
    """Folded as ever, but told as backfill: its customer is introduced with the others."""
    journal = history("c1")
    journal.event(order("c2"), AT + 5)
    journal.go_live(LIVE)

    assert causes(folded(journal.records).of("tier-changes", b"c2")) == ["backfill", "initial"]


def test_before_its_first_event_of_a_history_a_partition_is_live() -> None:
    """Nobody knows of a history that has not come yet."""
    journal = journal_with_orders("c1")
    journal.event(past(order("c2")), AT)

    committed = folded(journal.records)

    assert [causes(committed.of("tier-changes", key)) for key in (b"c1", b"c2")] == [["event"], ["backfill"]]


def test_time_that_passed_before_the_go_live_is_told_as_backfill() -> None:
    """A fall at its own instant, before the introduction to what is left; and no tick is written meanwhile."""
    journal = history("c1")
    partition = open_partition(journal)
    partition.poll(FALLS)
    assert published(partition) == {}
    journal.go_live(FALLS + 7)
    fold_all(partition, journal.records[-1:])

    told = published(partition)["tier-changes"]

    assert [(t.data["cause"], t.data["effective_at"], t.data["tier"]["id"]) for t in told] == [
        ("backfill", format_instant(FALLS), "member"),
        ("initial", format_instant(FALLS + 7), "member"),
    ]


def test_ticks_go_on_after_the_go_live() -> None:
    """The partition lets time pass again, and it is told as time."""
    journal = history("c1")
    journal.go_live(LIVE)
    partition = open_partition(journal)

    partition.poll(FALLS)
    assert list(published(partition)) == ["customer-events"]
    journal.tick(FALLS)
    fold_all(partition, journal.records[-1:])
    assert "time" in causes(published(partition)["tier-changes"])


@pytest.mark.usefixtures("one_at_a_time")
@pytest.mark.parametrize("slices", range(len(CUSTOMERS) + 1))
def test_killed_in_the_middle_of_a_go_live_it_introduces_nobody_twice(slices: int) -> None:
    """After any number of customers: the commit has passed the record, and a new partition does the rest."""
    journal = history(*CUSTOMERS)
    journal.go_live(LIVE)
    committed, stage = Committed(), customers_stage()
    partition = restored(stage, committed)
    assert partition.fold(journal.records, inf) == len(journal.records)
    for _ in range(slices):
        partition.work(-inf)
    committed.commit(partition.drain())
    told = [len(committed.of("tier-changes", c.encode())) for c in CUSTOMERS]
    assert sorted(told) == [1] * (len(CUSTOMERS) - slices) + [2] * slices

    survivor = restored(stage, committed)
    journal.event(order("c3", 2, 20_000), LIVE + 1)
    fold_all(survivor, journal.records[-1:])
    committed.commit(survivor.drain())

    whole = folded(journal.records)
    for customer in CUSTOMERS:
        for topic in TOPICS:
            assert committed.of(topic, customer.encode()) == whole.of(topic, customer.encode())
        assert committed.changelog[customer.encode()] == whole.changelog[customer.encode()]


@pytest.mark.usefixtures("one_at_a_time")
def test_a_live_event_in_the_middle_of_a_go_live_waits_for_its_own_customer_alone() -> None:
    """The customer is introduced first, then the event is folded; the others' turn comes later."""
    journal = history(*CUSTOMERS)
    journal.go_live(LIVE)
    partition = open_partition(history())
    partition.fold(journal.records[1:], inf)
    partition.drain()
    journal.event(order("c1", 2, 20_000), LIVE + 1)

    assert partition.fold(journal.records[-1:], -inf) == 1

    told = published(partition)["tier-changes"]
    assert [(t.key, t.data["cause"]) for t in told] == [(b"c1", "initial"), (b"c1", "event")]


@pytest.mark.usefixtures("one_at_a_time")
def test_a_second_history_waits_for_the_end_of_the_first() -> None:
    """A go-live under way is finished before anything is told as backfill again."""
    journal = history(*CUSTOMERS)
    journal.go_live(LIVE)
    partition = open_partition(history())
    partition.fold(journal.records[1:], inf)
    journal.event(past(order("c1", 2, 20_000)), LIVE + 1)

    turns = 0
    while not partition.fold(journal.records[-1:], -inf):
        turns += 1
    committed = Committed()
    committed.commit(partition.drain())

    assert turns > 1
    assert [causes(committed.of("tier-changes", c.encode()))[-1] for c in CUSTOMERS] == ["backfill", *["initial"] * 4]
    assert len(audited(committed, "backfill.began")) == 2


def test_a_second_history_introduces_those_whom_it_touched() -> None:
    """Who was told live before, and did not change, hears nothing."""
    journal = history("c1", "c2")
    journal.go_live(LIVE)
    journal.event(past(order("c2", 2, 20_000)), LIVE + 1)
    journal.go_live(LIVE + 2)

    committed = folded(journal.records)

    assert causes(committed.of("tier-changes", b"c1")) == ["backfill", "initial"]
    assert causes(committed.of("tier-changes", b"c2")) == ["backfill", "initial", "backfill", "initial"]


def test_a_go_live_without_a_history_changes_nothing() -> None:
    """Nor does a second one, nor that of another home: no record, no key in the changelog, the same states."""
    journal = journal_with_orders()
    without = folded(journal.records)
    journal.go_live(LIVE)
    assert folded(journal.records).changelog == without.changelog
    assert BACKFILL_KEY not in without.changelog

    loaded = history("c1")
    elsewhere = GoLive(instant=format_instant(LIVE), home=(1, 2))
    loaded.raw(control_key(elsewhere), encode_journal(elsewhere))
    assert causes(folded(loaded.records).of("tier-changes", b"c1")) == ["backfill"]


def test_a_correction_of_what_a_history_told_names_the_introduction() -> None:
    """What is wrong is what was said last; during the history it is backfill like the rest."""
    journal = history("c1")
    journal.event(past(order(number=2, total=20_000)), AT + 1)
    journal.go_live(LIVE)
    cancelled = journal_cancel("o2")
    journal.event(cancelled, LIVE + 1)

    tiers = folded(journal.records).of("tier-changes", b"c1")

    assert causes(tiers) == ["backfill", "backfill", "initial", "correction"]
    assert tiers[-1].data["corrects"] == tiers[-2].data["id"]


def journal_cancel(order_id: str) -> InputEvent:
    """A cancellation, arriving live."""
    return OrderCancelled(id="x1", time=format_instant(LIVE), customer_id="c1", order_id=order_id)
