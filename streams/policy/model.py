"""A policy after parsing: frozen, complete, every default resolved. Here live the types, nothing that reads or judges.

Money is in integer minor units of the policy's currency, windows and grace are in local days of its time zone.
Field names are those of the policy file where there is one.
"""

from typing import Literal, TypeAlias

import msgspec

from streams.models.mbgnbd import Parameters

Metric: TypeAlias = Literal["spend", "orders", "visits", "tickets"]
METRICS: tuple[Metric, ...] = ("spend", "orders", "visits", "tickets")

# The rolling windows that a customer's state keeps sums for; besides them there is the lifetime (None).
WINDOWS_DAYS: tuple[int, ...] = (30, 90, 365)

BandName: TypeAlias = Literal["low", "medium", "high", "very_high"]
BAND_NAMES: tuple[BandName, ...] = ("low", "medium", "high", "very_high")


class Condition(msgspec.Struct, frozen=True):
    """`metric` over the window is at least `at_least`: minor units for spend, a count otherwise; always >= 1."""

    metric: Metric
    window_days: int | None  # rolling local days; None is the lifetime
    at_least: int


class Requirement(msgspec.Struct, frozen=True):
    """One or more conditions: all of them, or any of them."""

    mode: Literal["all", "any"]
    conditions: tuple[Condition, ...]


class Tier(msgspec.Struct, frozen=True):
    """One rung: whoever meets `enter` rises to it at once, and stays while `keep` is met."""

    id: str
    rank: int  # 1 is the lowest
    name: dict[str, str]  # by language
    enter: Requirement
    keep: Requirement
    benefits: tuple[str, ...]
    service_level: str | None


class Ladder(msgspec.Struct, frozen=True):
    """Tiers from the lowest to the highest; a customer who meets no `enter` has no tier."""

    id: str
    tiers: tuple[Tier, ...]
    grace_days: int  # `keep` has to be missed for so long before the tier falls; 0 falls at once
    keep_ratio: float  # what `keep` was derived with where the file gave none; `keep` already holds the result


class Band(msgspec.Struct, frozen=True):
    """Scores from `lower_edge` (inclusive) up to the next band's."""

    name: BandName
    lower_edge: float


class ChurnRules(msgspec.Struct, frozen=True):
    """The score is P(no purchase within the horizon); bands ascend, the first starts at 0."""

    model: Parameters
    horizon_days: int
    bands: tuple[Band, ...]
    hysteresis: float  # a band is left downwards only at `lower_edge` - hysteresis

    @property
    def horizon_weeks(self) -> float:
        """The horizon in the model's unit of time."""
        return self.horizon_days / 7


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy. `hash` identifies it: the SHA-256 of its canonical text, in hexadecimal."""

    name: str
    currency: str  # ISO 4217
    time_zone: str  # IANA
    ladders: tuple[Ladder, ...]
    churn: ChurnRules | None  # None: churn is not judged
    hash: str = ""
