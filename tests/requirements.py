"""Requirements written short, for tests that make policies without a file."""

from streams.policy.model import AllOf, AnyOf, Comparison, Requirement
from streams.policy.windows import LIFETIME, rolling


def at_least(metric: str, window_days: int | None, threshold: float) -> Comparison:
    """At least so much of a metric in the last days; None: ever."""
    window = LIFETIME if window_days is None else rolling(window_days)
    return Comparison(metric=metric, operator=">=", threshold=threshold, window=window)


def any_of(*parts: Requirement) -> AnyOf:
    """One of them."""
    return AnyOf(parts)


def all_of(*parts: Requirement) -> AllOf:
    """All of them."""
    return AllOf(parts)
