"""What is kept about one customer. Everything that grows is packed bytes, so that encoding it is a copy."""

from typing import Final

import msgspec

from schemas.decisions import Cause
from streams.customer.standing import Forecast, LadderStanding, RiskStanding
from streams.models.evidence import Evidence

NEVER: Final = 2**62
"""The due instant of a customer whom time alone can't change."""


class Waiting(msgspec.Struct, array_like=True):
    """A refund or cancellation that arrived before its order."""

    order: bytes
    """Hash of the order id, 8 bytes."""
    expires_at: int
    """Epoch ms from which it is refused as `refund_without_order`."""
    value: bytes
    """The journal record as it arrived."""


class Series(msgspec.Struct, array_like=True):
    """A sparse daily series (`streams.customer.series`)."""

    log: bytearray = msgspec.field(default_factory=bytearray)
    count: int = 0
    """Over the whole life, and so is the amount."""
    amount: int = 0
    shares: bytearray = msgspec.field(default_factory=bytearray)
    """Of a declared counter: which part of each order passed its filter."""


class CustomerState(msgspec.Struct, array_like=True):
    """Everything the fold needs to know of one customer.

    Money in minor units of the policy's currency, instants in epoch ms, days as ordinals.
    """

    clock: int = 0
    """Largest instant folded: `recorded_at` of an event or a due instant that was run. Never runs backwards."""
    journal_seq: int = 0
    """Journal records of this customer so far, ticks not counted."""
    revision: int = 0
    """Rises with every record folded, every review by time and every change published: no two of the customer's outputs
    share one, and the higher one is the newer one."""
    changed_by: tuple[Cause, str | None] = ("event", None)
    """What changed something last: the cause, and the event's id if it was one."""
    sequences: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    """Last `sequence` per output topic: tier-changes, churn-risk, notices."""

    days: bytearray = msgspec.field(default_factory=bytearray)
    """The day log (`daylog`)."""
    sums: list[int] = msgspec.field(default_factory=lambda: [0] * 22)
    """Running sums of the rolling windows and of the whole life (`daylog`)."""
    shift_day: int = 0
    """From this day on a window's head or the end of the log moves; 0: nothing logged."""

    purchase_days: int = 0
    """Days with a kept order, over the whole life."""
    first_day: int = 0
    last_day: int = 0
    dropped_last_day: int = 0
    """Last purchase day that has left the day log."""
    first_order_at: int = 0
    last_order_at: int = 0
    """`occurred_at` of the earliest and the latest order, whether kept or not; 0: none."""
    first_seen_at: int = 0
    """`recorded_at` of the first record."""

    orders: bytearray = msgspec.field(default_factory=bytearray)
    """The order index (`orders`)."""
    takings: bytearray = msgspec.field(default_factory=bytearray)
    """Refunds, cancellations and returns seen, so that a repeat is recognised (`orders`)."""
    left: bytearray = msgspec.field(default_factory=bytearray)
    """What remains of orders refunded in part (`orders`)."""
    revisions: bytearray = msgspec.field(default_factory=bytearray)
    """Of orders known by `order.state` (`orders`)."""
    foreign: bytearray = msgspec.field(default_factory=bytearray)
    """What orders in another currency cost originally (`orders`)."""
    waiting: list[Waiting] = msgspec.field(default_factory=list)
    seen_browsing: bytearray = msgspec.field(default_factory=bytearray)
    seen_other: bytearray = msgspec.field(default_factory=bytearray)

    channels: dict[str, list[int]] = msgspec.field(default_factory=dict)
    """Per channel, over the whole life: orders placed, orders kept, their net spend."""
    channel_types: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0, 0])
    """Over the whole life: orders kept online and their net spend, orders kept offline and their net spend."""
    series: dict[str, Series] = msgspec.field(default_factory=dict)
    """Daily series beside the day log, by name (`series`)."""
    categories: dict[str, list[int]] = msgspec.field(default_factory=dict)
    """Per product category bought from: orders, last day of purchase."""
    tickets: bytearray = msgspec.field(default_factory=bytearray)
    """Tickets with their last status (`facts`)."""
    memberships: dict[str, list[int]] = msgspec.field(default_factory=dict)
    """Per programme: since, and until (NEVER while open)."""
    traits: dict[str, str | int] = msgspec.field(default_factory=dict)
    """What `identity` events told, by the trait's name."""
    signed_up_at: int = 0
    """Instant of the sign-up, where it was told."""
    contact: dict[str, bool] = msgspec.field(default_factory=dict)
    """Consent per contact channel, as last stated."""
    purposes: dict[str, bool] = msgspec.field(default_factory=dict)
    """Consent per purpose, as last stated."""
    test: bool = False

    ladders: list[LadderStanding] = msgspec.field(default_factory=list)
    """One per ladder of the policy, in its order."""
    risk: RiskStanding = msgspec.field(default_factory=RiskStanding)

    due: int = NEVER
    """The earliest instant at which time alone may change something.

    May be early, never late. Stands in the head too.
    """
    ordinal: int = 0
    """Which of the partition's policies this standing was computed with. Stands in the head too."""

    # Added later, at the end: records of this version without them are read too.
    evidence: Evidence | None = None
    """Visits and troubles, for the churn model; None until there is any."""
    first_spend: int = 0
    """Net spend of the first purchase day, once that day has left the day log."""
    forecast: Forecast | None = None
    """What the churn model foretold, to be held against what happens; None before the first purchase."""
    declaration: int = 0
    """The newest declaration of counters (`streams.recount`) for which this customer is counted from the beginning."""
