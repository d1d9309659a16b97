"""Folds the units of a backtest that one process has got, under both policies at once."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import msgspec

from agents.backtest.lives import Ending, Window, count
from agents.backtest.moves import Heard, Moves, both, quiet, without_unasked_churn
from agents.backtest.tally import CURRENT, NEW, Held, Tally, merged, tiers_of
from agents.errors import ConfigurationError
from agents.processes import Told
from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from agents.replay.journal_file import Home, Read
from agents.replay.routing import Routes
from agents.replay.unit import Journal
from schemas.fields import ANONYMOUS_PREFIX
from schemas.journal import Control, decode_journal
from streams.calendar import Calendar
from streams.customer import daylog
from streams.customer.standing import NO_BAND
from streams.customer.state import CustomerState
from streams.effects import Effects, Moved
from streams.policy.model import Policy
from streams.policy.parse import load_canonical

_ANONYMOUS = ANONYMOUS_PREFIX.encode()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared."""

    new: str
    """Canonical text of a policy, as is `current`."""
    current: str = ""
    """Empty: what was activated."""
    ladder: str
    begin: int
    until: int
    dedupe: bool


class Share(msgspec.Struct, frozen=True):
    """What one process does."""

    journal: Journal
    units: list[str]
    plan: Plan


class _Watched:
    """A journal that tells how far it has been read."""

    def __init__(self, journal: Journal, told: Told) -> None:
        self._journal, self._told, self._passed = journal, told, 0
        self.name = journal.name
        self.units, self.identity, self.proof = journal.units, journal.identity, journal.proof
        self.span = journal.span

    def homes(self, unit: str) -> list[Home | None]:
        return self._journal.homes(unit)

    def read(self, unit: str, position: int) -> Iterator[Read]:
        for read in self._journal.read(unit, position):
            yield read
            self._passed += read.position - position
            position = read.position
            self._told(self._passed)


def compare_units(share: Share, told: Told) -> Tally:
    """Fold one unit after the other; `told` is told how many positions have been passed."""
    tally, watched = Tally(), _Watched(share.journal, told)
    for unit in share.units:
        _compare(watched, unit, share.plan, tally)
    return tally


Lives = tuple[dict[bytes, list[Held]], dict[bytes, list[Held]]]


class _Sides(NamedTuple):
    """How the two policies are folded: both in one go, or each by itself."""

    current: Policy | None
    """Whose bands are judged, or None for what was activated. With `new` None, a policy that holds both."""
    new: Policy | None
    risk: int
    """Of which the bands are told."""


def _sides(new: Policy, current: Policy | None) -> _Sides:
    if current is None:
        return _Sides(None, quiet(without_unasked_churn(new)), CURRENT)
    pair = both(current, new)
    if pair is not None:
        return _Sides(pair, None, CURRENT)
    if current.churn is None:
        return _Sides(quiet(current), quiet(new), NEW)
    return _Sides(quiet(current), quiet(without_unasked_churn(new)), CURRENT)


def _compare(journal: Journal, unit: str, plan: Plan, tally: Tally) -> None:
    new = load_canonical(plan.new)
    current = load_canonical(plan.current) if plan.current else None
    homes, lives = journal.homes(unit), _no_lives()
    sides = _sides(new, current)
    folds = [_folds(home, sides, plan, lives, len(current.ladders) if current else 0) for home in homes]
    routes = Routes(journal.name, homes)
    for entries, _ in journal.read(unit, journal.span(unit)[0]):
        _take(entries, folds, routes)
    calendar = Calendar(new.time_zone)
    window = Window(plan.begin, _Months(calendar), new.currency)
    for of_home in folds:
        for fold in of_home:
            fold.close()
        tally.records += of_home[CURRENT].events
        _finish(of_home[sides.risk], lives, window, tally)
    policies = [current] if current else [regime.policy for of_home in folds for regime in of_home[CURRENT].regimes]
    found, _ = tiers_of(policies, plan.ladder)
    if not found and policies:
        raise ConfigurationError(
            f"The current policy has no ladder `{plan.ladder}`.",
            why=f"its ladders are {', '.join(ladder.id for ladder in policies[-1].ladders)}",
            next_step="name a ladder that both policies have: --ladder ID",
        )
    if policies and policies[-1].currency != new.currency:
        raise ConfigurationError(
            "The two policies count in different currencies.",
            why=f"the current one in {policies[-1].currency}, the new one in {new.currency}",
        )
    order, names = tiers_of((*policies, new), plan.ladder)
    tally.tiers, tally.names = merged(tally.tiers, order), tally.names | names


def _take(entries: list[Entry], folds: list[list[JournalFold]], routes: Routes) -> None:
    """Fold records; each is decoded once."""
    for entry in entries:
        for place in routes.of(entry):
            event = decode_journal(entry.value)
            if isinstance(event, Control):
                for fold in folds[place]:
                    fold.take(entry)
            else:
                for fold in folds[place]:
                    fold.fold(entry.key, event, entry)


def _no_lives() -> Lives:
    return defaultdict(list), defaultdict(list)


def _folds(home: Home | None, sides: _Sides, plan: Plan, lives: Lives, parted_at: int) -> list[JournalFold]:
    """One fold with the ladders of both policies, the new one's from `parted_at` on; or one fold for each policy."""

    def fold(policy: Policy | None, heard: Heard) -> JournalFold:
        moves = Moves(heard)
        return JournalFold(home, _unheard, dedupe=plan.dedupe, policy=policy, until=plan.until, effects=moves)

    def alone(life: dict[bytes, list[Held]]) -> Heard:
        def heard(key: bytes, moved: Moved) -> None:
            if moved.ladder.id == plan.ladder:
                life[key].append(_held(moved))

        return heard

    if sides.new is not None:
        return [fold(policy, alone(life)) for policy, life in zip(sides[:2], lives, strict=True)]
    by_ladder: dict[int, dict[bytes, list[Held]]] = {}

    def heard(key: bytes, moved: Moved) -> None:
        life = by_ladder.get(id(moved.ladder))
        if life is not None:
            life[key].append(_held(moved))

    pair = fold(sides.current, heard)
    for place, ladder in enumerate(pair.regimes[0].policy.ladders):
        if ladder.id == plan.ladder:
            by_ladder[id(ladder)] = lives[NEW if place >= parted_at else CURRENT]
    return [pair]


def _unheard(_effects: Effects, _entry: Entry | None, /) -> None:
    """Moves are told as they come."""


def _finish(fold: JournalFold, lives: Lives, window: Window, tally: Tally) -> None:
    latest = fold.latest
    tally.latest = max(tally.latest, latest)
    for key, state in fold.customers():
        if state.test or key.startswith(_ANONYMOUS):
            continue
        regime = fold.regimes[state.ordinal]
        tally.judged_risk = tally.judged_risk or regime.policy.churn is not None
        count(tally, (lives[CURRENT][key], lives[NEW][key]), _ending(key, state, fold), window)


def _held(moved: Moved) -> Held:
    return Held(moved.at, moved.tier.id if moved.tier else "", moved.cause, moved.direction, moved.reasons)


def _ending(key: bytes, state: CustomerState, fold: JournalFold) -> Ending:
    regime = fold.regimes[state.ordinal]
    if fold.effects.late_bands is not None:
        fold.effects.late_bands.settle(key, state, regime, max(state.clock, fold.passed))
    rules, band = regime.policy.churn, None
    if rules is not None and state.risk.band != NO_BAND:
        band = rules.bands[state.risk.band].name
    today = regime.calendar.day_of(max(state.clock, fold.latest))
    daylog.advance(state, today)
    return Ending(key.decode(), state.first_seen_at, daylog.total(state, "spend", 365, today), band)


class _Months:
    """The local month of an instant: 12 times the year, plus 0 to 11."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar, self._of_day = calendar, dict[int, int]()

    def __call__(self, instant: int) -> int:
        day = self._calendar.day_of(instant)
        found = self._of_day.get(day)
        if found is None:
            on = date.fromordinal(day)
            found = self._of_day[day] = on.year * 12 + on.month - 1
        return found
