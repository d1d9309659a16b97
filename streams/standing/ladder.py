"""The place on a ladder.

Rise at once, keep at a lower mark, fall after a grace period, correct what was said too early. Whoever meets `enter`
keeps the tier. On a ladder with a clock `keep` is asked for at reviews only, over the period that has ended; who would
be lifted right back at that very instant stays.

Between two records the one question is when time alone next changes anything. That instant is exact, and on a steady
ladder, after a record that only adds, the instant computed before is still not too late.
"""

from typing import NamedTuple

from streams.calendar import Calendar
from streams.customer.outcome import Booked
from streams.customer.standing import NOT_DUE, LadderStanding
from streams.customer.state import CustomerState
from streams.policy.model import Tier
from streams.standing import hand
from streams.standing.amends import fall_was_wrong, rise_was_void
from streams.standing.clocks import days_later, next_review
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import Moment
from streams.standing.notices import next_notice
from streams.standing.places import enter, fall, keep_ends


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
    judged_day: int = 0
    """Last day of the period whose review found the tier's `keep` missing; 0: it was found missing now."""
    changed: tuple[int, tuple[int, int]] | None = None
    """The last change before this one, and what was bought up to it: from there on counted what was judged by."""


def review(
    state: CustomerState,
    rules: LadderRules,
    standing: LadderStanding,
    at: int,
    calendar: Calendar,
    *,
    recompute: bool,
    taken: bool = False,
    booked_at: int | None = None,
) -> Move | None:
    """Bring the standing up to the instant `at`; the state's windows must have been advanced to its day.

    `recompute` asks for a new due instant although nothing moves: after anything but a record that only adds.
    `taken`: the record under way took something back, which alone can make a rise void.
    `booked_at` is the instant to which the record under way belongs, if one is: an order from before the last fall
    shows that fall to have been wrong.
    """
    now = Moment(state, standing, calendar, at)
    before, previous = standing.shown, standing.rank
    judged_day = _judged_day(now) if rules.clocked else standing.judged_day
    changed = now.since, now.base
    recompute = recompute or not rules.steady or bool(standing.noticed)
    if booked_at is not None and standing.rank and rules.ladder.anniversary_of == "membership":
        recompute = _move_anniversary(now, rules) or recompute
    reached = _highest(now, rules, above=previous)
    late = standing.fell and booked_at is not None and booked_at < standing.since
    correction = False
    if reached > previous:
        correction = late
        enter(now, rules, reached, risen_from=previous)
    elif late and judged_day and not standing.grace_until and fall_was_wrong(now, rules):
        correction = True
    elif previous:
        correction, restart = _hold(now, rules, taken=taken)
        recompute = recompute or restart
    if standing.rank != previous:
        standing.fell = standing.rank < previous
        recompute = True
    if standing.hand is not None:
        recompute = hand.expire(now, rules) or recompute
    standing.shown = hand.told(standing)
    moved = standing.shown != before
    if moved:
        standing.shown_since = at
    if standing.shown < before:  # what was announced has come
        standing.noticed = standing.notice_days = 0
    if (
        moved
        or recompute
        or standing.due <= at
        or (rules.announces and standing.shown and rules.tiers[standing.shown - 1].tier.notice_days)
    ):
        standing.due = next_due(now, rules)
    return Move(before, standing.shown, at, correction, judged_day=judged_day, changed=changed) if moved else None


def next_due(now: Moment, rules: LadderRules) -> int:
    """The instant at which time alone next changes the place, starts its grace period, or calls for a notice."""
    standing, due = now.standing, NOT_DUE
    if standing.rank:
        keep = rules.tiers[standing.rank - 1]
        if standing.grace_until:
            due = standing.grace_until
            due = min(due, keep.keep.turns_at(now, due) if keep.kept_by_time else NOT_DUE)
        elif rules.clocked:
            due = standing.review_at
        else:
            due = keep_ends(now, rules)
    if not rules.steady:
        for tier in rules.tiers[standing.rank :]:
            if tier.enters_by_time or rules.minimum is not None:
                due = min(due, tier.enter.turns_at(now, due))
        if rules.minimum is not None:
            due = min(due, rules.minimum.turns_at(now, due))
    if standing.hand is not None:
        due = min(due, hand.next_end(standing))
    return min(due, next_notice(now, rules) if rules.announces else NOT_DUE, NOT_DUE)


def restate(
    rules: LadderRules, standing: LadderStanding, state: CustomerState, booked: Booked, calendar: Calendar
) -> None:
    """Hold what the tier was reached with at what is known of that day by now.

    A late order counts, what was taken back does not.
    """
    if not standing.since or calendar.start_of(booked.day) > standing.since:
        return
    reached = Moment(state, standing, calendar, standing.since, present=False, closed=True)
    if booked.day > reached.day:
        return
    standing.base = standing.base[0] + booked.orders, standing.base[1] + booked.spend
    if standing.entry:
        leaves = rules.tiers[standing.rank - 1].enter.leaves()
        standing.entry = [
            leaf.restated(value, reached, booked) for leaf, value in zip(leaves, standing.entry, strict=False)
        ]


def _hold(now: Moment, rules: LadderRules, *, taken: bool) -> tuple[bool, bool]:
    """Keep the rules' tier or let it go; whether that corrects what was said, and whether a grace period has ended.

    Only a record that took something back shows a rise to have been void: what time ends was earned, and has its grace.
    """
    standing = now.standing
    tier = rules.tiers[standing.rank - 1]
    kept = tier.keep.met(now)
    if not kept and taken and standing.entry and not tier.enter.met_with(iter(standing.entry)):
        rise_was_void(now, rules)
        return True, True
    if rules.clocked:
        return False, _review(now, rules, kept=kept)
    if now.at < standing.valid_until:
        return False, False
    if kept:
        ended, standing.grace_until = bool(standing.grace_until), 0
        return False, ended
    if not standing.grace_until:
        standing.grace_until = days_later(now.calendar, now.at, rules.ladder.grace_days)
    if standing.grace_until <= now.at:
        fall(now, rules, None)
    return False, False


def _review(now: Moment, rules: LadderRules, *, kept: bool) -> bool:
    """What a clock asks for: `keep` over the period that has ended, or in the grace period after it.

    `enter` counts as of the review as well, or whoever meets it then would fall, to rise again by whatever comes next.
    """
    standing, ladder = now.standing, rules.ladder
    tier = rules.tiers[standing.rank - 1]
    if standing.grace_until:
        closed = now.end_of(standing.judged_day)
        if kept or tier.keep.met(closed):
            standing.grace_until = standing.judged_day = 0
            standing.review_at = next_review(ladder, now, standing.since, standing.valid_until)
            return True
        if standing.grace_until <= now.at:
            fall(now, rules, closed)
        return False
    if not standing.review_at:
        standing.review_at = next_review(ladder, now, standing.since, standing.valid_until)
    if standing.review_at > now.at:
        return False
    if rules.balance is not None:
        left = rules.balance.value(now)
        standing.deducted += min(tier.tier.deduct, left if isinstance(left, int) else 0)
    now.deducted = standing.deducted
    closed = now.end_of(now.calendar.day_of(standing.review_at) - 1)
    if tier.keep.met(closed) or tier.enter.met(now):
        standing.review_at = next_review(ladder, now, standing.since, standing.valid_until)
        standing.judged_day = 0
        return True
    standing.judged_day = closed.day
    standing.grace_until = days_later(now.calendar, standing.review_at, ladder.grace_days)
    if standing.grace_until <= now.at:
        fall(now, rules, closed)
    return True


def _judged_day(now: Moment) -> int:
    """Last day of the period whose review is due now, or was the last to fail; 0: none."""
    review_at = now.standing.review_at
    due = review_at and review_at <= now.at and not now.standing.grace_until
    return now.calendar.day_of(review_at) - 1 if due else now.standing.judged_day


def _move_anniversary(now: Moment, rules: LadderRules) -> bool:
    """Follow a day of joining that became known, or that an earlier purchase moved; whether the review moves."""
    standing = now.standing
    before = standing.review_at
    if not standing.grace_until:
        standing.review_at = next_review(rules.ladder, now, standing.since, standing.valid_until)
    return standing.review_at != before


def _highest(now: Moment, rules: LadderRules, *, above: int) -> int:
    reached = above
    for tier in rules.tiers[above:]:
        if tier.enter.met(now):
            reached = tier.tier.rank
        elif tier.gate:  # as on most ladders: then most often nothing else is asked
            break
    return reached if reached == above or rules.minimum is None or rules.minimum.met(now) else above
