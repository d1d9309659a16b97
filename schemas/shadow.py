"""What a shadow publishes: where a customer would stand under a policy that is only tried, beside where they stand.

Nothing here is in force: the live topics alone say what a customer has.
"""

from typing import Literal

import msgspec

from schemas.decisions import Decision, PolicyRef, TierRef
from schemas.fields import Id, Instant

DifferenceKind = Literal["begun", "changed", "ended"]
Side = Literal["live", "shadow", "both"]


class LadderDifference(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A ladder on which the two policies disagree about a customer. Null: no tier, or no such ladder."""

    ladder: Id
    live: TierRef | None
    shadow: TierRef | None
    since: Instant
    """From when on these two have stood against each other."""


class BandDifference(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Two bands of churn risk. Null: the policy knows none, or no kept order is left to judge by."""

    live: str | None
    shadow: str | None
    since: Instant


class ShadowChanged(Decision, kw_only=True, frozen=True):
    """Where a customer would stand under a policy that is tried began, changed or ceased to differ from where they do.

    `policy`, `reasons`, `cause` and `caused_by` are those of the decision that brought it about, the tried policy's
    where both decided. `customer` shows the live tier and band. `revision` repeats `sequence`.
    """

    shadow: Id
    """Which trial it is: of another one, sequences begin anew."""
    candidate: PolicyRef
    """The policy that is tried."""
    difference: DifferenceKind
    since: Instant
    """From when on the customer has stood differently, in whatever way; of one that ended, from when on it had."""
    moved: Side
    """Whose decision brought it about."""
    ladders: tuple[LadderDifference, ...]
    """Empty when it ended, or when the bands alone differ."""
    risk: BandDifference | None
