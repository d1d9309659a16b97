"""Conditions in words, in English and Chinese."""

from typing import Final

from schemas.money import minor_to_decimal
from streams.policy.metrics import METRICS, NUMBER_TRAITS, Unit
from streams.policy.model import AnyOf, Comparison, NotMet, Requirement
from streams.policy.phrases import PHRASES, Language, Phrase, Phrases
from streams.policy.windows import Window

__all__ = ["Language", "requirement_in_words"]

UNIT_OF_BALANCE: Final[dict[str, Unit]] = {"spend": "money", "orders": "count"}


def requirement_in_words(
    requirement: Requirement, currency: str, language: Language, balance: str = "", *, outermost: bool = True
) -> str:
    """Return a requirement in words; `balance` says what the ladder's balance adds up."""
    words = PHRASES[language]
    if isinstance(requirement, Comparison):
        return _comparison(requirement, currency, words, balance)
    if isinstance(requirement, NotMet):
        return words.negated.format(part=requirement_in_words(requirement.part, currency, language, balance))
    joint = words.any if isinstance(requirement, AnyOf) else words.all
    parts = joint.join(
        requirement_in_words(part, currency, language, balance, outermost=len(requirement.parts) == 1 and outermost)
        for part in requirement.parts
    )
    return parts if outermost or len(requirement.parts) == 1 else words.group.format(parts=parts)


def _comparison(c: Comparison, currency: str, words: Phrases, balance: str) -> str:
    metric = METRICS[c.metric]
    unit = UNIT_OF_BALANCE.get(balance, "count") if c.metric == "balance" else metric.unit
    phrase = words.balances[unit] if c.metric == "balance" else words.metrics[c.metric]
    value = _value(c, unit, currency, words)
    operator = words.operators[phrase.style].get(c.operator, "")
    window = "" if metric.windows == "none" else _window(c.window, words)
    if metric.parameter == "horizon":
        window = words.windows["horizon" if c.horizon_days else "churn-horizon"].format(days=c.horizon_days)
    return (
        _pattern(c, phrase, words)
        .format(
            limit=words.limit.format(operator=operator, value=value),
            value=value,
            name=words.traits.get(c.name, c.name),
            where=_filters(c, currency, words),
            window=window,
        )
        .strip()
    )


def _pattern(c: Comparison, phrase: Phrase, words: Phrases) -> str:
    if c.metric == "trait" and c.name in NUMBER_TRAITS:
        return words.number_trait
    if phrase.none and (c.threshold is False or (c.operator == "<=" and c.threshold == 0)):
        return phrase.none
    return phrase.one if phrase.one and c.threshold == 1 else phrase.many


def _window(window: Window, words: Phrases) -> str:
    if window.kind == "days" and window.days == 1:
        return words.today
    month = words.months[window.month - 1] if window.month else ""
    return words.windows[window.kind].format(days=window.days, month=month, day=window.day)


def _value(c: Comparison, unit: Unit, currency: str, words: Phrases) -> str:
    threshold = c.threshold
    if isinstance(threshold, tuple):
        return words.alternative.join(threshold)
    if unit == "money" and isinstance(threshold, int):
        return _money(threshold, currency)
    if unit in {"share", "probability"} and isinstance(threshold, float):
        return f"{threshold * 100:g} %"
    return f"{threshold:g}" if isinstance(threshold, float) else str(threshold)


def _filters(c: Comparison, currency: str, words: Phrases) -> str:
    where = c.where
    told = {name: words.alternative.join(getattr(where, name)) for name in ("channel", "category", "store")}
    told["channel_type"] = words.channel_types.get(where.channel_type, "")
    for name in ("order_at_least", "order_below"):
        amount = getattr(where, name)
        told[name] = "" if amount is None else _money(amount, currency)
    parts = [words.filters[name].format(values=told[name]) for name in words.filters if told[name]]
    return words.filter_joint.join(parts) + words.filter_end if parts else ""


def _money(minor: int, currency: str) -> str:
    return f"{minor_to_decimal(minor, currency)} {currency}"
