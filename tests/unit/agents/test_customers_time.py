"""The customers stage and time: ticks, the end of a feed's time, and the work that they leave."""

from math import inf

import pytest

import agents.customers
from agents.customers import CustomersPartition
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import ClockTick, decode_journal
from tests.journal import JOURNAL, Committed, Journal, customers_stage, default_policy, fold_all, restored
from tests.unit.agents.silver import (
    AT,
    FALLS,
    LEAVES,
    audited,
    journal_with_orders,
    open_partition,
    order,
    published,
    visit,
)


def tick_written(partition: CustomersPartition, watermark_ms: int | None) -> str | None:
    """The instant of the tick that a look at the watermark puts into the journal."""
    partition.poll(watermark_ms)
    ticks = published(partition).get(JOURNAL, [])
    if not ticks:
        return None
    (tick,) = ticks
    assert tick.key == b"\x00clock.tick"
    record = decode_journal(tick.value or b"")
    assert isinstance(record, ClockTick)
    assert record.home == (0, 1)
    return record.instant


def test_a_tick_is_written_when_somebody_is_due_by_the_watermark() -> None:
    """Not a millisecond earlier, and not while the watermark is unknown; its instant is the watermark's."""
    partition = open_partition(journal_with_orders())
    due = partition._due_of(b"c1")

    assert tick_written(partition, None) is None
    assert tick_written(partition, due - 1) is None
    assert tick_written(partition, due + 5_000) == format_instant(due + 5_000)


def test_one_tick_at_a_time_is_under_way() -> None:
    """The next one is written when the first was read back and its work is done."""
    journal = journal_with_orders()
    partition = open_partition(journal)
    first = FALLS - 100 * MS_PER_DAY
    assert tick_written(partition, first) == format_instant(first)
    assert tick_written(partition, FALLS) is None

    journal.tick(first)
    partition.fold(journal.records[-1:], inf)
    assert tick_written(partition, FALLS) is None
    assert partition.work(inf) is False
    assert tick_written(partition, FALLS) == format_instant(FALLS)


def test_no_tick_is_written_for_customers_whom_time_cannot_change() -> None:
    """A visitor without orders is never due."""
    journal = Journal()
    journal.activate(default_policy(), 0)
    journal.event(visit(), AT)

    assert tick_written(open_partition(journal), AT + 100_000 * MS_PER_DAY) is None


def test_a_tick_that_was_written_lets_time_pass_when_it_is_read() -> None:
    """Round trip: what `poll` writes, `fold` understands."""
    partition = open_partition(journal_with_orders())
    partition.poll(FALLS)
    batch = partition.drain()
    ((key, value, _),) = batch.outputs[JOURNAL, 0]
    journal = Journal()
    journal.raw(key or b"", value or b"")

    fold_all(partition, journal.records)

    changes = published(partition)["tier-changes"]
    assert [(c.data["tier"]["id"], c.data["effective_at"]) for c in changes] == [("member", "2027-01-31T00:00:00.000Z")]


def test_a_profile_says_that_time_alone_began_a_grace_period() -> None:
    """Nothing is published on tier-changes then, but the profile has the grace and its cause."""
    journal = journal_with_orders()
    journal.event(visit("c1", LEAVES - 1), LEAVES - 1)
    partition = open_partition(journal)
    journal.tick(LEAVES)

    fold_all(partition, journal.records[-1:])

    ((profile,),) = published(partition).values()
    assert (profile.data["cause"], profile.data["caused_by"]["event_id"]) == ("time", None)
    assert profile.data["tiers"][0]["grace_until"] == format_instant(FALLS)


def test_another_homes_tick_passes_without_effect() -> None:
    """A replay at another partition count meets ticks that were not meant for these customers."""
    journal = journal_with_orders()
    partition = open_partition(journal)
    for home in ((1, 1), (0, 2)):
        journal.tick(FALLS, home=home)
    journal.event(visit("c2"), AT)

    fold_all(partition, journal.records[-3:])

    assert "tier-changes" not in published(partition)


def test_due_customers_run_in_the_order_of_due_instant_and_id() -> None:
    """Their outputs stand in the topic in that order."""
    journal = Journal()
    journal.activate(default_policy(), 0)
    for shift, customer in enumerate(("d", "b", "c", "a")):
        event = order(customer)
        event.time = format_instant(AT + (shift // 2) * MS_PER_DAY)
        journal.event(event, AT + 5 * MS_PER_DAY)
    partition = open_partition(journal)
    journal.tick(FALLS + 10 * MS_PER_DAY)

    fold_all(partition, journal.records[-1:])

    falls = [c for c in published(partition)["tier-changes"] if c.data["tier"]["id"] == "member"]
    assert [c.key for c in falls] == [b"b", b"d", b"a", b"c"]


def test_the_end_of_a_feeds_time_is_acknowledged_after_all_that_was_due() -> None:
    """Whoever waits for the entry finds every change before it, also if the work takes many commits."""
    customers = [f"c{n:02}" for n in range(20)]
    journal = journal_with_orders(*customers)
    partition = open_partition(journal)
    journal.close(FALLS)
    committed, commits = Committed(), 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents.customers, "_CHECK_EVERY", 1)
        partition.fold(journal.records[-1:], -inf)
        while partition.work(-inf):
            committed.commit(partition.drain())
            commits += 1
            assert audited(committed, "clock.closed") == []
    committed.commit(partition.drain())

    assert commits >= len(customers)
    assert len(committed.topics["tier-changes"]) == len(customers)
    (closed,) = audited(committed, "clock.closed")
    assert (closed["instant"], closed["home"]) == ("2027-01-31T00:00:00.000Z", [0, 1])


def test_work_that_a_tick_left_goes_on_after_a_crash() -> None:
    """The position may have passed the tick, so the changelog holds how far it let time go."""
    journal = journal_with_orders("c1", "c2", "c3")
    stage, committed = customers_stage(), Committed()
    partition = restored(stage, committed)
    fold_all(partition, journal.records)
    journal.close(FALLS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents.customers, "_CHECK_EVERY", 1)
        partition.fold(journal.records[-1:], -inf)
        partition.work(-inf)
    committed.commit(partition.drain())

    partition = restored(stage, committed)
    while partition.work(inf):
        pass
    committed.commit(partition.drain())

    assert len([c for c in committed.topics["tier-changes"] if c.data["cause"] == "time"]) == 3
    assert len(audited(committed, "clock.closed")) == 1
    assert restored(stage, committed).work(inf) is False


def test_a_record_stamped_before_a_tick_waits_for_the_work_that_the_tick_left() -> None:
    """So that it doesn't depend on slices whether time passed before it or after it."""
    journal = journal_with_orders("c1", "c2", "c3")
    partition = open_partition(journal)
    journal.tick(FALLS)
    journal.event(visit("c3", AT + MS_PER_DAY), AT + MS_PER_DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents.customers, "_CHECK_EVERY", 1)
        assert partition.fold(journal.records[-2:-1], -inf) == 1
        assert partition.fold(journal.records[-1:], -inf) == 0
    assert partition.fold(journal.records[-1:], inf) == 1

    profile = [p for p in published(partition)["customer-profiles"] if p.key == b"c3"][-1].data
    assert profile["as_of"] >= "2027-01-31T00:00:00.000Z"
