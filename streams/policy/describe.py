"""A policy in words, in English and Chinese: what a marketing manager can check without reading TOML."""

from streams.policy.condition_words import Language, requirement_in_words
from streams.policy.ladder_words import LADDER_WORDS, LadderWords
from streams.policy.model import ChurnRules, Ladder, Policy, Span, Tier
from streams.policy.staying import stays_with

__all__ = [
    "Language",
    "churn_lines",
    "describe",
    "ladder_lines",
    "review_sentence",
    "span_in_words",
    "tier_lines",
    "tier_name",
]


def describe(policy: Policy, language: Language = "en") -> str:
    """Return the whole policy in words, one rule a line."""
    words = LADDER_WORDS[language]
    lines = [words.head.format(name=policy.name, currency=policy.currency, time_zone=policy.time_zone)]
    for ladder in policy.ladders:
        lines += ["", *ladder_lines(ladder, policy.currency, language)]
    lines += ["", *([words.no_churn] if policy.churn is None else churn_lines(policy.churn, words))]
    return "\n".join(lines)


def tier_name(tier: Tier, language: str) -> str:
    """Return the tier's name in a language, or else in English, or else in its first one."""
    return tier.name.get(language) or tier.name.get("en") or next(iter(tier.name.values()))


def review_sentence(ladder: Ladder, words: LadderWords) -> str:
    """When it is asked whether a tier is kept."""
    place = words.month_and_day(*ladder.year_start)
    return words.clocks[ladder.clock, ladder.anniversary_of].format(**place)


def ladder_lines(ladder: Ladder, currency: str, language: Language) -> list[str]:
    """A ladder with all its tiers."""
    words = LADDER_WORDS[language]
    sentences = [words.ladder.format(id=ladder.id, audience=words.audiences[ladder.audience])]
    if ladder.validity is not None:
        sentences.append(words.validity.format(span=span_in_words(ladder.validity, words)))
    if ladder.clock != "continuous":
        sentences.append(review_sentence(ladder, words))
    sentences.append(words.fall(ladder.grace_days, ladder.step_down, clocked=ladder.clock != "continuous"))
    lines = [words.join(sentences)]
    if ladder.minimum is not None:
        lines.append(words.minimum.format(minimum=requirement_in_words(ladder.minimum, currency, language)))
    if ladder.balance:
        lines.append(words.balance.format(metric=words.balances[ladder.balance]))
    for tier in ladder.tiers:
        lines += tier_lines(tier, ladder, currency, language)
    return lines


def tier_lines(tier: Tier, ladder: Ladder, currency: str, language: Language) -> list[str]:
    """A tier: what it asks for and what it gives."""
    words = LADDER_WORDS[language]
    lines = [
        words.tier.format(
            rank=tier.rank,
            name=tier_name(tier, language),
            id=tier.id,
            enter=requirement_in_words(tier.enter, currency, language, ladder.balance),
            keep=requirement_in_words(stays_with(tier), currency, language, ladder.balance),
        )
    ]
    if tier.deduct:
        lines.append(words.deduct.format(amount=words.amount(tier.deduct, currency, ladder.balance)))
    if tier.notice_days:
        lines.append(words.notices(tier.notice_days))
    if tier.benefits:
        lines.append(words.benefits.format(benefits=words.benefits_joint.join(tier.benefits)))
    if tier.service_level is not None:
        lines.append(words.service_level.format(service_level=tier.service_level))
    return lines


def span_in_words(span: Span, words: LadderWords) -> str:
    """How long a tier holds."""
    for unit in ("months", "days", "periods"):
        count = getattr(span, unit)
        if count:
            return words.span(unit, count)
    raise ValueError("a span of no length")


def churn_lines(churn: ChurnRules, words: LadderWords) -> list[str]:
    """The rules of churn risk: first what the score is, then the bands."""
    uppers = [band.lower_edge for band in churn.bands[1:]]
    bands = []
    for index, band in enumerate(churn.bands):
        is_last = index == len(uppers)
        template = words.band_from if is_last else words.band_below if index == 0 else words.band_step
        upper = "" if is_last else f"{uppers[index]:g}"
        bands.append(template.format(name=words.bands[band.name], lower=f"{band.lower_edge:g}", upper=upper))
    lines = [
        words.churn.format(days=churn.horizon_days, model=churn.model.name),
        f"  {words.comma.join(bands)}{words.stop}",
    ]
    if churn.hysteresis:
        lines.append(words.hysteresis.format(hysteresis=f"{churn.hysteresis:g}"))
    if churn.actions:
        told = (
            words.action.format(band=words.bands[band.name], action=action)
            for band in churn.bands
            if (action := churn.action(band.name))
        )
        lines.append(words.actions.format(actions=words.comma.join(told)))
    return lines
