"""Conditions: what a tier asks for, read from `any = [...]` or `all = [...]`, and which requirement includes which."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, inf
from typing import Literal

from schemas.money import EXPONENTS, decimal_to_minor
from streams.policy.document import Node, PolicyError
from streams.policy.model import METRICS, WINDOWS_DAYS, Condition, Metric, Requirement
from streams.policy.reading import DAYS, Table, did_you_mean

# Far above any real amount, and exact in every reader of JSON.
AT_LEAST_MAX = 2**53 - 1
WINDOWS_TEXT = ", ".join(f'"{days} days"' for days in WINDOWS_DAYS) + ' or "lifetime"'
CONDITION_HINT = '{ metric = "orders", window = "365 days", at_least = 3 }'
MODES: tuple[Literal["any", "all"], ...] = ("any", "all")


def read_requirement(node: Node, currency: str | None, mistakes: list[PolicyError]) -> Requirement | None:
    """Read a requirement, amounts in `currency`; None if it has a mistake or needs a currency that is not known."""
    table = Table(node, MODES, mistakes)
    given = [mode for mode in MODES if table.find(mode) is not None]
    if len(given) != 1:
        if isinstance(node.value, dict):
            table.note(None, f"has to hold either `any` or `all`; write for example any = [{CONDITION_HINT}]")
        return None
    nodes = table.array(given[0], hint=CONDITION_HINT)
    conditions = [_read_condition(part, currency, mistakes) for part in nodes]
    complete = tuple(condition for condition in conditions if condition is not None)
    if not complete or len(complete) < len(nodes):
        return None
    for index, condition in enumerate(complete):
        if any((c.metric, c.window_days) == (condition.metric, condition.window_days) for c in complete[:index]):
            table.note(nodes[index], "asks for the same metric over the same window as a condition before it")
            return None
    return Requirement(mode=given[0], conditions=complete)


def _read_condition(node: Node, currency: str | None, mistakes: list[PolicyError]) -> Condition | None:
    table = Table(node, ("metric", "window", "at_least"), mistakes)
    metric = _metric(table)
    window = _window(table)
    at_least = None if metric is None else _amount(table, currency) if metric == "spend" else _count(table)
    if metric is None or window is None or at_least is None:
        return None
    return Condition(metric=metric, window_days=window[0], at_least=at_least)


def _metric(table: Table) -> Metric | None:
    text = table.text("metric", hint='one of the metrics, such as metric = "spend"')
    for metric in METRICS:
        if metric == text:
            return metric
    if text is not None:
        table.note(table.find("metric"), f"unknown metric `{text}`; {did_you_mean(text, METRICS)}")
    return None


def _window(table: Table) -> tuple[int | None] | None:
    """Return the window's days in a tuple, (None,) for the lifetime; None after a mistake."""
    text = table.text("window", hint=f"window = {WINDOWS_TEXT}")
    if text == "lifetime":
        return (None,)
    written = DAYS.fullmatch(text or "")
    if written is not None and int(written[1]) in WINDOWS_DAYS:
        return (int(written[1]),)
    if text is not None:
        table.note(table.find("window"), f"{text!r} is no window that is kept for every customer: {WINDOWS_TEXT}")
    return None


def _count(table: Table) -> int | None:
    part = table.find("at_least", hint="a whole number, such as at_least = 3")
    if part is None:
        return None
    if not isinstance(part.value, int) or isinstance(part.value, bool):
        table.note(part, "has to be a whole number, without quotes")
        return None
    return _in_range(table, part, part.value)


def _amount(table: Table, currency: str | None) -> int | None:
    """Read an amount of money: a decimal text, or a table of them by currency of which the policy's is taken."""
    part = table.find("at_least", hint='an amount in quotes, such as at_least = "100.00"')
    if part is None:
        return None
    place = part
    if isinstance(part.value, dict):
        by_currency = Table(part, EXPONENTS, table.mistakes)
        found = None if currency is None else by_currency.find(currency)
        if found is None:
            if currency is not None:
                known = ", ".join(part.value)
                table.note(part, f'gives no amount in {currency}, only in {known}; add {currency} = "…"')
            return None
        place = found
    if not isinstance(place.value, str):
        table.note(place, 'has to be an amount in quotes, such as "100.00": numbers without quotes may lose cents')
    elif currency is not None:
        try:
            return _in_range(table, place, decimal_to_minor(place.value, currency))
        except ValueError as mistake:
            table.note(place, str(mistake))
    return None


def _in_range(table: Table, place: Node, at_least: int) -> int | None:
    if 1 <= at_least <= AT_LEAST_MAX:
        return at_least
    table.note(place, "has to be above 0: every customer meets 0" if at_least < 1 else "is too large")
    return None


def scaled(requirement: Requirement, ratio: Decimal) -> Requirement:
    """Return the requirement with every threshold times `ratio`, rounded up to a whole count or minor unit."""
    return Requirement(
        mode=requirement.mode,
        conditions=tuple(
            Condition(
                metric=condition.metric,
                window_days=condition.window_days,
                at_least=ceil(condition.at_least * Fraction(ratio)),
            )
            for condition in requirement.conditions
        ),
    )


def implies(strong: Requirement, weak: Requirement) -> bool:
    """Whether everyone who meets `strong` meets `weak`, by the thresholds alone; never true by mistake.

    No metric is ever negative, so a longer window never holds less than a shorter one.
    """
    each = all if strong.mode == "any" else any
    if weak.mode == "any":
        return each(any(_condition_implies(s, w) for w in weak.conditions) for s in strong.conditions)
    return all(each(_condition_implies(s, w) for s in strong.conditions) for w in weak.conditions)


def _condition_implies(strong: Condition, weak: Condition) -> bool:
    return (
        strong.metric == weak.metric
        and strong.at_least >= weak.at_least
        and _length(strong.window_days) <= _length(weak.window_days)
    )


def _length(window_days: int | None) -> float:
    return inf if window_days is None else window_days
