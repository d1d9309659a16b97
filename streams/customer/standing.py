"""What a customer has been told so far: the place on each ladder and the risk band."""

from typing import Final

import msgspec

NO_BAND: Final = -1
NOT_DUE: Final = 2**62


class LadderStanding(msgspec.Struct, array_like=True):
    """The place on one ladder."""

    rank: int = 0
    """1 is the lowest tier; 0 is none."""
    since: int = 0
    """Instant at which the tier was reached."""
    grace_until: int = 0
    """End of the grace period under way; 0: none."""
    due: int = NOT_DUE
    """Earliest instant at which time alone may change the place. May be early, never late."""
    last_id: bytes = b""
    """Id of the last tier_changed, 16 bytes, for a correction to name."""
    last_at: int = 0
    """Its effective instant."""
    fell: bool = False
    """Whether that was a fall: an order from before it, arriving late, shows it to have been wrong."""
    entry: list[int] = msgspec.field(default_factory=list)
    """Value of each condition of the tier's `enter` on the day it was reached, as that day is known by now.

    Empty after a fall, which nothing makes void.
    """
    risen_from: int = 0
    """Rank before the tier was reached: what was kept then is no part of a rise that turns out void."""


class RiskStanding(msgspec.Struct, array_like=True):
    """The churn risk band."""

    band: int = NO_BAND
    """Index into the policy's bands."""
    since: int = 0
    due: int = NOT_DUE
    """Earliest instant at which silence may raise the band. May be early, never late."""
