"""How often customers change tiers under a policy: its own fold over a history, counted by tier and direction.

A tier that comes and goes is a promise broken again and again: who tunes `grace` and `keep_ratio` looks at this.
"""

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

import msgspec

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.decisions import TierChanged
from schemas.events import InputEvent
from schemas.journal import encode_journal
from streams.effects import Change, Effects
from streams.policy.model import Policy
from streams.policy.parse import canonical, load_canonical
from streams.process import new_state, pass_time, process
from streams.regime import Regime, regime_of

WARM_UP_DAYS: Final = 30
MS_PER_YEAR: Final = 365 * MS_PER_DAY
_CUSTOMERS_PER_TASK: Final = 100


class Span(NamedTuple):
    """The time over which changes are counted, epoch milliseconds; what lies before it fills the windows."""

    begins_at: int
    ends_at: int


class TierFlaps(msgspec.Struct, frozen=True):
    """Changes per customer-year that lead from a tier."""

    ladder: str
    tier: str | None
    """None: no tier."""
    rises: float
    falls: float


class Flaps(msgspec.Struct, frozen=True):
    """How often a policy changes tiers over a history."""

    customers: int
    customer_years: float
    changes: float
    """Per customer-year, rises and falls."""
    falls: float
    tiers: tuple[TierFlaps, ...]


def flaps(
    policy: Policy, lives: Mapping[str, Sequence[InputEvent]], span: Span, progress: Callable[[int], None]
) -> Flaps:
    """Fold every customer's events, in the order of their instants, on all cores; `progress` hears of customers done.

    An event counts as recorded when it happened.
    """
    text, customers = canonical(policy), list(lives.items())
    tasks = [customers[at : at + _CUSTOMERS_PER_TASK] for at in range(0, len(customers), _CUSTOMERS_PER_TASK)]
    found: Counter[tuple[str, str | None, bool]] = Counter()
    cores = min(os.cpu_count() or 1, len(tasks))
    if cores <= 1:
        for task in tasks:
            found += _count((text, task, span))
            progress(len(task))
    else:
        with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
            for task, counted in zip(tasks, pool.map(_count, ((text, t, span) for t in tasks)), strict=True):
                found += counted
                progress(len(task))
    years = len(customers) * (span.ends_at - span.begins_at) / MS_PER_YEAR
    return _summary(policy, found, len(customers), years)


def changes_of(regime: Regime, events: Iterable[InputEvent], until: int) -> list[Change]:
    """Everything that one customer's events and the time after them lead to."""
    state, effects, changes = None, Effects(), list[Change]()
    for event in events:
        event.recordedtime = event.time
        state = state or new_state([regime], parse_instant(event.time))
        effects.take_over(event.customer_id.encode())
        process(state, event, encode_journal(event), [regime], effects, dedupe=False)
        changes += effects.changes
    if state is not None:
        effects.take_over(effects.key)
        pass_time(state, [regime], until, effects)
        changes += effects.changes
    return changes


_Task = tuple[str, list[tuple[str, Sequence[InputEvent]]], Span]


def _count(task: _Task) -> Counter[tuple[str, str | None, bool]]:
    """Changes within the span, by ladder, the tier that was left, and whether it was a fall."""
    text, customers, span = task
    regime, found = regime_of(load_canonical(text), 0, 0), Counter[tuple[str, str | None, bool]]()
    begins, ends = format_instant(span.begins_at), format_instant(span.ends_at)
    for _, events in customers:
        for change in changes_of(regime, events, span.ends_at - 1):
            decision = change.decision
            if isinstance(decision, TierChanged) and begins <= decision.effective_at < ends:
                before, after = decision.previous_tier, decision.tier
                fell = (after.rank if after else 0) < (before.rank if before else 0)
                found[decision.ladder, before.id if before else None, fell] += 1
    return found


def _summary(policy: Policy, found: Counter[tuple[str, str | None, bool]], customers: int, years: float) -> Flaps:
    def rate(count: int) -> float:
        return count / years if years else 0.0

    tiers = tuple(
        TierFlaps(ladder.id, tier, rate(found[ladder.id, tier, False]), rate(found[ladder.id, tier, True]))
        for ladder in policy.ladders
        for tier in (None, *(tier.id for tier in ladder.tiers))
    )
    falls = sum(count for (_, _, fell), count in found.items() if fell)
    return Flaps(customers, years, rate(found.total()), rate(falls), tiers)
