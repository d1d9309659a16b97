"""Folds the units of a backtest that one process has got, under both policies at once."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import msgspec

from agents.backtest.lives import Ending, Window, count
from agents.backtest.tally import CURRENT, NEW, Held, Tally, merged, tiers_of
from agents.errors import ConfigurationError
from agents.processes import Told
from agents.replay.fold import JournalFold
from agents.replay.journal_file import Home, Read
from agents.replay.unit import Journal
from agents.replay.walk import Walk
from schemas.clock import parse_canonical
from schemas.decisions import TierChanged
from schemas.fields import ANONYMOUS_PREFIX
from streams.calendar import Calendar
from streams.customer import daylog
from streams.customer.standing import NO_BAND
from streams.customer.state import CustomerState
from streams.policy.model import Policy, comparisons, requirements_of
from streams.policy.parse import load_canonical
from streams.regime import Regime

JUDGED_BY_RISK = frozenset({"p_alive", "p_no_purchase"})
"""Metrics for which a ladder needs the churn rules."""
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


def ladders_only(policy: Policy) -> Policy:
    """A policy without its churn rules, where no ladder asks for them: scores are half of the work of a fold."""
    asked = (
        comparison.metric
        for ladder in policy.ladders
        for requirement in requirements_of(ladder)
        for comparison in comparisons(requirement)
    )
    return policy if any(metric in JUDGED_BY_RISK for metric in asked) else msgspec.structs.replace(policy, churn=None)


def _compare(journal: Journal, unit: str, plan: Plan, tally: Tally) -> None:
    new = load_canonical(plan.new)
    current = load_canonical(plan.current) if plan.current else None
    risk_side = NEW if current is not None and current.churn is None else CURRENT
    folded = [current, new if risk_side == NEW else ladders_only(new)]
    walk = Walk(journal, unit, folded, dedupe=plan.dedupe, until=plan.until)
    lives: tuple[dict[bytes, list[Held]], dict[bytes, list[Held]]] = (defaultdict(list), defaultdict(list))
    for judged in walk:
        for life, outcome in zip(lives, judged.outcomes, strict=True):
            for change in outcome.changes:
                decision = change.decision
                if isinstance(decision, TierChanged) and decision.ladder == plan.ladder:
                    life[judged.customer].append(_held(decision))
    calendar = Calendar(new.time_zone)
    for folds in walk.folds:
        tally.records += folds[CURRENT].events
        _finish(folds, lives, Window(plan.begin, _Months(calendar), new.currency), tally, risk_side)
    policies = [regime.policy for folds in walk.folds for regime in folds[CURRENT].regimes]
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


def _finish(
    folds: list[JournalFold],
    lives: tuple[dict[bytes, list[Held]], dict[bytes, list[Held]]],
    window: Window,
    tally: Tally,
    risk_side: int,
) -> None:
    fold = folds[risk_side]
    latest = fold.latest
    tally.latest = max(tally.latest, latest)
    for key, state in fold.customers():
        if state.test or key.startswith(_ANONYMOUS):
            continue
        regime = fold.regimes[state.ordinal]
        tally.judged_risk = tally.judged_risk or regime.policy.churn is not None
        count(tally, (lives[CURRENT][key], lives[NEW][key]), _ending(key, state, regime, latest), window)


def _held(decision: TierChanged) -> Held:
    tier = decision.tier.id if decision.tier is not None else ""
    return Held(parse_canonical(decision.effective_at), tier, decision.cause, decision.direction, decision.reasons)


def _ending(key: bytes, state: CustomerState, regime: Regime, latest: int) -> Ending:
    rules, band = regime.policy.churn, None
    if rules is not None and state.risk.band != NO_BAND:
        band = rules.bands[state.risk.band].name
    today = regime.calendar.day_of(max(state.clock, latest))
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
