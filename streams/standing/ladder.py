"""The place on a ladder.

Rise at once, keep at a lower mark, fall after a grace period, correct what was said too early.

Time alone only lowers windowed sums, so between two records the one question is when `keep` ceases to hold. That
instant is exact, and after a record that only adds, the instant computed before is still not too late.
"""

from typing import NamedTuple

from streams.calendar import Calendar
from streams.customer.booking import Booked
from streams.customer.standing import NOT_DUE, LadderStanding
from streams.customer.state import CustomerState
from streams.policy.model import Ladder, Requirement, Tier
from streams.standing.metrics import FOREVER, holds, holds_until, measure


class Move(NamedTuple):
    """A change of place that must be published."""

    previous: int
    """Rank before; 0: none."""
    current: int
    effective_at: int
    correction: bool
    """Whether what was last said had been reached by orders that were taken back since, or had missed a late one."""
    left: Tier | None = None
    """The tier before, if a new policy no longer has it; `previous` is 0 then."""


def review(
    state: CustomerState,
    ladder: Ladder,
    standing: LadderStanding,
    at: int,
    calendar: Calendar,
    *,
    recompute: bool,
    booked_at: int | None = None,
) -> Move | None:
    """Bring the standing up to the instant `at`; the state's windows must have been advanced to its day.

    `recompute` asks for a new due instant although nothing moves: after anything but a record that only adds.
    `booked_at` is the instant to which the record under way belongs, if one is: an order from before the last fall
    shows that fall to have been wrong.
    """
    as_of = calendar.day_of(at)
    previous = standing.rank
    reached = _highest(state, ladder, as_of, above=previous)
    correction = False
    if reached > previous:
        correction = standing.fell and booked_at is not None and booked_at < standing.last_at
        _enter(state, ladder, standing, reached, at, as_of, risen_from=previous)
    elif previous and not holds(state, ladder.tiers[previous - 1].keep, as_of):
        if recompute and _entry_void(ladder.tiers[previous - 1].enter, standing.entry):
            correction = True
            _rise_was_void(state, ladder, standing, at, as_of)
        elif not standing.grace_until:
            standing.grace_until = _days_later(calendar, at, as_of, ladder.grace_days)
        if standing.grace_until and standing.grace_until <= at:
            _stand(standing, _highest_kept(state, ladder, previous, as_of), at)
    elif standing.grace_until:
        standing.grace_until = 0
        recompute = True
    moved = standing.rank != previous
    if moved:
        standing.fell = standing.rank < previous
        if standing.rank and not holds(state, ladder.tiers[standing.rank - 1].keep, as_of):
            standing.grace_until = _days_later(calendar, at, as_of, ladder.grace_days)
    if moved or recompute or standing.due <= at:
        standing.due = next_due(state, ladder, standing, as_of, calendar)
    return Move(previous, standing.rank, at, correction) if moved else None


def next_due(state: CustomerState, ladder: Ladder, standing: LadderStanding, as_of: int, calendar: Calendar) -> int:
    """The instant at which time alone next changes the place, or starts its grace period."""
    if not standing.rank:
        return NOT_DUE
    if standing.grace_until:
        return standing.grace_until
    until = holds_until(state, ladder.tiers[standing.rank - 1].keep, as_of, calendar)
    return NOT_DUE if until == FOREVER else until


def restate(ladder: Ladder, standing: LadderStanding, booked: Booked, calendar: Calendar) -> None:
    """Hold what the tier was reached with at what is known of that day by now.

    A late order counts, what was taken back does not.
    """
    if not standing.entry:
        return
    reached = calendar.day_of(standing.since)
    if booked.day > reached:
        return
    change = {"spend": booked.spend, "orders": booked.orders}
    for i, condition in enumerate(ladder.tiers[standing.rank - 1].enter.conditions):
        if condition.window_days is None or booked.day > reached - condition.window_days:
            standing.entry[i] += change.get(condition.metric, 0)


def _highest(state: CustomerState, ladder: Ladder, as_of: int, *, above: int) -> int:
    for tier in reversed(ladder.tiers[above:]):
        if holds(state, tier.enter, as_of):
            return tier.rank
    return above


def _highest_kept(state: CustomerState, ladder: Ladder, below: int, as_of: int) -> int:
    for tier in reversed(ladder.tiers[: below - 1]):
        if holds(state, tier.keep, as_of):
            return tier.rank
    return 0


def _rise_was_void(state: CustomerState, ladder: Ladder, standing: LadderStanding, at: int, as_of: int) -> None:
    """Go back: to a tier above the one held before if its `enter` holds, else to what is kept of that one."""
    before = standing.risen_from
    rank = next((t.rank for t in reversed(ladder.tiers[before : standing.rank - 1]) if holds(state, t.enter, as_of)), 0)
    if not rank:
        rank = _highest_kept(state, ladder, before + 1, as_of)
        before = rank - 1
    if rank and holds(state, ladder.tiers[rank - 1].enter, as_of):
        _enter(state, ladder, standing, rank, at, as_of, risen_from=before)
    else:
        _stand(standing, rank, at)


def _enter(
    state: CustomerState, ladder: Ladder, standing: LadderStanding, rank: int, at: int, as_of: int, *, risen_from: int
) -> None:
    _stand(standing, rank, at)
    standing.entry = [m.value for m in measure(state, ladder.tiers[rank - 1].enter, as_of)]
    standing.risen_from = risen_from


def _stand(standing: LadderStanding, rank: int, at: int) -> None:
    """Take a place without having earned it by `enter`: nothing that is taken back later makes it void."""
    standing.rank, standing.since, standing.grace_until, standing.entry = rank, at, 0, []


def _days_later(calendar: Calendar, at: int, day: int, days: int) -> int:
    """`days` local days after `at`, as far into its day: a grace period that starts at midnight ends at midnight."""
    return calendar.start_of(day + days) + at - calendar.start_of(day)


def _entry_void(enter: Requirement, entry: list[int]) -> bool:
    """Whether the tier would not have been reached without the orders that were taken back since."""
    met = [value >= condition.at_least for condition, value in zip(enter.conditions, entry, strict=False)]
    return bool(met) and not (all(met) if enter.mode == "all" else any(met))


def tier_at(ladder: Ladder, rank: int) -> Tier | None:
    """The tier of a rank; None for rank 0."""
    return ladder.tiers[rank - 1] if rank else None
