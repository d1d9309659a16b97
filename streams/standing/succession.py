"""What becomes of a standing when a new policy takes effect: tiers and bands are carried over by their names.

What the new policy no longer has is left, and its leaving is announced as any other: with what was held before.
"""

from typing import NamedTuple

import msgspec

from streams.customer.standing import NO_BAND, LadderStanding
from streams.customer.state import CustomerState
from streams.policy.model import Ladder, Policy, Tier
from streams.standing.ladder import Move, tier_at


class Left(NamedTuple):
    """What was held under the old policy and is not in the new one."""

    tiers: dict[str, Tier]
    """By the id of their ladder, which the new policy has."""
    ladders: list[tuple[Ladder, LadderStanding, Tier]]
    """Ladders that are gone with all their tiers, where a tier was held."""
    band: str | None


def carry_over(state: CustomerState, old: Policy, new: Policy) -> Left:
    """Give the state standings of the new policy's shape, before anything is judged by it."""
    held = {rules.id: (rules, standing) for rules, standing in zip(old.ladders, state.ladders, strict=True)}
    left: dict[str, Tier] = {}
    state.ladders = []
    for rules in new.ladders:
        before, standing = held.pop(rules.id, (rules, LadderStanding()))
        tier = tier_at(before, standing.rank)
        kept = next((t for t in rules.tiers if tier is not None and t.id == tier.id), None)
        if tier is not None and kept is None:
            left[rules.id] = tier
        standing.rank, standing.entry = (kept.rank if kept else 0), []
        state.ladders.append(standing)
    gone = [(rules, standing, tier) for rules, standing in held.values() if (tier := tier_at(rules, standing.rank))]
    return Left(left, gone, _carry_band_over(state, old, new))


def departures(state: CustomerState, new: Policy, left: Left, at: int) -> list[tuple[Ladder, LadderStanding, Move]]:
    """The moves away from what is no more, after the new policy has judged."""
    moves = []
    for rules, standing in zip(new.ladders, state.ladders, strict=True):
        if rules.id in left.tiers:
            moves.append((rules, standing, Move(0, standing.rank, at, correction=False, left=left.tiers[rules.id])))
    for rules, standing, tier in left.ladders:
        empty = msgspec.structs.replace(rules, tiers=())
        moves.append((empty, standing, Move(0, 0, at, correction=False, left=tier)))
    return moves


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
