"""The customers stage as a partition: policies, commits, the cache of decoded states, coordinates."""

from math import inf

import msgspec
import pytest

import agents.customers
from agents.errors import RefusedPositionError
from agents.partition_records import POLICIES_KEY
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import ClockTick, control_key
from streams.customer.record import encode_state
from streams.policy.parse import canonical
from tests.journal import (
    JOURNAL,
    Journal,
    Published,
    customers_stage,
    default_policy,
    fold_all,
    folded,
    policy_of,
    restored,
)
from tests.unit.agents.silver import (
    AT,
    FALLS,
    STRICT,
    audited,
    journal_with_orders,
    open_partition,
    order,
    published,
    refund,
    visit,
)


def test_a_policy_stands_in_the_changelog_with_the_position_that_passed_it() -> None:
    """A new partition judges by it without reading the journal again."""
    journal = journal_with_orders()
    strict = policy_of(STRICT, "USD", "UTC")
    journal.activate(strict, AT + MS_PER_DAY)
    stage = customers_stage()
    committed = folded(journal.records)
    stored = msgspec.msgpack.decode(committed.changelog[POLICIES_KEY] or b"")
    assert stored == [[0, canonical(default_policy()), False], [AT + MS_PER_DAY, canonical(strict), False]]

    partition = restored(stage, committed)
    journal.event(order(number=2, total=80_000), AT + 2 * MS_PER_DAY)
    fold_all(partition, journal.records[-1:])
    committed.commit(partition.drain())

    changes = [c.data for c in committed.topics["tier-changes"]]
    assert [(c["policy"]["name"], c["tier"]["id"], c["cause"]) for c in changes] == [("default", "silver", "event")]
    assert committed.of("customer-profiles", b"c1")[-1].data["policy"] == {"name": "strict", "hash": strict.hash}


@pytest.mark.parametrize("version", [0, 99])
def test_states_of_an_unread_version_are_refused_with_the_remedy(version: int) -> None:
    """Before anything is folded: by the head of each record, which is read anyway."""
    committed = folded(journal_with_orders().records)
    record = committed.changelog[b"c1"] or b""
    committed.changelog[b"c1"] = bytes([version]) + record[1:]

    with pytest.raises(RefusedPositionError, match="tierstream state rebuild"):
        restored(customers_stage(), committed)


def test_an_activation_is_in_the_audit_with_its_place() -> None:
    """Which policy, from when, and where in the journal it stands."""
    journal = journal_with_orders()
    strict = policy_of(STRICT, "USD", "UTC")
    journal.activate(strict, AT + MS_PER_DAY)

    first, second = audited(folded(journal.records), "policy.activated")

    assert (first["policy"], first["effective_at"], first["offset"]) == ("default", "1970-01-01T00:00:00.000Z", 0)
    assert (second["policy"], second["hash"], second["offset"]) == ("strict", strict.hash, 2)
    assert second["home"] == [0, 1]
    assert second["app_version"]


def test_a_policy_behind_a_customers_clock_ends_its_tick() -> None:
    """Effective before the customer's newest event, met by a tick from before it: done once, not found due for ever."""
    journal = journal_with_orders()
    journal.activate(policy_of(STRICT, "USD", "UTC"), AT - 1_000)
    partition = open_partition(journal)
    journal.tick(AT - 500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents.customers, "_CHECK_EVERY", 1)
        partition.fold(journal.records[-1:], inf)
        turns = [partition.work(-inf) for _ in range(5)]

    assert turns[-1] is False
    assert partition._state(b"c1").ordinal == 1  # type: ignore[union-attr] # it is there: the test made it


def test_a_journal_without_a_policy_stops_the_partition_with_the_remedy() -> None:
    """Events can't be judged by nothing."""
    journal = Journal()
    journal.event(order(), AT)

    with pytest.raises(ValueError, match="tierstream topics apply"):
        folded(journal.records)


@pytest.mark.parametrize(("key", "value"), [(None, b"{}"), (b"c1", None)])
def test_a_foreign_record_in_the_journal_stops_the_partition(key: bytes | None, value: bytes | None) -> None:
    """Nobody else writes to the journal; a record without key or value says that somebody does."""
    journal = journal_with_orders()
    record = journal.records[-1]._replace(key=key, value=value)

    with pytest.raises(ValueError, match="something else writes to it"):
        folded([*journal.records, record])


def test_a_commit_writes_each_touched_customer_once() -> None:
    """State and profile as they are at its end, and of nobody else."""
    journal = journal_with_orders("c1", "c2", "c3")
    partition = open_partition(journal)
    for n in range(2, 5):
        journal.event(order("c1", n), AT + n)
    journal.event(order("c2", 2), AT)
    fold_all(partition, journal.records[-4:])

    batch = partition.drain()

    assert [key for key, _ in batch.states] == [b"c1", b"c2"]
    profiles = [Published(*record) for record in batch.outputs["customer-profiles", 0]]
    assert [(p.key, p.data["aggregates"]["orders_lifetime"]) for p in profiles] == [(b"c1", 4), (b"c2", 2)]
    assert dict(batch.states)[b"c1"] == encode_state(partition._state(b"c1"))  # type: ignore[arg-type] # it is there
    assert partition.drain() == ([], {})


def test_no_more_states_are_decoded_than_allowed() -> None:
    """Those that were used last stay; the others wait encoded and come back when they are needed."""
    customers = [f"c{n}" for n in range(10)]
    journal = journal_with_orders(*customers)
    partition = customers_stage(decoded_max=3).partition(0)
    partition.ready()
    fold_all(partition, journal.records)
    partition.drain()

    assert list(partition._decoded) == [b"c7", b"c8", b"c9"]
    assert len(partition) == 10
    journal.event(order("c0", 2), AT)
    fold_all(partition, journal.records[-1:])
    assert published(partition)["customer-profiles"][0].data["aggregates"]["orders_lifetime"] == 2


def test_a_change_names_the_record_that_caused_it_and_time_names_none() -> None:
    """Coordinates stand in a header, never in a value: partition and offset of an event, for time the partition."""
    journal = journal_with_orders()
    journal.event(visit("c1", FALLS), FALLS)

    changes = folded(journal.records).topics["tier-changes"]

    assert [(c.data["cause"], c.header["tierstream-journal"]) for c in changes] == [("event", b"0:1"), ("time", b"0")]


def test_a_refusal_of_the_fold_names_its_record_and_one_that_waited_names_none() -> None:
    """The dead letter holds the journal record; what waited was the partition's, not a record's any more."""
    journal = journal_with_orders()
    conflict = journal.event(order(total=1), AT + 1)
    early = journal.event(refund("o9"), AT + 2)
    journal.tick(AT + 40 * MS_PER_DAY)

    letters = folded(journal.records).topics["dead-letters"]

    assert [(letter.key, letter.value) for letter in letters] == [(b"c1", conflict), (b"c1", early)]
    found = [(letter.header["tierstream-dlq-reason"], letter.header["tierstream-dlq-offset"]) for letter in letters]
    assert found == [(b"conflict", b"2"), (b"refund_without_order", b"-1")]
    assert all(letter.header["tierstream-dlq-stage"] == b"customers" for letter in letters)
    assert all(letter.header["tierstream-dlq-topic"] == JOURNAL.encode() for letter in letters)


def test_a_decision_counts_the_customers_own_records() -> None:
    """`journal_seq` is the n-th record of the customer: repeats count, other customers and ticks do not."""
    journal = journal_with_orders("c1", "c2")
    journal.tick(AT)
    journal.event(order(), AT)
    journal.event(order(number=2, total=20_000), AT)
    journal.tick(FALLS)

    changes = folded(journal.records).of("tier-changes", b"c1")

    told = [(c.data["tier"]["id"], c.data["caused_by"]) for c in changes]
    assert told == [
        ("silver", {"event_id": "e1", "journal_seq": 1}),
        ("gold", {"event_id": "e2", "journal_seq": 3}),
        ("member", {"event_id": None, "journal_seq": 3}),
    ]


def test_with_dedupe_off_only_orders_and_refunds_are_recognised() -> None:
    """For sources known to be free of repeats; money is never counted twice."""
    journal = journal_with_orders()
    for _ in range(2):
        journal.event(visit(), AT)
        journal.event(order(), AT)

    aggregates = folded(journal.records, dedupe=False).of("customer-profiles", b"c1")[-1].data["aggregates"]

    assert (aggregates["visits_lifetime"], aggregates["orders_lifetime"]) == (2, 1)
    assert control_key(ClockTick(instant=format_instant(AT), home=(0, 1))) == b"\x00clock.tick"


def test_a_refusal_of_the_fold_counts_earlier_attempts() -> None:
    """The journal record carries them: also over thirty days of waiting."""
    journal = journal_with_orders()
    for event in (order(total=1), refund("o9")):
        event.redriven = 1
        journal.event(event, AT + 1)
    journal.tick(AT + 40 * MS_PER_DAY)

    letters = folded(journal.records).topics["dead-letters"]

    assert [letter.header["tierstream-dlq-attempts"] for letter in letters] == [b"2", b"2"]
