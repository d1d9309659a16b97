"""What a shadow publishes is a function of the journal: of no batch, pause or crash; and it is what two folds say."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from agents.runtime.stage import Record
from agents.shadow.pair import Pair
from agents.shadow.standings import Standing, standing_of
from agents.shadow.trial import SINCE_EVER, Trial
from schemas.journal import Control, GoLive, JournalRecord, Passing, PolicyActivated, decode_journal
from schemas.shadow import ShadowChanged
from streams.policy.model import Policy
from streams.policy.parse import canonical
from tests.journal import HOME, Journal
from tests.properties.journals import POLICIES, Happening
from tests.properties.test_partition_laws import Control as ControlItem
from tests.properties.test_replay_law import items, journal_of


class Turn(NamedTuple):
    """How a shadow goes on: takes so many records, lets time pass, is killed and begins at its last snapshot."""

    records: int
    settles: bool
    killed: bool


turns = st.lists(st.builds(Turn, st.integers(0, 5), st.booleans(), st.booleans()), min_size=1)


def instant_of(record: Record) -> str | None:
    """The instant that a record says has come; None where it says nothing of the kind."""
    event: JournalRecord = decode_journal(record.value or b"")
    if isinstance(event, Passing | GoLive):
        return event.instant if event.home in (None, HOME) else None
    return None if isinstance(event, Control) else event.recordedtime


def trial_of(journal: Journal, candidate: Policy, opens_at: int, in_force_at: int | None) -> Trial:
    """A trial that begins at a record; its candidate in force since ever, or from another record's instant on."""
    known = [at for record in journal.records[: opens_at + 1] if (at := instant_of(record)) is not None]
    effective_at = SINCE_EVER if in_force_at is None or not known else known[in_force_at % len(known)]
    return Trial(
        id="trial",
        name=candidate.name,
        hash=candidate.hash,
        text=canonical(candidate),
        effective_at=effective_at,
        started_at=effective_at,
        positions=(opens_at,),
    )


def entries(records: Iterable[Record]) -> list[Entry]:
    """As they are read."""
    return [Entry(r.key or b"", r.value or b"", 0, r.offset, 0) for r in records]


Published = list[tuple[bytes, int, str, ShadowChanged]]


def published_by(pair: Pair) -> Published:
    """What it hands over."""
    return [(p.key, p.known.sequence, p.known.id, p.known.decision) for p in pair.differences.drain()]


def new_pair(trial: Trial, decoded_max: int = 1_000) -> Pair:
    return Pair(HOME, trial, dedupe=True, decoded_max=decoded_max)


def undisturbed(journal: Journal, trial: Trial) -> tuple[Pair, Published]:
    """All of it, time passing as it will."""
    pair = new_pair(trial)
    for entry in entries(journal.records):
        pair.take(entry)
    pair.reached(len(journal.records))
    pair.settle()
    return pair, published_by(pair)


def by_customer(found: Published) -> dict[bytes, Published]:
    """In the order of each."""
    return {key: [one for one in found if one[0] == key] for key in {one[0] for one in found}}


def disturbed(journal: Journal, trial: Trial, plan: list[Turn], decoded_max: int) -> Published:
    """The same with pauses and crashes; what is published again after a crash counts once, where it is the same."""
    pair, taken, told, records = new_pair(trial, decoded_max), 0, Published(), entries(journal.records)
    snapshot, seen = None, set[tuple[bytes, int, str]]()

    def tell() -> None:
        for one in published_by(pair):
            if one[:3] not in seen:
                seen.add(one[:3])
                told.append(one)
            else:
                assert one in told

    for turn in plan * 4:
        for entry in records[taken : taken + turn.records]:
            pair.take(entry)
        taken = min(taken + turn.records, len(records))
        pair.reached(taken)
        tell()
        if turn.settles:
            pair.settle()
            tell()
            snapshot = taken, [list(states) for states in pair.states()], pair.live.latest
        if turn.killed:
            pair, taken = new_pair(trial, decoded_max), 0
            if snapshot is not None:
                taken, states, latest = snapshot
                pair.restore(states, latest)
    for entry in records[taken:]:
        pair.take(entry)
    pair.reached(len(records))
    pair.settle()
    tell()
    return told


@settings(max_examples=60, deadline=None)
@given(items, turns, st.integers(1, 4), st.integers(0, 2), st.integers(0, 2), st.integers(1, 40), st.data())
def test_pauses_and_crashes_change_nothing(
    items: list[Happening | ControlItem | int],
    plan: list[Turn],
    decoded_max: int,
    first: int,
    other: int,
    opens_at: int,
    data: st.DataObject,
) -> None:
    """The same records per customer with the same ids, however time was let pass and wherever it was killed."""
    journal = journal_of(items, first)
    in_force_at = data.draw(st.none() | st.integers(0, 40))
    trial = trial_of(journal, POLICIES[other], min(opens_at, len(journal.records) - 1), in_force_at)
    _, expected = undisturbed(journal, trial)

    assert by_customer(disturbed(journal, trial, plan, decoded_max)) == by_customer(expected)
    after_every_record = [Turn(1, settles=True, killed=False)] * (len(journal.records) // 4 + 1)
    assert by_customer(disturbed(journal, trial, after_every_record, decoded_max)) == by_customer(expected)
    for found in by_customer(expected).values():
        assert [one[1] for one in found] == list(range(1, len(found) + 1))
        assert len({one[2] for one in found}) == len(found)
        kinds = [one[3].difference for one in found]
        assert all((kind == "begun") is (before in (None, "ended")) for before, kind in pairwise([None, *kinds]))


def folded(journal: Journal, policy: Policy | None, trial: Trial) -> dict[bytes, Standing]:
    """Where everybody stands by a fold of its own; with a policy, as if that had come in force when the trial says."""
    forced = policy if trial.from_start else None
    fold = JournalFold(HOME, lambda _effects, _entry: None, policy=forced)
    activated = trial.from_start or policy is None
    for record, entry in zip(journal.records, entries(journal.records), strict=True):
        at = instant_of(record)
        if not activated and policy is not None and at is not None and at >= trial.effective_at:
            activated = True
            aside = Journal()
            aside.activate(policy, trial.effective_ms)
            fold.take(entries(aside.records)[0])
        if policy is not None and activated and isinstance(decode_journal(entry.value), PolicyActivated):
            continue
        fold.take(entry)
    fold.close()
    return {key: standing_of(state, fold.regimes[state.ordinal]) for key, state in fold.customers()}


@settings(max_examples=60, deadline=None)
@given(items, st.integers(0, 2), st.integers(0, 2), st.integers(1, 40), st.none() | st.integers(0, 40))
def test_the_differences_are_those_of_two_folds(
    items: list[Happening | ControlItem | int], first: int, other: int, opens_at: int, in_force_at: int | None
) -> None:
    """At the end, everybody who stands differently is known to, with both tiers and bands, and nobody else."""
    journal = journal_of([i for i in items if not (isinstance(i, ControlItem) and i.kind == "activate")], first)
    candidate = POLICIES[other]
    trial = trial_of(journal, candidate, min(opens_at, len(journal.records) - 1), in_force_at)
    pair, _ = undisturbed(journal, trial)

    live, shadow = folded(journal, None, trial), folded(journal, candidate, trial)
    assert live.keys() == shadow.keys()
    expected = {}
    for key, standing in live.items():
        there = shadow[key]
        names = {*standing.tiers, *there.tiers}
        ladders = {
            name: (standing.tiers.get(name), there.tiers.get(name))
            for name in names
            if getattr(standing.tiers.get(name), "id", None) != getattr(there.tiers.get(name), "id", None)
        }
        bands = None if standing.band == there.band else (standing.band, there.band)
        if ladders or bands:
            expected[key] = (ladders, bands)
    found = {
        key: (
            {one.ladder: (one.live, one.shadow) for one in known.decision.ladders},
            known.decision.risk and (known.decision.risk.live, known.decision.risk.shadow),
        )
        for key, known in pair.differences
        if known.differs
    }
    assert found == expected
    assert sum(pair.differences.flows.values()) == sum(len(one) + (b is not None) for one, b in expected.values())
    counted = {ladder: {t: n for t, n in tiers.items() if n} for ladder, tiers in pair.standings.items()}
    wanted: dict[str, dict[str, int]] = {}
    for standing in live.values():
        for ladder, tier in standing.tiers.items():
            wanted.setdefault(ladder, {}).setdefault(tier.id, 0)
            wanted[ladder][tier.id] += 1
        if standing.band:
            wanted.setdefault("churn_risk", {}).setdefault(standing.band, 0)
            wanted["churn_risk"][standing.band] += 1
    assert {ladder: tiers for ladder, tiers in counted.items() if tiers} == wanted
    assert all(known.decision.since <= known.decision.effective_at for _, known in pair.differences)
