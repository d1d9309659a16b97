"""What we publish: decisions about one customer, each with its reason, its cause and what a consumer needs to act.

Nothing that belongs to the contract is left out of the JSON: what is unknown is null. Money is whole minor units of
`customer.currency`; instants are RFC 3339 in UTC with milliseconds; windows are written `30d`, `365d` or `lifetime`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.fields import Count, CustomerKey, Id, Instant

Cause = Literal["initial", "event", "time", "policy", "model", "override", "correction", "backfill"]
Direction = Literal["initial", "upgrade", "downgrade", "lateral"]
Consent = Literal["yes", "no", "unknown"]
Operator = Literal[">=", ">", "<=", "<", "==", "!=", "in", "not in"]

Probability = Annotated[float, Meta(ge=0, le=1)]
OrdinalNumber = Annotated[int, Meta(ge=1)]
Rank = Annotated[int, Meta(ge=1)]


class Reason(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One condition that decided, with what was measured and what was asked for.

    The comparison `value operator threshold` is true; of `in` and `not in` the threshold lists values.
    """

    rule: str
    metric: str
    window: str
    where: str | None = None
    """The filter, such as `channel=app;order>=5000`; or the trait, programme or ladder that was asked about."""
    value: int | float | str | bool | None
    """Null: nothing is known of it."""
    operator: Operator
    threshold: int | float | str | bool | tuple[str, ...]


class CausedBy(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """The record after which the decision was due: `journal_seq` is the n-th of this customer's own records."""

    event_id: str | None
    journal_seq: Count


class PolicyRef(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """The policy that decided."""

    name: str
    hash: str


class ModelRef(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """The model behind a score."""

    name: str
    version: str


class TierRef(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A tier, with name and rank, so that nobody needs the policy to read it. Rank 1 is the lowest."""

    id: Id
    name: str
    rank: Rank


class Missing(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """How much of a metric is still wanted."""

    metric: str
    window: str
    where: str | None = None
    value: Count | float


class NextTier(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """The tier above, and what is missing to it."""

    id: Id
    missing: tuple[Missing, ...]


class OverrideRef(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A tier that was set by hand."""

    reason: str
    valid_until: Instant | None


class Driver(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What raises (positive contribution) or lowers a score, and the value behind it."""

    code: str
    contribution: float
    value: int | float


class Contactable(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """On which ways the customer agreed to be contacted."""

    email: Consent = "unknown"
    sms: Consent = "unknown"
    push: Consent = "unknown"
    call: Consent = "unknown"
    wechat: Consent = "unknown"


class CustomerBlock(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """The customer's standing in short, the same in every output, so that a consumer can act without a lookup."""

    tier: TierRef | None
    lifecycle: str | None
    value_class: str | None
    risk_band: str | None
    preferred_channel: str | None
    contactable: Contactable
    top_categories: tuple[str, ...]
    last_order_at: Instant | None
    orders_365d: Count
    spend_365d_minor: Count
    currency: str
    locale: str | None
    test: bool


class Decision(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What every output says."""

    customer_id: CustomerKey
    effective_at: Instant
    """The exact instant from which it is true, not the instant at which it was computed."""
    sequence: OrdinalNumber
    """Counts this customer's records on this topic, without gaps."""
    revision: Count
    """Rises with every published change of this customer over all topics: the higher one is the newer one."""
    cause: Cause
    caused_by: CausedBy
    policy: PolicyRef
    reasons: tuple[Reason, ...]
    customer: CustomerBlock


class TierChanged(Decision, kw_only=True, frozen=True):
    """A customer entered a tier, or left the ladder."""

    ladder: Id
    tier: TierRef | None
    """Null: nothing that any tier asks for is left, as when the only order was cancelled."""
    previous_tier: TierRef | None
    direction: Direction
    valid_until: Instant | None
    grace_until: Instant | None
    next_tier: NextTier | None
    to_keep: tuple[Missing, ...]
    override: OverrideRef | None
    benefits: tuple[str, ...]
    service_level: str | None
    corrects: str | None
    """The id of an earlier output that a late or refunded event proved wrong."""


class DowngradeUpcoming(Decision, kw_only=True, frozen=True):
    """A customer is about to fall, if nothing more happens: said at the exact instants that the tier's rules name."""

    ladder: Id
    tier: TierRef
    falls_at: Instant
    falls_to: TierRef | None
    days_before: OrdinalNumber
    """Which of the notices this is: so many days before the fall."""
    to_keep: tuple[Missing, ...]
    """What is missing to keep the tier, as of the day on which it would be found missing."""


class DowngradeAverted(Decision, kw_only=True, frozen=True):
    """A fall that was announced does not come."""

    ladder: Id
    tier: TierRef | None
    would_have_fallen_at: Instant
    withdraws: str
    """The id of the `downgrade_upcoming` that no longer holds."""
    falls_at: Instant | None
    """When the tier falls now, if nothing more happens."""


class ChurnRiskChanged(Decision, kw_only=True, frozen=True):
    """A customer's risk of leaving moved to another band."""

    band: str | None
    """Null: no kept order is left to judge by; `score` and `p_alive` are then null too."""
    previous_band: str | None
    score: Probability | None
    """The probability of no purchase within the next `horizon_days`."""
    horizon_days: OrdinalNumber
    p_alive: Probability | None
    drivers: tuple[Driver, ...]
    expected_next_order_by: Instant | None
    value_at_risk_minor: Count | None
    suggested_action: str | None
    model: ModelRef
    next_band: str | None
    """The band that time alone leads to next, and when: a higher one, or a lower one where trouble fades."""
    next_band_at: Instant | None
    corrects: str | None


class LadderStanding(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Where a customer stands on one ladder."""

    ladder: Id
    primary: bool = False
    """Whether `customer.tier` tells of this ladder: it is the policy's first public one."""
    tier: TierRef
    since: Instant
    valid_until: Instant | None
    grace_until: Instant | None
    override: OverrideRef | None


class ChurnStanding(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A customer's risk as of the profile's instant."""

    band: str
    since: Instant
    score: Probability
    p_alive: Probability
    model: ModelRef
    value_minor: Count | None = None
    """Lifetime value: what is expected to be spent within the policy's `value_horizon`, discounted; revenue.

    Null where the model knows nothing of spend, as the built-in one. What was spent so far is among the aggregates.
    """
    at_risk_minor: Count | None = None
    """What would come besides if it were certain that the customer has not left."""


class Aggregates(msgspec.Struct, frozen=True, gc=False):
    """Sums over the rolling windows as of the profile's instant; spend is net of what was refunded.

    Made by position, metric by metric: a profile is made for every touched customer at every commit.
    """

    spend_30d_minor: Count
    spend_90d_minor: Count
    spend_365d_minor: Count
    spend_lifetime_minor: Count
    orders_30d: Count
    orders_90d: Count
    orders_365d: Count
    orders_lifetime: Count
    visits_30d: Count
    visits_90d: Count
    visits_365d: Count
    visits_lifetime: Count
    tickets_30d: Count
    tickets_90d: Count
    tickets_365d: Count
    tickets_lifetime: Count


class Profile(Decision, kw_only=True, frozen=True):
    """The whole standing of a customer: the topic keeps the newest per customer, and a null value after erasure.

    Rewritten at most once per commit, and also when nothing but time has passed: of two, the later `as_of` is newer.
    """

    sequence: Count
    """Repeats `revision`: it never falls, but may skip or stay. 0 while nothing was booked for the customer."""
    as_of: Instant
    tiers: tuple[LadderStanding, ...]
    churn: ChurnStanding | None
    aggregates: Aggregates
    first_seen_at: Instant
    first_order_at: Instant | None
    last_order_at: Instant | None
