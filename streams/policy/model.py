"""A policy after parsing: frozen, complete, every default resolved. Here live the types, nothing that reads or judges.

Money is in integer minor units of the policy's currency, windows and grace are in local days of its time zone.
Field names are those of the policy file where there is one.
"""

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from streams.models.mbgnbd import Parameters
from streams.policy.windows import LIFETIME, Window

BandName: TypeAlias = Literal["low", "medium", "high", "very_high"]
BAND_NAMES: tuple[BandName, ...] = ("low", "medium", "high", "very_high")

Operator: TypeAlias = Literal[">=", ">", "<=", "<", "==", "in"]
Threshold: TypeAlias = int | float | str | bool | tuple[str, ...]
Clock: TypeAlias = Literal["continuous", "calendar-year", "fixed-year", "anniversary"]


class OrderFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which orders count. What is empty lets all pass; of several values one has to fit."""

    channel: tuple[str, ...] = ()
    channel_type: str = ""
    category: tuple[str, ...] = ()
    """One of the order's products is of it; spend is then that of these products alone."""
    store: tuple[str, ...] = ()
    order_at_least: int | None = None
    """Minor units of the order's whole total, as it was placed."""
    order_below: int | None = None

    @property
    def counted(self) -> bool:
        """Whether it has to be counted from the beginning: the order index keeps neither store nor goods."""
        return bool(self.category or self.store)

    @property
    def name(self) -> str:
        """The filter as outputs and the state name it."""
        parts = [
            f"{key}={','.join(values)}" for key in ("channel", "category", "store") if (values := getattr(self, key))
        ]
        if self.channel_type:
            parts.append(f"channel_type={self.channel_type}")
        if self.order_at_least is not None:
            parts.append(f"order>={self.order_at_least}")
        if self.order_below is not None:
            parts.append(f"order<{self.order_below}")
        return ";".join(parts)


NO_FILTER: Final = OrderFilter()


class Declaration(msgspec.Struct, array_like=True, frozen=True):
    """Counters that a policy to come needs: who is new is counted from the start, others from their restatement on."""

    number: int
    """Counted up in each partition; a state says which one it is counted for."""
    id: str
    filters: tuple[OrderFilter, ...]


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="is", tag="comparison"):
    """A metric against a threshold: minor units for money, a fraction of 1 for shares and probabilities."""

    metric: str
    operator: Operator
    threshold: Threshold
    window: Window = LIFETIME
    where: OrderFilter = NO_FILTER
    name: str = ""
    """The trait, programme or ladder that is asked about; of a balance, what it adds up."""
    horizon_days: int = 0
    """Of P(no purchase); 0 is the horizon of the churn rules."""


class AllOf(msgspec.Struct, frozen=True, tag_field="is", tag="all"):
    """Every part has to hold."""

    parts: tuple["Requirement", ...]


class AnyOf(msgspec.Struct, frozen=True, tag_field="is", tag="any"):
    """One part has to hold."""

    parts: tuple["Requirement", ...]


class NotMet(msgspec.Struct, frozen=True, tag_field="is", tag="not"):
    """The part must not hold."""

    part: "Requirement"


Requirement: TypeAlias = Comparison | AllOf | AnyOf | NotMet


def comparisons(requirement: Requirement) -> Iterator[Comparison]:
    """Every comparison of a requirement, in the order of the file."""
    if isinstance(requirement, Comparison):
        yield requirement
    elif isinstance(requirement, NotMet):
        yield from comparisons(requirement.part)
    else:
        for part in requirement.parts:
            yield from comparisons(part)


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long a tier holds: calendar months, local days, or periods of the ladder's clock; one of them."""

    months: int = 0
    days: int = 0
    periods: int = 0


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rung: whoever meets `enter` rises to it at once, and stays while that or `keep` is met."""

    id: str
    rank: int  # 1 is the lowest
    name: dict[str, str]  # by language
    enter: Requirement
    keep: Requirement
    benefits: tuple[str, ...] = ()
    service_level: str | None = None
    notice_days: tuple[int, ...] = ()  # so many days before a fall, longest first
    deduct: int = 0  # taken from the balance at every review


class Ladder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tiers from the lowest to the highest; a customer who meets no `enter` has no tier."""

    id: str
    tiers: tuple[Tier, ...]
    grace_days: int = 0  # `keep` has to be missed for so long before the tier falls; 0 falls at once
    keep_ratio: float = 1.0  # what `keep` was derived with where the file gave none; `keep` already holds the result
    audience: Literal["public", "internal"] = "public"
    clock: Clock = "continuous"  # when `keep` is asked for
    anniversary_of: Literal["tier", "membership"] = "tier"
    year_start: tuple[int, int] = (1, 1)  # month and day on which a fixed year begins
    validity: Span | None = None  # a reached tier holds at least this long
    step_down: int = 0  # at most so many tiers at once; 0 is all the way
    minimum: Requirement | None = None  # without it nobody enters any tier
    balance: Literal["", "spend", "orders"] = ""  # what `balance` adds up


class Band(msgspec.Struct, frozen=True):
    """Scores from `lower_edge` (inclusive) up to the next band's."""

    name: BandName
    lower_edge: float


VALUE_DAYS: Final = 365
DISCOUNT: Final = 0.1


class ChurnRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """The score is P(no purchase within the horizon); bands ascend, the first starts at 0."""

    model: Parameters  # which decides as long as no fitted model was activated
    horizon_days: int
    bands: tuple[Band, ...]
    hysteresis: float  # a band is left downwards only at `lower_edge` - hysteresis
    actions: tuple[tuple[str, str], ...] = ()  # what to do about a customer who enters a band, by the band's name
    value_days: int = VALUE_DAYS  # lifetime value is what is expected within so many days,
    discount: float = DISCOUNT  # discounted continuously at this rate a year

    @property
    def horizon_weeks(self) -> float:
        """The horizon in weeks."""
        return self.horizon_days / 7

    def action(self, band: str) -> str | None:
        """What the policy suggests for a band."""
        return dict(self.actions).get(band)


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy. `hash` identifies it: the SHA-256 of its canonical text, in hexadecimal."""

    name: str
    currency: str  # ISO 4217
    time_zone: str  # IANA
    ladders: tuple[Ladder, ...]
    churn: ChurnRules | None  # None: churn is not judged
    hash: str = ""


def counters(policy: Policy) -> tuple[OrderFilter, ...]:
    """The filters that a customer's state has to count for this policy, each once, in the order of the file."""
    found: dict[OrderFilter, None] = {}
    for ladder in policy.ladders:
        for requirement in requirements_of(ladder):
            found |= {c.where: None for c in comparisons(requirement) if c.where.counted}
    return tuple(found)


def uncounted(policy: Policy, before: Policy) -> tuple[OrderFilter, ...]:
    """What a policy counts by category or store and the one before it did not.

    Orders are counted as they come, and what they were made of is in the journal alone: so it can't follow that one
    before everybody was counted anew (`streams.recount`).
    """
    kept = counters(before)
    return tuple(where for where in counters(policy) if where not in kept)


def requirements_of(ladder: Ladder) -> Iterator[Requirement]:
    """Everything that a ladder asks for."""
    if ladder.minimum is not None:
        yield ladder.minimum
    for tier in ladder.tiers:
        yield tier.enter
        yield tier.keep
