"""Notices before a fall: at exact instants, withdrawn when the fall is averted.

A fall is foreseen as if nothing more happened. What happens moves it: into the notice period, then it is announced
anew with its new instant; out of it, or away, then the notice is withdrawn.
"""

from typing import NamedTuple

from streams.customer.standing import NO_RANK
from streams.standing.clocks import days_later, next_review
from streams.standing.hand import match_kept
from streams.standing.ladder_rules import LadderRules, TierRules
from streams.standing.moment import FOREVER, Moment
from streams.standing.places import keep_ends, landing

_REVIEWS_MAX = 24
"""A balance from which every review deducts is used up by then, or never."""


class Foreseen(NamedTuple):
    """A fall by time alone."""

    at: int
    """FOREVER: there is none."""
    rank: int = 0
    """To which it leads."""
    judged: Moment | None = None
    """The moment as of which `keep` is found missing."""


class Notice(NamedTuple):
    """A notice to publish."""

    foreseen: Foreseen
    days: int
    """How long before the fall it is given; 0: it withdraws the one that was given."""
    withdrawn: int = 0
    """The fall that was announced and does not come."""


NO_FALL = Foreseen(FOREVER)


def foresee(now: Moment, rules: LadderRules) -> Foreseen:
    """The next fall of the rank that is told, if nothing more happens."""
    standing = now.standing
    hand = standing.hand
    if hand is not None and (hand.override != NO_RANK or hand.match > standing.rank):
        return NO_FALL if hand.override != NO_RANK else _match_ends(now, rules, hand.match, hand.match_until)
    if not standing.rank:
        return NO_FALL
    tier = rules.tiers[standing.rank - 1]
    if standing.grace_until:
        judged = now.end_of(standing.judged_day) if standing.judged_day else now
        return _fall(now, rules, tier, standing.grace_until, judged)
    if rules.clocked:
        return _failing_review(now, rules, tier)
    ends = keep_ends(now, rules)
    if ends >= FOREVER:
        return NO_FALL
    return _fall(now, rules, tier, days_later(now.calendar, ends, rules.ladder.grace_days), now.moved(ends))


def due_notices(now: Moment, rules: LadderRules) -> list[Notice]:
    """What is to be said as of the moment; remembers that it is."""
    standing = now.standing
    days_before = rules.tiers[standing.shown - 1].tier.notice_days if standing.shown else ()
    if not days_before and not standing.noticed:
        return []
    found: list[Notice] = []
    foreseen = foresee(now, rules)
    begun = [days for days in days_before if _notice_at(now, foreseen, days) <= now.at]
    if standing.noticed and standing.noticed != foreseen.at:
        if not begun:
            found.append(Notice(foreseen, 0, standing.noticed))
        standing.noticed = standing.notice_days = 0
    if begun and (not standing.noticed or min(begun) < standing.notice_days):
        found.append(Notice(foreseen, min(begun)))
        standing.noticed, standing.notice_days = foreseen.at, min(begun)
    return found


def next_notice(now: Moment, rules: LadderRules) -> int:
    """When the next notice is due; FOREVER: no fall is foreseen, or all has been said."""
    standing = now.standing
    days_before = rules.tiers[standing.shown - 1].tier.notice_days if standing.shown else ()
    if not days_before:
        return FOREVER
    foreseen = foresee(now, rules)
    return min((at for days in days_before if (at := _notice_at(now, foreseen, days)) > now.at), default=FOREVER)


def _notice_at(now: Moment, foreseen: Foreseen, days: int) -> int:
    return FOREVER if foreseen.at >= FOREVER else days_later(now.calendar, foreseen.at, -days)


def _fall(now: Moment, rules: LadderRules, tier: TierRules, at: int, judged: Moment) -> Foreseen:
    """A fall at an instant, unless `keep` is met again by then."""
    then = now.moved(at)
    if tier.kept_by_time and tier.keep.met(then):
        return NO_FALL
    return Foreseen(at, landing(then, rules, judged if judged.closed else None), judged)


def _failing_review(now: Moment, rules: LadderRules, tier: TierRules) -> Foreseen:
    standing, at = now.standing, now.standing.review_at
    later = now
    for _ in range(_REVIEWS_MAX if tier.tier.deduct else 3):
        later = later.moved(at)
        later.deducted += tier.tier.deduct
        closed = later.end_of(later.day - 1)
        if not tier.keep.met(closed) and not tier.enter.met(later):
            if not rules.ladder.grace_days:
                return Foreseen(at, landing(later, rules, closed), closed)
            return _fall(later, rules, tier, days_later(now.calendar, at, rules.ladder.grace_days), closed)
        at = next_review(rules.ladder, later, standing.since, standing.valid_until)
    return NO_FALL


def _match_ends(now: Moment, rules: LadderRules, rank: int, until: int) -> Foreseen:
    """A match leaves its tier to whoever keeps it."""
    then = now.moved(until) if until < FOREVER else now
    if until >= FOREVER or match_kept(then, rules, rank, until):
        return NO_FALL
    return Foreseen(until, now.standing.rank, then)
