"""Readings of rules as outputs tell them: reasons that decide by themselves, and what is missing to a requirement."""

from typing import Final

from schemas.decisions import Missing, Operator, Reason
from streams.policy.metrics import METRICS, TRAIT_PREFIX
from streams.policy.model import Comparison
from streams.standing.moment import Moment
from streams.standing.rules import Reading, Rule

_UNMET: Final[dict[str, Operator]] = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "==": "!=", "in": "not in"}
_ASKED_ABOUT: Final = ("programme", "ladder")


def reasons(rule: Rule, moment: Moment, name: str, *, met: bool) -> tuple[Reason, ...]:
    """The comparisons that decide that a rule is met, or is not, each with what was read; `name` is the rule's.

    None if it is otherwise.
    """
    if rule.met(moment) is not met:
        return ()
    return tuple(_reason(reading, name) for reading in rule.evidence(moment, met=met))


def missing(rule: Rule, moment: Moment) -> tuple[Missing, ...]:
    """How much is wanted of each lower limit that is not reached; nothing of a rule that is met."""
    if rule.met(moment):
        return ()
    return tuple(
        short(reading.comparison, reading.comparison.threshold - (reading.value or 0))
        for reading in rule.evidence(moment, met=False)
        if reading.comparison.operator in {">=", ">"}
        and isinstance(reading.value, int | float | None)
        and isinstance(reading.comparison.threshold, int | float)
    )


def wanted(rule: Rule) -> tuple[Missing, ...]:
    """What a rule asks for, as a whole: its lower limits, which do not shrink as the customer buys."""
    return tuple(
        short(leaf.comparison, leaf.comparison.threshold)
        for leaf in rule.leaves()
        if leaf.comparison.operator in {">=", ">"} and isinstance(leaf.comparison.threshold, int | float)
    )


def short(c: Comparison, value: float) -> Missing:
    """So much of a comparison's metric."""
    return Missing(metric=metric_name(c), window=window_name(c), where=asked_about(c), value=value)


def metric_name(c: Comparison) -> str:
    """The metric as outputs name it: money carries its unit in its name, a trait its own."""
    if c.metric == "trait":
        return TRAIT_PREFIX + c.name
    money = METRICS[c.metric].unit == "money" or (c.metric == "balance" and c.name == "spend")
    return f"{c.metric}_minor" if money else c.metric


def window_name(c: Comparison) -> str:
    """The window as outputs name it; of a probability its horizon, where the condition names one."""
    return f"{c.horizon_days}d" if c.horizon_days else c.window.name


def asked_about(c: Comparison) -> str | None:
    """The filter, or the programme or ladder that is asked about."""
    parameter = METRICS[c.metric].parameter
    if parameter in _ASKED_ABOUT:
        return f"{parameter}={c.name}"
    return c.where.name or None


def _reason(reading: Reading, name: str) -> Reason:
    c = reading.comparison
    return Reason(
        rule=name,
        metric=metric_name(c),
        window=window_name(c),
        where=asked_about(c),
        value=reading.value,
        operator=c.operator if reading.met else _UNMET[c.operator],
        threshold=c.threshold,
    )
