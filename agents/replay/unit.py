"""Folds the units of a replay that one process has got: reads, folds, writes runs and snapshots, and counts."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from agents.outputs import APP_VERSION, Outbox
from agents.processes import Told
from agents.replay.entry import Entry
from agents.replay.event_files import JOURNAL, LINE_OF, Headers
from agents.replay.fold import JournalFold
from agents.replay.journal_file import Home, Read
from agents.replay.routing import Routes
from agents.replay.runs import RunWriter
from agents.replay.snapshots import Fit, Head, Snapshots
from agents.runtime.stage import Record
from schemas.decisions import TierChanged
from streams.customer.record import VERSION
from streams.customer.standing import NO_BAND
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.policy.model import Policy
from streams.policy.parse import load_canonical
from streams.regime import Regime

SNAPSHOT_EVERY: Final = 5_000_000
"""Events of a unit after which it writes a snapshot in between."""
LOG_APPEND_TIME: Final = 1


class Journal(Protocol):
    """Where a journal is read."""

    @property
    def name(self) -> str:
        """What errors call it."""

    def units(self, processes: int) -> list[str]:
        """Names of the parts that are folded apart."""

    def identity(self, unit: str) -> str:
        """What tells this journal from others."""

    def proof(self, position: int) -> str:
        """What it holds before a position, where it can tell."""

    def homes(self, unit: str) -> list[Home | None]:
        """By which its customers are parted."""

    def span(self, unit: str) -> tuple[int, int]:
        """Where it begins and ends."""

    def read(self, unit: str, position: int) -> Iterator[Read]:
        """Its records from a position to the present end."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a journal is folded."""

    topics: dict[str, str]
    """Catalogue names to those on the cluster: dead letters name the journal."""
    dedupe: bool
    policy: str = ""
    """Canonical text of the policy that decides instead of the activated ones."""
    until: int
    runs: str = ""
    """Folder for the runs of the event files; empty: none are wanted."""
    journal_lines: bool = False
    """Whether the journal is to be written too."""
    snapshots: str = ""
    """Folder of the snapshots; empty: neither read nor written."""


class Share(msgspec.Struct, frozen=True):
    """What one process does."""

    journal: Journal
    units: list[str]
    options: Options


class Tally(msgspec.Struct):
    """What was folded and what came of it."""

    events: int = 0
    """Those that came before a snapshot included."""
    folded: int = 0
    """Those that were folded now."""
    customers: int = 0
    changes: Counter[str] = msgspec.field(default_factory=Counter)
    """By kind; changes of tier also by direction."""
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    """By reason."""
    repeated: int = 0
    standings: dict[str, Counter[str]] = msgspec.field(default_factory=dict)
    """Customers by ladder and tier, and by band under `churn_risk`."""
    latest: int = -1
    """The latest instant folded."""
    resumed: int = 0
    """Units that began at a snapshot."""
    runs: list[dict[str, list[Path]]] = msgspec.field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take over what another process counted."""
        self.events += other.events
        self.folded += other.folded
        self.customers += other.customers
        self.changes += other.changes
        self.refused += other.refused
        self.repeated += other.repeated
        for name, counts in other.standings.items():
            self.standings.setdefault(name, Counter()).update(counts)
        self.latest = max(self.latest, other.latest)
        self.resumed += other.resumed
        self.runs += other.runs


def replay_units(share: Share, told: Told) -> Tally:
    """Fold one unit after the other; `told` is told how many positions have been passed."""
    tally, passed = Tally(), 0
    for name in share.units:
        unit = Unit(share, name, tally)
        for amount in unit.run():
            passed += amount
            told(passed)
    return tally


class Unit:
    """One part of a journal on its way through the fold."""

    def __init__(self, share: Share, name: str, tally: Tally) -> None:
        self._journal, self._options, self._name, self._tally = share.journal, share.options, name, tally
        self._outbox = Outbox(share.options.topics, 0, Counter())
        self._writer = RunWriter(Path(share.options.runs), name) if share.options.runs else None
        policy = load_canonical(share.options.policy) if share.options.policy else None
        self._names = {full: name for name, full in share.options.topics.items()}
        self._homes = share.journal.homes(name)
        self.folds = [self._fold(home, policy) for home in self._homes]
        """One per home; when it has run, with everybody's time passed."""
        self._routes = Routes(share.journal.name, self._homes)
        self._events = 0
        fit = Fit(
            share.journal.identity(name) if share.options.snapshots else "",
            APP_VERSION,
            VERSION,
            policy.hash if policy else "",
            share.options.dedupe,
            name,
        )
        self._snapshots = Snapshots(Path(share.options.snapshots), fit) if share.options.snapshots else None
        self._fit = fit

    def run(self) -> Iterator[int]:
        """Read to the end; gives by how much the position advanced."""
        position, _ = self._journal.span(self._name)
        yield (resumed := self._resume(position)) - position
        position = resumed
        written, folded = self._events, self._events
        for entries, after in self._journal.read(self._name, position):
            self._take(entries)
            yield after - position
            position = after
            folded = self._events + sum(fold.events for fold in self.folds)
            if folded - written >= SNAPSHOT_EVERY:
                self._snapshot(position)
                written = folded
            if all(fold.over for fold in self.folds):
                break
        if folded > written:
            self._snapshot(position)
        self._finish()

    def _take(self, entries: list[Entry]) -> None:
        folds, route, journal_lines = self.folds, self._routes.of, self._options.journal_lines
        for entry in entries:
            if journal_lines:
                self._line(JOURNAL, entry.key, entry.value)
            for place in route(entry):
                folds[place].take(entry)

    def _fold(self, home: Home | None, policy: Policy | None) -> JournalFold:
        return JournalFold(home, self._tell, dedupe=self._options.dedupe, policy=policy, until=self._options.until)

    def _tell(self, effects: Effects, entry: Entry | None) -> None:
        tally = self._tally
        for topic, decision, _ in effects.changes:
            tally.changes[topic.replace("-", "_")] += 1
            if isinstance(decision, TierChanged):
                tally.changes[decision.direction] += 1
        for refused in effects.refused:
            tally.refused[refused.rejected.reason.value] += 1
        tally.repeated += effects.repeated
        if self._writer is not None:
            record = entry and Record(
                self._options.topics[JOURNAL],
                entry.partition,
                entry.offset,
                entry.timestamp,
                LOG_APPEND_TIME,
                entry.key,
                entry.value,
                (),
            )
            self._outbox.collect(effects.key, effects, record)
            self._write_out()

    def _write_out(self) -> None:
        for (topic, _), records in self._outbox.drain().items():
            for key, value, headers in records:
                self._line(self._names[topic], key or b"", value, headers)

    def _line(self, topic: str, key: bytes, value: bytes | None, headers: Headers = ()) -> None:
        line = LINE_OF[topic](key, value, headers)
        if line is not None and self._writer is not None:
            self._writer.add(topic, key, line)

    def _finish(self) -> None:
        for fold in self.folds:
            fold.close()
            self._tally.customers += len(fold)
            self._tally.folded += fold.events
            self._tally.latest = max(self._tally.latest, fold.latest)
            for key, state in fold.customers():
                regime = fold.regimes[state.ordinal]
                self._count(state, regime)
                if self._writer is not None:
                    self._outbox.profile(key, state, regime)
                    self._write_out()
        self._tally.events += self._events + sum(fold.events for fold in self.folds)
        if self._writer is not None:
            self._writer.close()
            self._tally.runs.append(self._writer.runs)

    def _count(self, state: CustomerState, regime: Regime) -> None:
        standings = self._tally.standings
        for ladder, standing in zip(regime.policy.ladders, state.ladders, strict=True):
            tier = ladder.tiers[standing.shown - 1].id if standing.shown else "none"
            standings.setdefault(ladder.id, Counter())[tier] += 1
        rules = regime.policy.churn
        if rules is not None and state.risk.band != NO_BAND:
            standings.setdefault("churn_risk", Counter())[rules.bands[state.risk.band].name] += 1

    def _resume(self, begin: int) -> int:
        """Restore the newest snapshot that fits; the position to go on from."""
        found = self._snapshots and self._snapshots.newest(self._options.until, self._holds)
        if not found:
            return begin
        for fold, states in zip(self.folds, found.states(), strict=True):
            fold.restore(states, found.head.latest)
        self._events = found.head.events
        self._tally.resumed += 1
        return found.head.position

    def _holds(self, head: Head) -> bool:
        """Whether the journal still holds what follows a snapshot, and what it was made of."""
        begin, end = self._journal.span(self._name)
        there = begin <= head.position <= end and head.homes == self._homes
        return there and head.proof == self._journal.proof(head.position)

    def _snapshot(self, position: int) -> None:
        """Write where it stands, unless it has passed over records that came after `until`."""
        if self._snapshots is None or any(fold.left_out for fold in self.folds):
            return
        head = Head(
            self._fit,
            position,
            max(fold.latest for fold in self.folds),
            self._events + sum(fold.events for fold in self.folds),
            self._journal.proof(position),
            self._homes,
        )
        self._snapshots.write(head, (fold.states() for fold in self.folds))
