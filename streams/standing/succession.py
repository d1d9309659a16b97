"""What becomes of a standing when a new policy takes effect: tiers and bands are carried over by their names.

What the new policy no longer has is left, and its leaving is announced as any other: with what was held before.
"""

from typing import NamedTuple

from streams.customer import series
from streams.customer.standing import NO_BAND, NO_RANK, LadderStanding
from streams.customer.state import CustomerState
from streams.policy.model import Ladder, Policy, Tier
from streams.regime import Regime
from streams.standing import hand
from streams.standing.clocks import held_until
from streams.standing.ladder import Move
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import Moment


class Left(NamedTuple):
    """What was held under the old policy and is not in the new one."""

    tiers: dict[str, Tier]
    """By the id of their ladder, which the new policy has."""
    ladders: list[tuple[LadderRules, LadderStanding, Tier]]
    """Ladders that are gone with all their tiers, where a tier was held."""
    band: str | None


def carry_over(state: CustomerState, old: Regime, new: Regime) -> Left:
    """Give the state standings of the new policy's shape, before anything is judged by it."""
    if new.by_model:  # under the same policy, places on ladders and bands stay what they are
        return Left({}, [], None)
    held = {rules.ladder.id: (rules, standing) for rules, standing in zip(old.ladders, state.ladders, strict=True)}
    left: dict[str, Tier] = {}
    state.ladders = []
    for rules in new.ladders:
        before, standing = held.pop(rules.ladder.id, (rules, LadderStanding()))
        tier = before.tier(standing.shown)
        kept = _rank_in(rules.ladder, tier)
        if tier is not None and not kept:
            left[rules.ladder.id] = tier
            standing.noticed = standing.notice_days = 0
        _carry_hand_over(standing, before.ladder, rules.ladder)
        standing.rank, standing.entry = _rank_in(rules.ladder, before.tier(standing.rank)), []
        standing.shown, standing.review_at = kept, 0
        _carry_grace_over(standing, rules)
        if rules.ladder.balance != before.ladder.balance:
            standing.deducted = 0
        reached = Moment(state, standing, new.calendar, standing.since, present=False)
        standing.valid_until = held_until(rules.ladder, reached) if standing.rank and not standing.fell else 0
        state.ladders.append(standing)
    gone = [(rules, standing, tier) for rules, standing in held.values() if (tier := rules.tier(standing.shown))]
    series.keep_counters(state, {where.name for where in new.counted_of(state)})
    return Left(left, gone, _carry_band_over(state, old.policy, new.policy))


def departures(
    state: CustomerState, new: Regime, left: Left, at: int
) -> list[tuple[LadderRules, LadderStanding, Move]]:
    """The moves away from what is no more, after the new policy has judged."""
    moves = []
    for rules, standing in zip(new.ladders, state.ladders, strict=True):
        if rules.ladder.id in left.tiers:
            gone = left.tiers[rules.ladder.id]
            moves.append((rules, standing, Move(0, standing.shown, at, correction=False, left=gone)))
    for rules, standing, tier in left.ladders:
        standing.shown, standing.hand, standing.grace_until = 0, None, 0
        moves.append((rules, standing, Move(0, 0, at, correction=False, left=tier)))
    return moves


def _rank_in(ladder: Ladder, tier: Tier | None) -> int:
    """The rank that a tier of the same id has on a ladder; 0: it has none."""
    return next((t.rank for t in ladder.tiers if tier is not None and t.id == tier.id), 0)


def _carry_grace_over(standing: LadderStanding, new: LadderRules) -> None:
    """A grace period goes on with its end; on a clock only one that a failed review began, with that review."""
    by_review = bool(standing.grace_until and standing.judged_day)
    if not standing.rank or (new.clocked and not by_review):
        standing.grace_until = 0
    if not (standing.rank and new.clocked and by_review):
        standing.judged_day = 0


def _carry_hand_over(standing: LadderStanding, old: Ladder, new: Ladder) -> None:
    """Overrides and matches go with their tier; one whose tier is gone ends."""
    by_hand = standing.hand
    if by_hand is None:
        return
    if by_hand.override > 0:
        by_hand.override = _rank_in(new, old.tiers[by_hand.override - 1]) or NO_RANK
    if by_hand.match:
        by_hand.match = _rank_in(new, old.tiers[by_hand.match - 1])
    if by_hand.override == NO_RANK:
        hand.clear_override(standing)


def _carry_band_over(state: CustomerState, old: Policy, new: Policy) -> str | None:
    """The band's index in the new policy; the name of a band that is no more."""
    bands = [band.name for band in old.churn.bands] if old.churn else []
    renamed = [band.name for band in new.churn.bands] if new.churn else []
    name = bands[state.risk.band] if state.risk.band != NO_BAND else None
    if name in renamed:
        state.risk.band = renamed.index(name)
        return None
    state.risk.band = NO_BAND
    return name
