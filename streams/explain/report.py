"""An explanation as data: what `tierstream explain --json` prints.

Field names are those of the outputs where there is one. Money is whole minor units of `currency`, instants are
RFC 3339 in UTC, days are local dates of `time_zone`. Members are only ever added.
"""

from typing import Literal, TypeAlias

import msgspec

from schemas.decisions import Direction, Missing, Operator, PolicyRef, TierRef

Value: TypeAlias = int | float | str | bool | None
Threshold: TypeAlias = int | float | str | bool | tuple[str, ...]
How: TypeAlias = Literal[
    "sum", "balance", "average", "share", "refund_rate", "satisfaction", "days_since", "distinct", "gap", "stated"
]
"""How a value follows from its contributions, with A the sum of `amount` and B the sum of `of`:
`sum` A, `balance` max(0, A - deducted), `average` A // B, `share` A / B, `refund_rate` A / (A + B),
`satisfaction` A / (10 B), `days_since` days from the contributions' last day to `to_day`, `distinct` different `what`,
`gap` mean days between the days on which A is above 0. `stated`: known as it stands, the events said it."""
Unit: TypeAlias = Literal["money", "count", "share", "percent", "days", "probability", "flag", "text"]
"""Of value and threshold: shares and probabilities are fractions of 1."""
AheadKind: TypeAlias = Literal["fall", "review", "notice", "grace_ends", "held_until", "override_ends", "match_ends"]
HeldBy: TypeAlias = Literal["rules", "override", "match"]


class Contribution(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What one event adds to a value, or takes from it."""

    event_id: str | None
    """Null: a policy change did."""
    type: str
    what: str | None
    """The order or ticket; of `distinct`, the category."""
    day: str
    """The day it counts for: of an order's refund, the day of purchase."""
    amount: int
    of: int = 0
    """What it adds to the whole, of a value that is a part of it."""


class Condition(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A comparison that decided: `value operator threshold` is true, and the value follows from the contributions."""

    asked: dict[str, str]
    """The comparison in words, by language."""
    metric: str
    window: str
    where: str | None
    from_day: str | None
    """First day that counts; null: all of life."""
    to_day: str
    unit: Unit
    value: Value
    operator: Operator
    threshold: Threshold
    met: bool
    """Whether that is what the rule asks for."""
    how: How
    deducted: int = 0
    contributions: tuple[Contribution, ...] = ()
    left: tuple[Contribution, ...] = ()
    """What counted when the tier before was reached and has left the window since: why time made it fall."""


class Logic(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A rule's structure: one of these. A part that did not decide is null."""

    all: "tuple[Logic | None, ...] | None" = None
    any: "tuple[Logic | None, ...] | None" = None
    negated: "Logic | None" = None
    condition: int | None = None
    """Place among the conditions."""


class Judgement(msgspec.Struct, kw_only=True, frozen=True):
    """A rule, whether it was met, and what decided that."""

    rule: str
    """As reasons of outputs name it: `standing.gold.enter`."""
    met: bool
    at: str
    """As of when it was judged; of a review, the end of the period under review."""
    asked: dict[str, str]
    """The rule in words, by language."""
    logic: Logic
    conditions: tuple[Condition, ...]


class Decided(msgspec.Struct, kw_only=True, frozen=True):
    """The published change that brought the present tier or band."""

    id: str
    at: str
    cause: str
    event_id: str | None
    policy: PolicyRef
    previous: str | None
    """Tier or band before."""
    direction: Direction | None
    corrects: str | None


class Correction(msgspec.Struct, kw_only=True, frozen=True):
    """A change that took back an earlier one, because what it rested on was taken back or came late."""

    id: str
    at: str
    event_id: str | None
    tier: str | None
    corrects: str
    corrected_at: str
    corrected_tier: str | None


class ByHand(msgspec.Struct, kw_only=True, frozen=True):
    """What somebody decided: a tier set by hand, or a match."""

    kind: Literal["override", "match"]
    tier: str | None
    """Null: none at all."""
    actor: str | None
    reason: str
    event_id: str | None
    until: str | None


class Ahead(msgspec.Struct, kw_only=True, frozen=True):
    """What time alone will bring, if nothing more happens."""

    kind: AheadKind
    at: str
    tier: str | None = None
    """Of a fall, the tier to which it leads; null: none."""


class NextRung(msgspec.Struct, kw_only=True, frozen=True):
    """The tier above."""

    tier: TierRef
    missing: tuple[Missing, ...]
    asked: dict[str, str]


class LadderExplained(msgspec.Struct, kw_only=True, frozen=True):
    """The place on one ladder."""

    ladder: str
    names: dict[str, dict[str, str]]
    """Of its tiers, by id and language."""
    tier: TierRef | None
    held_by: HeldBy
    rules_tier: str | None
    """What the rules give beneath what was decided by hand."""
    since: str | None
    decision: Decided | None
    """Null: nothing was ever published of this ladder."""
    decided_by: Judgement | None
    """Null: no rule did, but a person, a policy, or nobody."""
    keep: Judgement | None
    """The present tier's `keep` as of now; null without a tier by the rules."""
    to_keep: tuple[Missing, ...]
    """What is missing to keep the tier, as of the fall that is foreseen."""
    next: NextRung | None
    ahead: tuple[Ahead, ...]
    by_hand: tuple[ByHand, ...]
    corrections: tuple[Correction, ...]


class RiskExplained(msgspec.Struct, kw_only=True, frozen=True):
    """The churn risk."""

    band: str
    since: str
    score: float
    """Probability of no purchase within `horizon_days`."""
    horizon_days: int
    p_alive: float
    purchase_days: int
    last_purchase_day: str
    next_band: str | None
    next_band_at: str | None
    decision: Decided | None


class Explanation(msgspec.Struct, kw_only=True, frozen=True):
    """One customer at one instant."""

    customer_id: str
    as_of: str
    policy: PolicyRef
    currency: str
    time_zone: str
    records: int
    """Records of the customer up to then."""
    ladders: tuple[LadderExplained, ...]
    risk: RiskExplained | None
    rechecked: int
    """Conditions that were computed again from their events alone, and agreed; a mismatch is an error."""
