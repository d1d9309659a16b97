"""Computes an explanation's decisions again from what it says itself: nothing but the explanation is looked at."""

from collections.abc import Callable, Iterator
from datetime import date
from math import isclose
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from streams.explain.report import Condition, Explanation, How, Judgement, Logic, Value

_TRUE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": ge,
    ">": gt,
    "<=": le,
    "<": lt,
    "==": eq,
    "!=": ne,
    "in": lambda value, threshold: value in threshold,
    "not in": lambda value, threshold: value not in threshold,
}


def judgements(explanation: Explanation) -> Iterator[Judgement]:
    """Every rule that an explanation tells of."""
    for ladder in explanation.ladders:
        yield from (judged for judged in (ladder.decided_by, ladder.keep) if judged is not None)


def mismatches(judged: Judgement) -> Iterator[str]:
    """What does not follow, each in one line; none: all of it does."""
    for condition in judged.conditions:
        name = f"{judged.rule}: {condition.metric} over {condition.window}"
        if condition.where:
            name += f" ({condition.where})"
        if condition.value is None:
            if condition.met:
                yield f"{name} is met though nothing is known"
        elif not _TRUE[condition.operator](condition.value, condition.threshold):
            yield f"{name} is {condition.value}, which is not {condition.operator} {condition.threshold}"
        if condition.how != "stated" and not _same(counted := value_of(condition), condition.value):
            yield f"{name} is {condition.value}, but its {len(condition.contributions)} events make {counted}"
    truth = _truth(judged.logic, judged.conditions)
    if truth is not judged.met:
        told = {True: "met", False: "not met", None: "undecided"}
        yield f"{judged.rule} is {told[judged.met]}, but by its conditions it is {told[truth]}"


def value_of(condition: Condition) -> Value:
    """The value that the contributions make; None: they make none."""
    return _MADE[condition.how](condition, *_sums(condition))


def _sums(condition: Condition) -> tuple[int, int]:
    each = condition.contributions
    return sum(one.amount for one in each), sum(one.of for one in each)


def _gap(condition: Condition) -> Value:
    kept: dict[int, int] = {}
    for each in condition.contributions:
        kept[_day(each.day)] = kept.get(_day(each.day), 0) + each.amount
    days = [day for day, orders in kept.items() if orders > 0]
    return (max(days) - min(days)) / (len(days) - 1) if len(days) > 1 else None


def _days_since(condition: Condition) -> Value:
    days = [_day(each.day) for each in condition.contributions if each.amount > 0]
    return _day(condition.to_day) - max(days) if days else None


_MADE: Final[dict[How, Callable[[Condition, int, int], Value]]] = {
    "sum": lambda _, part, __: part,
    "balance": lambda condition, part, _: max(0, part - condition.deducted),
    "average": lambda _, part, whole: part // whole if whole else None,
    "share": lambda _, part, whole: part / whole if whole else None,
    "refund_rate": lambda _, part, whole: part / (part + whole) if part + whole else None,
    "satisfaction": lambda _, part, whole: part / (10 * whole) if whole else None,
    "distinct": lambda condition, _, __: len({each.what for each in condition.contributions}),
    "days_since": lambda condition, _, __: _days_since(condition),
    "gap": lambda condition, _, __: _gap(condition),
    "stated": lambda condition, _, __: condition.value,
}


def _truth(logic: Logic | None, conditions: tuple[Condition, ...]) -> bool | None:
    """What a rule comes to when only the conditions told are known; None: that does not decide it."""
    if logic is None:
        return None
    if logic.condition is not None:
        return conditions[logic.condition].met
    if logic.negated is not None:
        part = _truth(logic.negated, conditions)
        return None if part is None else not part
    decisive = logic.any is not None
    held = [_truth(part, conditions) for part in (logic.any if logic.any is not None else logic.all) or ()]
    if decisive in held:
        return decisive
    return None if None in held else not decisive


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return isclose(one, other, rel_tol=1e-12)
    return one == other


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
