"""One customer's part of a journal, found by the index or by reading all of it, and folded by itself."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from agents.errors import ConfigurationError
from agents.partitioning import home_of
from agents.policy_log import PolicyLog
from agents.replay.entry import Entry
from agents.replay.fold import FOR_EVER, JournalFold
from agents.replay.index import DECLARED_KEY, GO_LIVE_KEY, MODEL_KEY, POLICY_KEY, CustomerIndex, history_key
from agents.replay.journal_file import Home, JournalFile, home_in
from agents.replay.journal_topic import JournalTopic
from schemas.events import InputEvent
from schemas.journal import ControlRecord, PolicyActivated, decode_journal, is_control_key
from streams.customer import daylog
from streams.customer.state import CustomerState
from streams.effects import Change, Effects, Refused
from streams.explain.witness import Witness
from streams.policy.model import OrderFilter, Policy, counters
from streams.policy.parse import load_canonical
from streams.regime import Regime

Progress = Callable[[int, int], None]


class History(NamedTuple):
    """What of a journal concerns one customer."""

    customer: bytes
    home: Home | None
    entries: list[Entry]
    """Their records, policies and go-lives, in the journal's order."""
    history_began: list[int]
    """Where their home began to load a history."""
    time: int
    """Up to which instant time has passed for them; -1: not at all."""
    scanned: int
    """Records that had to be read one by one, because no index covers them."""


class Step(NamedTuple):
    """A record, or a stretch of time, and what it led to."""

    event: InputEvent | None
    """None for time and policies."""
    changes: list[Change]
    refused: list[Refused]
    repeated: int


class Standing(NamedTuple):
    """A customer at an instant."""

    state: CustomerState
    regime: Regime


def history_of(journal: JournalFile | JournalTopic, customer: bytes, index: Path | None, told: Progress) -> History:
    """Find a customer's records; `told` is told how much of the part that no index covers has been read."""
    units = journal.units(1)
    unit = units[home_of(customer, len(units))] if isinstance(journal, JournalTopic) else units[0]
    begin, end = journal.span(unit)
    found: dict[int, Entry] = {}
    own = CustomerIndex(index, journal, unit) if index is not None and journal.seekable else None
    segments = own.segments() if own else []
    marks = own.marks(segments) if own else CustomerIndex(Path(), journal, unit).marks([])
    home = marks.home_of(customer)
    keys, began = (customer, POLICY_KEY, MODEL_KEY, GO_LIVE_KEY, DECLARED_KEY), []
    for segment in segments:
        began += segment.positions(history_key(home))
        places = {place for key in keys for place in segment.positions(key)}
        found |= {e.offset: e for e in journal.entries_at(unit, sorted(places)) if e.key in keys}
    position, scanned = (segments[-1].head.end if segments else begin), 0
    total = end - position
    for entries, after in journal.read(unit, position):
        scanned += len(entries)
        for entry in entries:
            if entry.key in keys:
                found[entry.offset] = entry
            if marks.key_of(entry) == history_key(home):
                began.append(entry.offset)
        told(after - (end - total), total)
    homes = journal.homes(unit)
    ordered = [found[place] for place in sorted(found)]
    if len(homes) > 1:  # a partition takes every activation in it for its own; here those of others lie beside them
        ordered = [entry for entry in ordered if home_in(entry) in (None, home)]
    return History(customer, home, ordered, began, marks.time_of(home), scanned)


def steps(
    history: History, *, dedupe: bool = True, policy: Policy | None = None, until: int = FOR_EVER
) -> Iterator[Step]:
    """The customer's records in order, with the decisions that each led to; what time led to stands before the next."""
    yield from Walk(history, dedupe=dedupe, policy=policy, until=until).steps()


def standing_at(history: History, until: int, *, dedupe: bool = True, policy: Policy | None = None) -> Standing | None:
    """Where the customer stood at an instant, with the windows of that day; None when nothing was known of them."""
    walk = Walk(history, dedupe=dedupe, policy=policy, until=until)
    for _ in walk.steps():
        pass
    for _, state in walk.fold.customers():
        regime = walk.fold.regimes[state.ordinal]
        state.clock = max(state.clock, until)
        daylog.advance(state, regime.calendar.day_of(state.clock))
        return Standing(state, regime)
    return None


class Walk:
    """One way through a history; a `witness` sees each event before and after it is folded, and each decision."""

    def __init__(
        self, history: History, *, dedupe: bool, policy: Policy | None, until: int, witness: Witness | None = None
    ) -> None:
        self._history, self._witness = history, witness
        self._told: list[Step] = []
        self.fold = JournalFold(
            history.home,
            self._tell,
            dedupe=dedupe,
            policy=policy,
            until=until,
            effects=witness,
            policies=PolicyLog(() if policy is not None else _counted_anew(history.entries)),
        )
        if witness is not None:
            witness.attend(self.fold.state_now, self.fold.regimes)

    def steps(self) -> Iterator[Step]:
        """Fold, and tell of each step."""
        began = sorted(self._history.history_began, reverse=True)
        for entry in self._history.entries:
            while began and began[-1] <= entry.offset:
                began.pop()
                self.fold.begin_history()
            event = decode_journal(entry.value)
            if is_control_key(entry.key) or isinstance(event, ControlRecord):
                self.fold.take(entry)
                yield from self._taken()
                continue
            if self._witness is not None:
                self._witness.hear(entry.key, event)
            state = self.fold.fold(entry.key, event, entry)
            if self._witness is not None:
                self._witness.heard()
            taken = self._taken()
            by_event = taken.pop() if taken and taken[-1].event is not None else Step(event, [], [], 0)
            yield from taken
            if state is not None:
                # What was due before it is of another instant and cause; it is a step of its own.
                timely = [c for c in by_event.changes if c.decision.caused_by.event_id is None]
                refused = [r for r in by_event.refused if r.waited]
                if timely or refused:
                    yield Step(None, timely, refused, 0)
                changes = [c for c in by_event.changes if c.decision.caused_by.event_id is not None]
                yield Step(event, changes, [r for r in by_event.refused if not r.waited], by_event.repeated)
        if self._history.time >= 0:
            self.fold.pass_time(self._history.time)
        self.fold.close()
        yield from self._taken()

    def _tell(self, effects: Effects, entry: Entry | None) -> None:
        event = decode_journal(entry.value) if entry is not None else None
        self._told.append(
            Step(
                None if isinstance(event, ControlRecord) else event, effects.changes, effects.refused, effects.repeated
            )
        )

    def _taken(self) -> list[Step]:
        taken, self._told = self._told, []
        return taken


def _counted_anew(entries: Iterable[Entry]) -> tuple[OrderFilter, ...]:
    """What the past was folded for: counted from the beginning here, each record shows its own part."""
    found: dict[OrderFilter, None] = {}
    for entry in entries:
        if entry.key == POLICY_KEY:
            activated = decode_journal(entry.value)
            if isinstance(activated, PolicyActivated) and activated.everybody_counted:
                found |= dict.fromkeys(counters(load_canonical(activated.text)))
    return tuple(found)


def newest_policy(history: History) -> Policy:
    """The policy that was activated last."""
    activated = [entry for entry in history.entries if entry.key == POLICY_KEY]
    walk = Walk(history._replace(entries=activated), dedupe=True, policy=None, until=FOR_EVER)
    for _ in walk.steps():
        pass
    if not walk.fold.regimes:
        raise ConfigurationError("The journal holds no policy.", next_step="give one: --policy FILE")
    return walk.fold.regimes[-1].policy
