"""A policy in words, in English and Chinese: what a marketing manager can check without reading TOML."""

from streams.policy.condition_words import Language, requirement_in_words
from streams.policy.ladder_words import LADDER_WORDS, LadderWords
from streams.policy.model import ChurnRules, Ladder, Policy, Span, Tier

__all__ = ["Language", "describe", "tier_name"]


def describe(policy: Policy, language: Language = "en") -> str:
    """Return the whole policy in words, one rule a line."""
    words = LADDER_WORDS[language]
    lines = [words.head.format(name=policy.name, currency=policy.currency, time_zone=policy.time_zone)]
    for ladder in policy.ladders:
        lines += ["", *_ladder(ladder, policy.currency, language)]
    lines += ["", *([words.no_churn] if policy.churn is None else _churn(policy.churn, words))]
    return "\n".join(lines)


def tier_name(tier: Tier, language: str) -> str:
    """Return the tier's name in a language, or else in English, or else in its first one."""
    return tier.name.get(language) or tier.name.get("en") or next(iter(tier.name.values()))


def _ladder(ladder: Ladder, currency: str, language: Language) -> list[str]:
    words = LADDER_WORDS[language]
    sentences = [words.ladder.format(id=ladder.id, audience=words.audiences[ladder.audience])]
    if ladder.clock != "continuous":
        month, day = ladder.year_start
        sentences.append(words.clocks[ladder.clock, ladder.anniversary_of].format(month=month, day=day))
    if ladder.validity is not None:
        sentences.append(words.validity.format(span=_span(ladder.validity, words)))
    sentences.append(words.fall(ladder.grace_days, ladder.step_down, clocked=ladder.clock != "continuous"))
    lines = [words.join(sentences)]
    if ladder.minimum is not None:
        lines.append(words.minimum.format(minimum=requirement_in_words(ladder.minimum, currency, language)))
    if ladder.balance:
        lines.append(words.balance.format(metric=words.balances[ladder.balance]))
    for tier in ladder.tiers:
        lines += _tier(tier, ladder, currency, language)
    return lines


def _tier(tier: Tier, ladder: Ladder, currency: str, language: Language) -> list[str]:
    words = LADDER_WORDS[language]
    lines = [
        words.tier.format(
            rank=tier.rank,
            name=tier_name(tier, language),
            id=tier.id,
            enter=requirement_in_words(tier.enter, currency, language, ladder.balance),
            keep=requirement_in_words(tier.keep, currency, language, ladder.balance),
        )
    ]
    if tier.deduct:
        lines.append(words.deduct.format(amount=words.amount(tier.deduct, currency, ladder.balance)))
    if tier.notice_days:
        lines.append(words.notice.format(days=words.comma.join(str(days) for days in tier.notice_days)))
    if tier.benefits:
        lines.append(words.benefits.format(benefits=words.comma.join(tier.benefits)))
    if tier.service_level is not None:
        lines.append(words.service_level.format(service_level=tier.service_level))
    return lines


def _span(span: Span, words: LadderWords) -> str:
    for unit in ("months", "days", "periods"):
        count = getattr(span, unit)
        if count:
            return words.spans[unit, count == 1].format(count=count)
    raise ValueError("a span of no length")


def _churn(churn: ChurnRules, words: LadderWords) -> list[str]:
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
