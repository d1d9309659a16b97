"""What follows from requirements by their thresholds alone: which includes which, which nobody can meet, lower marks.

Never true by mistake: where this does not know, it says no.
"""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import msgspec

from streams.policy.metrics import METRICS
from streams.policy.model import AllOf, AnyOf, Comparison, NotMet, Requirement, Threshold, comparisons
from streams.policy.normal import normal
from streams.policy.windows import covers


def scaled(requirement: Requirement, ratio: Decimal) -> Requirement:
    """The requirement with every threshold eased: lower limits times `ratio`, upper ones divided by it.

    Whole counts and minor units are rounded so that who meets the original meets this as well.
    """
    return _scaled(requirement, Fraction(ratio), eased=True)


def _scaled(requirement: Requirement, ratio: Fraction, *, eased: bool) -> Requirement:
    if isinstance(requirement, Comparison):
        return _scaled_comparison(requirement, ratio if eased else 1 / ratio)
    if isinstance(requirement, NotMet):
        return NotMet(_scaled(requirement.part, ratio, eased=not eased))
    parts = tuple(_scaled(part, ratio, eased=eased) for part in requirement.parts)
    return AllOf(parts) if isinstance(requirement, AllOf) else AnyOf(parts)


def _scaled_comparison(c: Comparison, ratio: Fraction) -> Comparison:
    threshold = c.threshold
    if c.operator in {"==", "in"} or isinstance(threshold, str | bool | tuple) or c.metric == "trait":
        return c
    lower = c.operator in {">=", ">"}
    exact = Fraction(str(threshold)) * (ratio if lower else 1 / ratio)
    if isinstance(threshold, float):
        upper = 100.0 if METRICS[c.metric].unit == "percent" else 1.0
        return msgspec.structs.replace(c, threshold=min(upper, float(exact)))
    return msgspec.structs.replace(c, threshold=ceil(exact) if lower else floor(exact))


def implies(strong: Requirement, weak: Requirement) -> bool:
    """Whether everyone who meets `strong` meets `weak`."""
    if isinstance(strong, AnyOf):
        return all(implies(part, weak) for part in strong.parts)
    if isinstance(weak, AllOf):
        return all(implies(strong, part) for part in weak.parts)
    if isinstance(strong, NotMet) and isinstance(weak, NotMet):
        return implies(weak.part, strong.part)
    if isinstance(weak, AnyOf) and any(implies(strong, part) for part in weak.parts):
        return True
    if isinstance(strong, AllOf):
        return any(implies(part, weak) for part in strong.parts)
    return isinstance(strong, Comparison) and isinstance(weak, Comparison) and _comparison_implies(strong, weak)


def impossible(requirement: Requirement) -> bool:
    """Whether nobody can meet it: its parts contradict each other."""
    if isinstance(requirement, AnyOf):
        return all(impossible(part) for part in requirement.parts)
    if not isinstance(requirement, AllOf):
        return False
    if any(impossible(part) for part in requirement.parts):
        return True
    leaves = [part for part in requirement.parts if isinstance(part, Comparison)]
    refused = [part.part for part in requirement.parts if isinstance(part, NotMet)]
    if any(implies(part, other) for part in requirement.parts for other in refused):
        return True
    return any(_exclude(one, other) for one in leaves for other in leaves)


def met_by_a_change(requirement: Requirement) -> Comparison | None:
    """The first comparison that a change of tier, or a deduction, could itself make met; None: there is none.

    It asks for little of what begins anew with every change, or of a balance from which reviews deduct.
    """
    return _met_by_a_change(normal(requirement))


def _met_by_a_change(requirement: Requirement) -> Comparison | None:
    if isinstance(requirement, NotMet):
        return next((c for c in comparisons(requirement) if _lowered(c)), None)
    if isinstance(requirement, Comparison):
        return requirement if _lowered(requirement) and requirement.operator not in {">=", ">"} else None
    return next((found for part in requirement.parts if (found := _met_by_a_change(part)) is not None), None)


def _lowered(c: Comparison) -> bool:
    return c.window.kind == "since-change" or c.metric == "balance"


def same_measure(one: Comparison, other: Comparison) -> bool:
    """Whether both look at the same number, windows aside."""
    return (one.metric, one.where, one.name, one.horizon_days) == (
        other.metric,
        other.where,
        other.name,
        other.horizon_days,
    )


def _comparison_implies(strong: Comparison, weak: Comparison) -> bool:
    if not same_measure(strong, weak):
        return False
    sums = METRICS[strong.metric].sums
    if strong.operator in {">=", ">"} and weak.operator in {">=", ">"}:
        wide_enough = strong.window == weak.window or (sums and covers(weak.window, strong.window))
        return wide_enough and _as_lower(strong) >= _as_lower(weak)
    if strong.operator in {"<=", "<"} and weak.operator in {"<=", "<"}:
        wide_enough = strong.window == weak.window or (sums and covers(strong.window, weak.window))
        return wide_enough and _as_upper(strong) <= _as_upper(weak)
    return strong.window == weak.window and _choices(strong) is not None and _within(strong, weak)


def _exclude(one: Comparison, other: Comparison) -> bool:
    """Whether a lower limit of `one` lies above an upper limit of `other`, or both name different values."""
    if not same_measure(one, other):
        return False
    if one.operator in {">=", ">"} and other.operator in {"<=", "<"}:
        nested = one.window == other.window or (METRICS[one.metric].sums and covers(other.window, one.window))
        return nested and _as_lower(one) > _as_upper(other)
    left, right = _choices(one), _choices(other)
    return left is not None and right is not None and left.isdisjoint(right)


def _as_lower(c: Comparison) -> tuple[float, int]:
    """A lower limit as it orders among limits: one that excludes its number lies above it."""
    return _number(c.threshold), 1 if c.operator == ">" else 0


def _as_upper(c: Comparison) -> tuple[float, int]:
    """An upper limit as it orders among limits: one that excludes its number lies below it."""
    return _number(c.threshold), -1 if c.operator == "<" else 0


def _number(threshold: Threshold) -> float:
    return threshold if isinstance(threshold, int | float) else 0.0


def _choices(c: Comparison) -> frozenset[Threshold] | None:
    """The values that an equality lets pass."""
    if c.operator == "==":
        return frozenset({c.threshold})
    return frozenset(c.threshold) if isinstance(c.threshold, tuple) else None


def _within(strong: Comparison, weak: Comparison) -> bool:
    left, right = _choices(strong), _choices(weak)
    return left is not None and right is not None and left <= right
