"""One customer's two lives, laid side by side: pure arithmetic over instants."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from agents.backtest.tally import CURRENT, NEW, NO_TIER, NOTHING, Difference, Held, Tally
from agents.reason_words import conditions_of

SINCE_EVER: Final = -(2**62)
AT_RISK: Final = ("high", "very_high")


class Ending(NamedTuple):
    """How a customer stands at the end."""

    customer: str
    seen_at: int
    spend_365d_minor: int
    risk_band: str | None


class Window(NamedTuple):
    """Of which time changes count."""

    begin: int
    month_of: Callable[[int], int]
    currency: str


def count(tally: Tally, lives: tuple[Sequence[Held], Sequence[Held]], ending: Ending, window: Window) -> None:
    """Add a customer; each life in the order in which it was told."""
    tally.customers += 1
    tally.seen_since_ms += max(window.begin, ending.seen_at)
    for side, life in zip(tally.sides, lives, strict=True):
        before = NOTHING
        for held in life:
            if held.at > window.begin and held.direction != "initial":
                side.changes[held.direction] += 1
                side.changes["by_time"] += held.direction == "downgrade" and held.cause == "time"
            at = max(held.at, window.begin)
            month = window.month_of(at)
            if before is not NOTHING:
                side.held_ms[before.tier] += at
                side.mix[month, before.tier] -= 1
            side.mix[month, held.tier] += 1
            side.held_ms[held.tier] -= at
            before = held
        side.holding[before.tier] += 1
    _compare(tally, lives, ending, window)


def _compare(tally: Tally, lives: tuple[Sequence[Held], Sequence[Held]], ending: Ending, window: Window) -> None:
    current, new = (life[-1] if life else NOTHING for life in lives)
    flow = current.tier, new.tier
    tally.flows[flow] += 1
    tally.spend_minor[flow] += ending.spend_365d_minor
    tally.at_risk[flow] += ending.risk_band in AT_RISK
    found = [
        Difference(ending.customer, since, until, held[CURRENT], held[NEW], ending.spend_365d_minor, ending.risk_band)
        for since, until, held in stretches(lives, window.begin)
    ]
    tally.ever += bool(found)
    tally.differences += found
    if current.tier != new.tier:
        was, then = ("; ".join(conditions_of(held.reasons, window.currency)) for held in (current, new))
        tally.whys[current.tier, new.tier, was, then] += 1


def stretches(
    lives: tuple[Sequence[Held], Sequence[Held]], begin: int
) -> Iterator[tuple[int, int | None, tuple[Held, Held]]]:
    """The times after `begin` in which the two tiers are two fixed different ones: since, until, and why."""
    changes = sorted(
        ((held.at, side, held) for side, life in enumerate(lives) for held in life), key=lambda change: change[0]
    )
    both = [NOTHING, NOTHING]
    since, parted = begin, (NOTHING, NOTHING)
    for place, (at, side, held) in enumerate(changes):
        both[side] = held
        if place + 1 < len(changes) and changes[place + 1][0] == at:
            continue  # what happens at one instant is one step
        if both[CURRENT].tier == parted[CURRENT].tier and both[NEW].tier == parted[NEW].tier:
            continue
        if parted[CURRENT].tier != parted[NEW].tier and at > begin:
            yield since, at, parted
        since, parted = max(at, begin), (both[CURRENT], both[NEW])
    if parted[CURRENT].tier != parted[NEW].tier:
        yield since, None, parted


def is_lower(flow: tuple[str, str], tiers: Sequence[str]) -> bool:
    """Whether the new policy leaves a customer in a lower tier."""
    current, new = (tiers.index(tier) if tier != NO_TIER else -1 for tier in flow)
    return new < current
