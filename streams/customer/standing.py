"""Where a customer stands: the place on each ladder and the risk band."""

from typing import Final

import msgspec

NO_BAND: Final = -1
NOT_DUE: Final = 2**62


NO_RANK: Final = -1

EntryValue = int | float | str | bool | None
"""What a condition was held against."""


class ByHand(msgspec.Struct, array_like=True):
    """What people decided about a place on a ladder: an override goes before the rules, a match lifts above them."""

    override: int = NO_RANK
    override_until: int = NOT_DUE
    reason: str = ""
    match: int = 0
    match_until: int = NOT_DUE


class LadderStanding(msgspec.Struct, array_like=True):
    """The place on one ladder: what the rules give (`rank`), and what is told (`shown`)."""

    rank: int = 0
    """1 is the lowest tier; 0 is none."""
    since: int = 0
    """Instant at which `rank` was reached."""
    grace_until: int = 0
    """End of the grace period under way; 0: none."""
    due: int = NOT_DUE
    """Earliest instant at which time alone may change the place. May be early, never late."""
    last_id: bytes = b""
    """Id of the last tier_changed, 16 bytes, for a correction to name."""
    fell: bool = False
    """Whether `rank` was reached by a fall: an order from before it, arriving late, shows it to have been wrong."""
    entry: list[EntryValue] = msgspec.field(default_factory=list)
    """Value of each condition of the tier's `enter` on the day it was reached, as that day is known by now.

    Empty after a fall, which nothing makes void.
    """
    risen_from: int = 0
    """Rank before the tier was reached: what was kept then is no part of a rise that turns out void. After a fall at a
    review: the rank that fell."""
    shown: int = 0
    """The rank that is told: the override's, or the higher one of match and rules."""
    shown_since: int = 0
    review_at: int = 0
    """When the ladder's clock next asks for `keep`; 0: it has no clock, or there is nothing to keep."""
    valid_until: int = 0
    """Before it `keep` is not asked for; 0: at any time."""
    judged_day: int = 0
    """Last day of the period whose review failed: the grace period under way follows from it, or the last change was
    the fall. 0: none."""
    deducted: int = 0
    """What reviews took from the balance."""
    base: tuple[int, int] = (0, 0)
    """Orders and net spend of the days up to the last change, as they are known by now."""
    noticed: int = 0
    """The fall that was announced; 0: none."""
    notice_days: int = 0
    """How long before it, by the last notice."""
    notice_id: bytes = b""
    """Its id, 16 bytes, for an averted fall to name."""
    hand: ByHand | None = None


class RiskStanding(msgspec.Struct, array_like=True):
    """The churn risk band."""

    band: int = NO_BAND
    """Index into the policy's bands."""
    since: int = 0
    due: int = NOT_DUE
    """Earliest instant at which silence may raise the band. May be early, never late."""


UNKNOWN: Final = -1


class Forecast(msgspec.Struct, array_like=True):
    """What the churn model foretold of a window of days, and what came of the one before. Risks in ten-thousandths."""

    day: int
    """The first day of the window under way."""
    days: int
    """Its length: the horizon of the policy in force at its begin."""
    risk: int = UNKNOWN
    """P(no purchase) as of the window's begin; UNKNOWN when nothing had been bought then."""
    ordinal: int = 0
    """Which of the partition's regimes foretold it."""
    past: int = UNKNOWN
    """The risk foretold of the newest window that is over; UNKNOWN: there is none."""
    past_ordinal: int = 0
    past_bought: bool = False
    """Whether anything was bought in it, as was known when it was over."""
