"""What two policies decide differently: rules that were added, removed or changed, by key and in words.

How a rule is written makes no difference, nor does what `keep_ratio` it was derived with, nor the policy's name.
"""

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from streams.policy.condition_words import requirement_in_words
from streams.policy.describe import churn_lines, ladder_lines, review_sentence, span_in_words, tier_lines
from streams.policy.ladder_words import LADDER_WORDS
from streams.policy.model import Ladder, Policy, Requirement, Tier
from streams.policy.normal import normal
from streams.policy.phrases import Language
from streams.policy.staying import stays_with

Kind: TypeAlias = Literal["added", "removed", "changed"]
Words: TypeAlias = Callable[[Language], str]


class Difference(NamedTuple):
    """One rule that is not the same in both."""

    kind: Kind
    key: str
    """Where it stands in a policy file, with ids in the place of numbers."""
    before: Words | None
    after: Words | None


class Rule(NamedTuple):
    """One rule: what decides whether it is the same, and its words. A value of None is the rule's absence."""

    value: object
    words: Words


def differences(before: Policy, after: Policy) -> list[Difference]:
    """Every rule that is not the same in both, in the order of the file."""
    old, new = _rules(before), _rules(after)
    found = []
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        if _inside_of_another(key, old, new):
            continue
        kind = _kind(was, now)
        if kind is not None:
            told = None if kind == "added" or was is None else was.words
            found.append(Difference(kind, key, told, None if kind == "removed" or now is None else now.words))
    return found


def _kind(was: Rule | None, now: Rule | None) -> Kind | None:
    old, new = was and was.value, now and now.value
    if old == new:
        return None
    return "added" if old is None else "removed" if new is None else "changed"


def _inside_of_another(key: str, old: dict[str, Rule], new: dict[str, Rule]) -> bool:
    """Whether the key belongs to a ladder or a tier that one of the policies lacks: that is told as a whole."""
    parts = key.split(".")
    wholes = [".".join(parts[:length]) for length in (1, 2, 4) if length < len(parts)]
    return any((whole in old) is not (whole in new) for whole in wholes if whole in old or whole in new)


def _rules(policy: Policy) -> dict[str, Rule]:
    return dict(_policy_rules(policy))


def _policy_rules(policy: Policy) -> Iterator[tuple[str, Rule]]:
    yield "policy.currency", _same(policy.currency)
    yield "policy.time_zone", _same(policy.time_zone)
    for ladder in policy.ladders:
        yield from _ladder_rules(ladder, policy.currency)
    churn = policy.churn
    if churn is None:
        return
    yield "churn", Rule("judged", lambda language: "\n".join(churn_lines(churn, LADDER_WORDS[language])))
    yield "churn.model", Rule(churn.model, lambda _: churn.model.name)
    yield "churn.horizon", Rule(churn.horizon_days, lambda language: LADDER_WORDS[language].days(churn.horizon_days))
    yield "churn.bands", Rule(churn.bands, lambda language: churn_lines(churn, LADDER_WORDS[language])[1].strip())
    yield "churn.hysteresis", _same(f"{churn.hysteresis:g}")
    yield "churn.actions", _same(", ".join(f"{band}: {action}" for band, action in churn.actions))
    yield "churn.value_horizon", Rule(churn.value_days, lambda language: LADDER_WORDS[language].days(churn.value_days))
    yield "churn.discount", _same(f"{churn.discount:g}")


def _ladder_rules(ladder: Ladder, currency: str) -> Iterator[tuple[str, Rule]]:
    key = f"ladder.{ladder.id}"
    validity, balance = ladder.validity, ladder.balance
    yield key, Rule("there", lambda language: "\n".join(ladder_lines(ladder, currency, language)))
    yield f"{key}.audience", Rule(ladder.audience, lambda language: LADDER_WORDS[language].told_to[ladder.audience])
    clock = (ladder.clock, ladder.anniversary_of, ladder.year_start)
    yield f"{key}.review", Rule(clock, lambda language: review_sentence(ladder, LADDER_WORDS[language]))
    yield (
        f"{key}.validity",
        Rule(validity, lambda language: span_in_words(validity, LADDER_WORDS[language]).strip() if validity else ""),
    )
    yield f"{key}.grace", Rule(ladder.grace_days, lambda language: LADDER_WORDS[language].days(ladder.grace_days))
    yield f"{key}.step_down", Rule(ladder.step_down, lambda language: LADDER_WORDS[language].steps(ladder.step_down))
    yield f"{key}.minimum", _requirement(ladder.minimum, currency, balance)
    yield (
        f"{key}.balance",
        Rule(balance or None, lambda language: LADDER_WORDS[language].balances[balance] if balance else ""),
    )
    yield f"{key}.tier", _same([tier.id for tier in ladder.tiers], " < ")
    for tier in ladder.tiers:
        yield from _tier_rules(tier, ladder, currency)


def _tier_rules(tier: Tier, ladder: Ladder, currency: str) -> Iterator[tuple[str, Rule]]:
    key = f"ladder.{ladder.id}.tier.{tier.id}"
    yield key, Rule("there", lambda language: "\n".join(tier_lines(tier, ladder, currency, language)))
    yield f"{key}.name", Rule(tier.name, lambda _: ", ".join(f"{name} ({code})" for code, name in tier.name.items()))
    yield f"{key}.enter", _requirement(tier.enter, currency, ladder.balance)
    yield f"{key}.keep", _requirement(stays_with(tier), currency, ladder.balance)
    yield f"{key}.benefits", _same(list(tier.benefits))
    yield f"{key}.service_level", _same(tier.service_level)
    notice = tier.notice_days
    yield (
        f"{key}.notice",
        Rule(notice or None, lambda language: LADDER_WORDS[language].notices(notice).strip() if notice else ""),
    )
    deduct = tier.deduct
    yield (
        f"{key}.deduct",
        Rule(deduct or None, lambda language: LADDER_WORDS[language].amount(deduct, currency, ladder.balance)),
    )


def _requirement(requirement: Requirement | None, currency: str, balance: str) -> Rule:
    if requirement is None:
        return ABSENT
    same = normal(requirement)
    # The same number of another currency is another amount; what asks for no amount stays the same.
    value = same, requirement_in_words(same, currency, "en", balance)
    return Rule(value, lambda language: requirement_in_words(requirement, currency, language, balance))


def _same(value: str | list[str] | None, joint: str = ", ") -> Rule:
    """A rule whose value is its own word in every language."""
    told = joint.join(value) if isinstance(value, list) else value or ""
    return Rule(value or None, lambda _: told)


ABSENT: Final = Rule(None, lambda _: "")

_SIGNS: Final[dict[Kind, str]] = {"added": "+", "removed": "-", "changed": "~"}
_NOTHING: Final[dict[Language, str]] = {"en": "none", "zh": "无"}
_SIDES: Final[dict[Language, tuple[str, str]]] = {"en": ("before: ", "after:  "), "zh": ("原：", "现：")}  # noqa: RUF001 - Chinese sentences are set with full-width punctuation
_SAME: Final[dict[Language, str]] = {"en": "No difference: both decide alike.", "zh": "没有差异：两者的判定相同。"}  # noqa: RUF001 - as above


def difference_lines(found: list[Difference], language: Language) -> list[str]:
    """Differences in words: a line with sign and key for each, below it how it was and how it is."""
    if not found:
        return [_SAME[language]]
    lines = []
    for difference in found:
        lines.append(f"{_SIGNS[difference.kind]} {difference.key}")
        sides = zip(_SIDES[language], (difference.before, difference.after), strict=True)
        told = [(side, words(language) or _NOTHING[language]) for side, words in sides if words is not None]
        for side, text in told:
            shown = side if len(told) > 1 else ""
            lines += [f"    {shown if row == 0 else ''}{line.rstrip()}" for row, line in enumerate(text.splitlines())]
    return lines
