"""What a backtest counts. Every part is a sum, so that processes count apart; tiers go by id, `NO_TIER` is none."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.decisions import Cause, Reason
from streams.policy.model import Policy

NO_TIER: Final = ""
CURRENT, NEW = 0, 1
"""The two sides, in this order everywhere."""

Flow = tuple[str, str]
"""The tier at the end under the current policy, and under the new one."""


class Held(NamedTuple):
    """Since when, and why, a customer has had a tier."""

    at: int
    tier: str
    cause: Cause | None
    direction: str
    reasons: tuple[Reason, ...]


NOTHING: Final = Held(0, NO_TIER, None, "", ())


class Difference(NamedTuple):
    """A stretch of time in which a customer's tiers differ."""

    customer: str
    since: int
    until: int | None
    """None: to the end."""
    current: Held
    new: Held
    spend_365d_minor: int
    """At the end, and so is the band."""
    risk_band: str | None


class Side(msgspec.Struct):
    """What one policy did."""

    changes: Counter[str] = msgspec.field(default_factory=Counter)
    """By direction, and downgrades that time alone brought about once more under `by_time`; first tiers are none."""
    mix: Counter[tuple[int, str]] = msgspec.field(default_factory=Counter)
    """Month (12 times the year, plus 0 to 11) and tier: by how many more customers held it at the month's end."""
    held_ms: Counter[str] = msgspec.field(default_factory=Counter)
    """How long tiers were held; of those held still, less the instant since when."""
    holding: Counter[str] = msgspec.field(default_factory=Counter)
    """Customers who hold a tier at the end."""

    def add(self, other: "Side") -> None:
        """Take over what another process counted."""
        self.changes.update(other.changes)
        self.mix.update(other.mix)
        self.held_ms.update(other.held_ms)
        self.holding.update(other.holding)


class Tally(msgspec.Struct):
    """What came of a backtest, or of a process's share of it."""

    customers: int = 0
    records: int = 0
    seen_since_ms: int = 0
    """Sum of the instants from which on customers were looked at."""
    latest: int = -1
    tiers: tuple[str, ...] = ()
    """Of both policies, from the lowest."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    sides: tuple[Side, Side] = msgspec.field(default_factory=lambda: (Side(), Side()))
    flows: Counter[Flow] = msgspec.field(default_factory=Counter)
    spend_minor: Counter[Flow] = msgspec.field(default_factory=Counter)
    """Of the last 365 days."""
    at_risk: Counter[Flow] = msgspec.field(default_factory=Counter)
    """Customers in the bands high and very_high."""
    judged_risk: bool = False
    ever: int = 0
    """Customers whose tiers differed at some time."""
    whys: Counter[tuple[str, str, str, str]] = msgspec.field(default_factory=Counter)
    """Of those who differ at the end: the flow, and the conditions that decided on either side."""
    differences: list[Difference] = msgspec.field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take over what another process counted."""
        self.customers += other.customers
        self.records += other.records
        self.seen_since_ms += other.seen_since_ms
        self.latest = max(self.latest, other.latest)
        self.tiers = merged(self.tiers, other.tiers)
        self.names |= other.names
        for own, theirs in zip(self.sides, other.sides, strict=True):
            own.add(theirs)
        self.flows.update(other.flows)
        self.spend_minor.update(other.spend_minor)
        self.at_risk.update(other.at_risk)
        self.judged_risk = self.judged_risk or other.judged_risk
        self.ever += other.ever
        self.whys.update(other.whys)
        self.differences += other.differences


def merged(lower: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Tiers of two ladders in one order; what only the other has stands above what is below it there."""
    order, place = list(lower), 0
    for tier in other:
        if tier in order:
            place = order.index(tier) + 1
        else:
            order.insert(place, tier)
            place += 1
    return tuple(order)


def tiers_of(policies: Iterable[Policy], ladder: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The tiers of a ladder under several policies, from the lowest, and their English names."""
    order: tuple[str, ...] = ()
    names: dict[str, str] = {}
    for policy in policies:
        for each in policy.ladders:
            if each.id == ladder:
                order = merged(order, [tier.id for tier in each.tiers])
                names |= {tier.id: tier.name.get("en") or tier.id for tier in each.tiers}
    return order, names
