"""Taking and leaving a place on a ladder: what is remembered with it, how far it falls, until when it is kept."""

from streams.customer import daylog
from streams.standing.clocks import days_later, held_until, next_review
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import Moment


def enter(now: Moment, rules: LadderRules, rank: int, *, risen_from: int) -> None:
    """Take a place that `enter` gives; with what it was met, so that orders taken back later can make it void."""
    standing = now.standing
    entry = [leaf.gauge.value(now) for leaf in rules.tiers[rank - 1].enter.leaves()]
    stand(now, rules, rank, valid_until=held_until(rules.ladder, now))
    standing.entry, standing.risen_from = entry, risen_from


def stand(now: Moment, rules: LadderRules, rank: int, *, valid_until: int = 0, since: int = 0) -> None:
    """Take a place without having earned it by `enter`: nothing that is taken back later makes it void.

    `since` is when it was taken, if that was not now.
    """
    standing, state, since = now.standing, now.state, since or now.at
    standing.rank, standing.since, standing.grace_until, standing.entry = rank, since, 0, []
    standing.valid_until, standing.judged_day = valid_until, 0
    life = (state.sums[daylog.PLACES["orders", None]], state.sums[daylog.PLACES["spend", None]])
    day = now.calendar.day_of(since)
    if daylog.newest_day(state) > day:  # what came after it; an event may be dated a few minutes ahead, too
        after = [daylog.between(state, column, day + 1, None) for column in (daylog.ORDERS, daylog.SPEND)]
        life = life[0] - after[0], life[1] - after[1]
    standing.base = life
    now.since, now.base = since, life
    standing.review_at = next_review(rules.ladder, now, since, valid_until) if rank else 0
    if rank and not rules.clocked and now.at >= valid_until and not rules.tiers[rank - 1].keep.met(now):
        # Without a grace period too, a place that is reached is left later than it is reached.
        standing.grace_until = max(now.at + 1, days_later(now.calendar, now.at, rules.ladder.grace_days))


def fall(now: Moment, rules: LadderRules, closed: Moment | None) -> None:
    """Leave a place that is not kept. `closed` is the end of the period that was reviewed, if one was.

    It is remembered then: a late order of that period may show that the fall was wrong.
    """
    before = now.standing.rank
    stand(now, rules, landing(now, rules, closed))
    if closed is not None:
        now.standing.judged_day, now.standing.risen_from = closed.day, before


def landing(now: Moment, rules: LadderRules, closed: Moment | None) -> int:
    """The rank to which the rules' tier falls: the highest below that is kept, no lower than the soft landing."""
    rank = now.standing.rank
    lowest = max(0, rank - rules.ladder.step_down) if rules.ladder.step_down else 0
    for tier in reversed(rules.tiers[lowest : rank - 1]):
        if tier.keep.met(now) or (closed is not None and tier.keep.met(closed)):
            return tier.tier.rank
    return lowest


def keep_ends(now: Moment, rules: LadderRules) -> int:
    """When `keep` of the rules' tier is next found missing, on a ladder without a clock; FOREVER: never.

    Before `valid_until` nobody asks.
    """
    standing = now.standing
    keep = rules.tiers[standing.rank - 1].keep
    if now.at < standing.valid_until:
        then = now.moved(standing.valid_until)
        return keep.turns_at(then) if keep.met(then) else standing.valid_until
    return keep.turns_at(now) if keep.met(now) else now.at
