"""What later news shows to have been wrong: a rise by orders that were taken back, a fall that a late order averts."""

from streams.standing.clocks import period_began
from streams.standing.ladder_rules import LadderRules, TierRules
from streams.standing.moment import Moment
from streams.standing.places import enter, stand


def rise_was_void(now: Moment, rules: LadderRules) -> None:
    """Go back: to a tier above the one held before if its `enter` holds, else to what is kept of that one."""
    standing = now.standing
    before = standing.risen_from
    between = reversed(rules.tiers[before : standing.rank - 1])
    rank = next((tier.tier.rank for tier in between if tier.enter.met(now)), 0)
    if not rank:
        asked = _asked_before(now, rules)
        rank = next((t.tier.rank for t in reversed(rules.tiers[:before]) if _kept(t, asked)), 0)
        before = rank - 1
    if rank and rules.tiers[rank - 1].enter.met(now):
        enter(now, rules, rank, risen_from=before)
    else:
        stand(now, rules, rank)


def fall_was_wrong(now: Moment, rules: LadderRules) -> bool:
    """Give back the highest tier that the failed review would have kept, by what is known of its period by now.

    The tier goes on as if that review had been passed. Whether there was any to give back.
    """
    standing = now.standing
    closed = now.end_of(standing.judged_day)
    lost = reversed(rules.tiers[standing.rank : standing.risen_from])
    rank = next((tier.tier.rank for tier in lost if tier.keep.met(closed)), 0)
    if rank:
        stand(now, rules, rank, since=now.calendar.start_of(closed.day + 1))
    return bool(rank)


def _asked_before(now: Moment, rules: LadderRules) -> list[Moment]:
    """The moments as of which a tier held before a void rise may have been kept.

    On a clock nobody asked since the last review, which looked at the period that had ended, or the rise itself.
    """
    if not rules.clocked:
        return [now]
    risen, began = now.calendar.day_of(now.standing.since), period_began(rules.ladder, now, now.standing.since)
    asked = [now, now.end_of(began - 1)]
    return [*asked, now.end_of(risen)] if risen >= began else asked


def _kept(tier: TierRules, moments: list[Moment]) -> bool:
    return any(tier.keep.met(moment) for moment in moments)
