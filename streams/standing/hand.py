"""What people decide about a place: an override goes before everything, a match lifts above what the rules give.

Beneath them the rules go on judging, so that the place is right the moment they end.
"""

from streams.customer.standing import NO_RANK, NOT_DUE, ByHand, LadderStanding
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import Moment
from streams.standing.places import stand


def told(standing: LadderStanding) -> int:
    """The rank that is told."""
    hand = standing.hand
    if hand is None:
        return standing.rank
    return hand.override if hand.override != NO_RANK else max(standing.rank, hand.match)


def held_until(standing: LadderStanding) -> int | None:
    """When what people decided stops to hold the rank that is told, NOT_DUE for never; None where the rules give it."""
    hand = standing.hand
    if hand is None:
        return None
    if hand.override != NO_RANK:
        return hand.override_until
    return hand.match_until if hand.match > standing.rank else None


def match_kept(then: Moment, rules: LadderRules, rank: int, until: int) -> bool:
    """Whether the tier of a match that ends is kept, as of its end: on a clock also by the days up to it."""
    keep = rules.tiers[rank - 1].keep
    return keep.met(then) or (rules.clocked and keep.met(then.end_of(then.calendar.day_of(until - 1))))


def set_override(standing: LadderStanding, rank: int, until: int, reason: str) -> None:
    """Put a customer on a rank by hand; a later override replaces an earlier one."""
    hand = _hand(standing)
    hand.override, hand.override_until, hand.reason = rank, until, reason


def clear_override(standing: LadderStanding) -> None:
    """Let the rules decide again."""
    if standing.hand is not None:
        standing.hand.override, standing.hand.override_until, standing.hand.reason = NO_RANK, NOT_DUE, ""
        _tidy(standing)


def grant_match(standing: LadderStanding, rank: int, until: int) -> None:
    """Lift a customer to a rank because of a standing elsewhere; the higher of two matches counts."""
    hand = _hand(standing)
    if rank >= hand.match:
        hand.match, hand.match_until = rank, until


def expire(now: Moment, rules: LadderRules) -> bool:
    """End what has ended, as of the moment; whether anything has.

    A match that ends leaves its tier to whoever meets the tier's `keep` by then.
    """
    standing = now.standing
    hand = standing.hand
    if hand is None:
        return False
    ended = False
    if hand.override != NO_RANK and hand.override_until <= now.at:
        hand.override, hand.override_until, hand.reason = NO_RANK, NOT_DUE, ""
        ended = True
    if hand.match and (hand.match_until <= now.at or standing.rank >= hand.match):
        if standing.rank < hand.match and match_kept(now, rules, hand.match, hand.match_until):
            stand(now, rules, hand.match)
        hand.match, hand.match_until = 0, NOT_DUE
        ended = True
    _tidy(standing)
    return ended


def next_end(standing: LadderStanding) -> int:
    """When override or match next ends; NOT_DUE: they don't."""
    hand = standing.hand
    if hand is None:
        return NOT_DUE
    return min(hand.override_until, hand.match_until if hand.match else NOT_DUE)


def _hand(standing: LadderStanding) -> ByHand:
    if standing.hand is None:
        standing.hand = ByHand()
    return standing.hand


def _tidy(standing: LadderStanding) -> None:
    if standing.hand == ByHand():
        standing.hand = None
