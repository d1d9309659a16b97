"""What a partition publishes is a function of its journal: of no batch, no slice, no crash, no cache and no tick."""

from collections import defaultdict
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agents.customers
from agents.partition_records import DUE_WORK_KEY
from schemas.clock import MS_PER_DAY
from tests.journal import Committed, Journal, Published, customers_stage, fold_all, folded, restored
from tests.properties.journals import GAPS_MS, POLICIES, START_MS, Happening, arrivals, happenings, lives, long

CHANGES = ("tier-changes", "churn-risk", "notices")
END_MS = 400 * MS_PER_DAY
"""After the last event, time passes for so long."""


class Control(NamedTuple):
    """A record about time or policy between the events, `shift` ms away from the clock of its place."""

    kind: str
    shift: int
    policy: int


class Step(NamedTuple):
    """How a partition goes on: fold so many records, work, commit, crash; slowly: one thing at a time."""

    records: int
    slowly: bool
    commits: bool
    crashes: bool


controls = st.builds(
    Control,
    st.sampled_from(["tick", "tick", "advance", "foreign tick", "activate", "close"]),
    st.sampled_from([-100 * MS_PER_DAY, -1, 0, 0, 3_600_000, 40 * MS_PER_DAY]),
    st.integers(0, len(POLICIES) - 1),
)
plans = st.lists(st.builds(Step, st.integers(0, 5), st.booleans(), st.booleans(), st.booleans()), min_size=1)


def journal_of(items: list[Happening | Control], first: int = 0) -> Journal:
    """A journal in which records may be stamped before the ticks that they follow, as a careless source stamps them."""
    journal, now = Journal(), START_MS
    journal.activate(POLICIES[first], 0)
    for number, item in enumerate(items):
        if isinstance(item, Happening):
            now += GAPS_MS[item.gap]
            for event, recorded_at in arrivals([item._replace(gap=0)]):
                event.id = f"e{number}"
                journal.event(event, recorded_at + now - START_MS)
        else:
            write(journal, item, now + item.shift)
    journal.close(now + END_MS)
    return journal


def write(journal: Journal, control: Control, instant: int) -> None:
    """Put a control record into the journal."""
    match control.kind:
        case "tick":
            journal.tick(instant)
        case "advance":
            journal.advance(instant)
        case "foreign tick":
            journal.tick(instant + 1_000 * MS_PER_DAY, home=(1, 2))
        case "activate":
            journal.activate(POLICIES[control.policy], instant)
        case _:
            journal.close(instant)


def run(journal: Journal, plan: list[Step], decoded_max: int) -> Committed:
    """Fold a journal as planned, again and again from the plan's start, then the rest of it."""
    stage, committed = customers_stage(decoded_max=decoded_max), Committed()
    partition, taken, position = restored(stage, committed), 0, 0
    for step in plan * 4:
        deadline = -inf if step.slowly else inf
        taken += partition.fold(journal.records[taken : taken + step.records], deadline)
        partition.work(deadline)
        if step.commits:
            committed.commit(partition.drain())
            partition.committed()
            position = taken
        if step.crashes:
            partition, taken = restored(stage, committed), position
    while taken < len(journal.records):
        fold_all(partition, journal.records[taken:])
        taken = len(journal.records)
    while partition.work(inf):
        pass
    committed.commit(partition.drain())
    return committed


def by_customer(records: list[Published]) -> dict[bytes | None, list[Published]]:
    """Records of a topic in order, for each key."""
    found = defaultdict(list)
    for record in records:
        found[record.key].append(record)
    return found


def last(records: list[Published]) -> dict[bytes | None, Published]:
    """The newest record for each key."""
    return {record.key: record for record in records}


def audited(committed: Committed) -> list[bytes | None]:
    """What the audit says about the journal; that a partition was restored is no part of that."""
    return [
        record.value for record in committed.topics["audit"] if b'"partition.restored"' not in (record.value or b"")
    ]


def states(committed: Committed) -> dict[bytes, bytes | None]:
    """The changelog without what concerns the partition's progress alone."""
    return {key: value for key, value in committed.changelog.items() if key != DUE_WORK_KEY}


@settings(max_examples=150, deadline=None)
@given(
    long(st.one_of(happenings(), happenings(), controls), 40),
    plans,
    st.integers(0, 4),
    st.integers(0, len(POLICIES) - 1),
)
def test_batches_slices_crashes_and_caches_leave_no_trace(
    items: list[Happening | Control], plan: list[Step], decoded_max: int, first: int
) -> None:
    """Same journal, same bytes: outputs per customer, dead letters, audit, final states, newest profiles."""
    journal = journal_of(items, first)
    expected = folded(journal.records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents.customers, "_CHECK_EVERY", 1)
        found = run(journal, plan, decoded_max)

    for topic in (*CHANGES, "dead-letters"):
        assert by_customer(found.topics[topic]) == by_customer(expected.topics[topic]), topic
    assert audited(found) == audited(expected)
    assert states(found) == states(expected)
    assert last(found.topics["customer-profiles"]) == last(expected.topics["customer-profiles"])


@settings(max_examples=150, deadline=None)
@given(lives(), st.data(), st.integers(0, len(POLICIES) - 1))
def test_ticks_change_nothing_but_the_hour_of_publishing(
    life: list[Happening], data: st.DataObject, first: int
) -> None:
    """No ticks, one at the end, or any number: same outputs per customer, same states.

    As long as no record is stamped before a tick that it follows; activations too are no older than that.
    """
    arrived = arrivals(life)
    activation = data.draw(st.none() | st.integers(0, len(arrived)))
    new = data.draw(st.sampled_from(POLICIES))
    plain, ticking = Journal(), Journal()
    now = START_MS
    for journal in (plain, ticking):
        journal.activate(POLICIES[first], 0)
    for number, arrival in enumerate([*arrived, None]):
        following = arrival.recorded_at if arrival else now + 100 * MS_PER_DAY
        for tick in data.draw(st.lists(st.integers(0, following - now), max_size=2)):
            ticking.tick(now + tick)
        if number == activation:
            effective_at = following + data.draw(st.sampled_from([0, 1, 50 * MS_PER_DAY]))
            plain.activate(new, effective_at)
            ticking.activate(new, effective_at)
        if arrival is not None:
            now = arrival.recorded_at
            plain.event(arrival.event, now)
            ticking.event(arrival.event, now)
    for journal in (plain, ticking):
        journal.close(now + END_MS)

    without, with_ticks = folded(plain.records), folded(ticking.records)

    for topic in CHANGES:
        values = [
            {k: [r.value for r in v] for k, v in by_customer(c.topics[topic]).items()} for c in (without, with_ticks)
        ]
        assert values[0] == values[1], topic
    assert refused(without) == refused(with_ticks)
    assert states(without) == states(with_ticks)
    assert last(without.topics["customer-profiles"]) == last(with_ticks.topics["customer-profiles"])


def refused(committed: Committed) -> dict[bytes | None, list[tuple[bytes | None, bytes]]]:
    """Dead letters by customer: value and reason."""
    letters = by_customer(committed.topics["dead-letters"])
    return {key: [(r.value, r.header["tierstream-dlq-reason"]) for r in found] for key, found in letters.items()}


@settings(max_examples=100, deadline=None)
@given(long(st.one_of(happenings(customers=2), controls), 40), st.integers(0, len(POLICIES) - 1))
def test_outputs_of_a_customer_form_a_chain(items: list[Happening | Control], first: int) -> None:
    """Sequences without gaps, revisions that rise, each change begins where the one before ended, no id twice."""
    committed = folded(journal_of(items, first).records)

    for topic, word in zip(CHANGES, ("tier", "band"), strict=False):
        for records in by_customer(committed.topics[topic]).values():
            chain = [record.data for record in records]
            assert [data["sequence"] for data in chain] == list(range(1, len(chain) + 1))
            assert all(a["revision"] < b["revision"] for a, b in pairwise(chain))
            assert all(a["effective_at"] <= b["effective_at"] for a, b in pairwise(chain))
            assert chain[0][f"previous_{word}"] is None
            assert all(_id(a[word]) == _id(b[f"previous_{word}"]) for a, b in pairwise(chain))
            assert all(_id(data[word]) != _id(data[f"previous_{word}"]) for data in chain)
    everything = [r.data for topic in CHANGES for r in committed.topics[topic]]
    assert len({data["id"] for data in everything}) == len(everything)
    assert len({(data["customer_id"], data["revision"]) for data in everything}) == len(everything)
    for key, profile in last(committed.topics["customer-profiles"]).items():
        assert profile.data["revision"] >= max(
            (r["revision"] for r in everything if r["customer_id"].encode() == key), default=0
        )


@settings(max_examples=60, deadline=None)
@given(long(st.one_of(happenings(customers=2), controls), 40), st.integers(0, len(POLICIES) - 1))
def test_a_revision_has_one_content(items: list[Happening | Control], first: int) -> None:
    """With a commit after every record, each profile of a customer that is written has a revision of its own."""
    journal, committed = journal_of(items, first), Committed()
    partition = restored(customers_stage(), committed)
    for record in journal.records:
        fold_all(partition, [record])
        committed.commit(partition.drain())

    for profiles in by_customer(committed.topics["customer-profiles"]).values():
        assert all(a.data["revision"] < b.data["revision"] for a, b in pairwise(profiles))
        assert len({profile.data["id"] for profile in profiles}) == len(profiles)


def _id(value: Any) -> Any:  # noqa: ANN401 - a tier, a band or null
    return value["id"] if isinstance(value, dict) else value
