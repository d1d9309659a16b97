"""A policy in words, in English and Chinese: what a marketing manager can check without reading TOML."""
# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation

from typing import Literal, NamedTuple, TypeAlias

from schemas.money import minor_to_decimal
from streams.policy.model import BandName, ChurnRules, Condition, Ladder, Policy, Requirement, Tier

Language: TypeAlias = Literal["en", "zh"]


class _Words(NamedTuple):
    """The sentences of one language; every placeholder is the name of what goes there."""

    head: str
    ladder: str
    fall_at_once: str
    fall_after_grace: str
    tier: str
    benefits: str
    service_level: str
    any: str
    all: str
    lifetime: str
    rolling: str
    spend: str
    orders: str
    visits: str
    tickets: str
    churn: str
    band_below: str
    band_from: str
    band_step: str
    hysteresis: str
    no_churn: str
    comma: str
    stop: str
    bands: dict[BandName, str]


_ENGLISH = _Words(
    head="Policy {name}: amounts in {currency}, days of {time_zone}.",
    ladder='Ladder "{id}": whoever meets what a tier asks for rises at once. {fall}',
    fall_at_once="Who no longer keeps a tier falls at once to the highest one below that is kept.",
    fall_after_grace="Who does not keep a tier for {days} days on end falls to the highest one below that is kept.",
    tier="  {rank}. {name} ({id}): enter with {enter}; keep with {keep}.",
    benefits="     Benefits: {benefits}.",
    service_level="     Service level: {service_level}.",
    any=" or ",
    all=" and ",
    lifetime=" ever",
    rolling=" in the last {days} days",
    spend="at least {amount} {currency} net spend",
    orders="at least {count} orders",
    visits="at least {count} visits",
    tickets="at least {count} tickets",
    churn="Churn risk: the probability of no purchase in the next {days} days, by the model {model}.",
    band_below="{name} below {upper}",
    band_from="{name} from {lower}",
    band_step="{name} from {lower} to {upper}",
    hysteresis="  The band falls only when the score is more than {hysteresis} below the band's lower edge.",
    no_churn="Churn risk is not judged.",
    comma=", ",
    stop=".",
    bands={"low": "low", "medium": "medium", "high": "high", "very_high": "very high"},
)

_CHINESE = _Words(
    head="策略 {name}：金额单位 {currency}，按 {time_zone} 的自然日计算。",
    ladder="等级体系“{id}”：达到某一等级的条件即刻升级。{fall}",
    fall_at_once="不再满足保级条件时，即刻降至仍可保留的最高等级。",
    fall_after_grace="连续 {days} 天不满足保级条件时，降至仍可保留的最高等级。",
    tier="  {rank}. {name}（{id}）：升级条件：{enter}；保级条件：{keep}。",
    benefits="     权益：{benefits}。",
    service_level="     服务级别：{service_level}。",
    any="，或",
    all="，且",
    lifetime="累计",
    rolling="近 {days} 天",
    spend="净消费满 {amount} {currency}",
    orders="订单满 {count} 笔",
    visits="访问满 {count} 次",
    tickets="工单满 {count} 件",
    churn="流失风险：按模型 {model} 计算的未来 {days} 天内不再购买的概率。",
    band_below="{name}：低于 {upper}",
    band_from="{name}：{lower} 及以上",
    band_step="{name}：{lower} 至 {upper}",
    hysteresis="  仅当分值低于所在区间下限 {hysteresis} 以上时，风险区间才会下降。",
    no_churn="不评估流失风险。",
    comma="，",
    stop="。",
    bands={"low": "低", "medium": "中", "high": "高", "very_high": "极高"},
)

_WORDS: dict[Language, _Words] = {"en": _ENGLISH, "zh": _CHINESE}


def describe(policy: Policy, language: Language = "en") -> str:
    """Return the whole policy in words, one rule a line."""
    words = _WORDS[language]
    lines = [words.head.format(name=policy.name, currency=policy.currency, time_zone=policy.time_zone)]
    for ladder in policy.ladders:
        lines += ["", *_ladder(ladder, policy.currency, language)]
    lines += ["", *([words.no_churn] if policy.churn is None else _churn(policy.churn, words))]
    return "\n".join(lines)


def describe_condition(condition: Condition, currency: str, language: Language = "en") -> str:
    """Return one condition in words, as it stands in the rules."""
    words = _WORDS[language]
    days = condition.window_days
    window = words.lifetime if days is None else words.rolling.format(days=days)
    if condition.metric == "spend":
        amount = minor_to_decimal(condition.at_least, currency)
        asked = words.spend.format(amount=amount, currency=currency)
    else:
        template = {"orders": words.orders, "visits": words.visits, "tickets": words.tickets}[condition.metric]
        asked = template.format(count=condition.at_least)
        if language == "en" and condition.at_least == 1:
            asked = asked.removesuffix("s")
    return f"{window}{asked}" if language == "zh" else f"{asked}{window}"


def tier_name(tier: Tier, language: str) -> str:
    """Return the tier's name in a language, or else in English, or else in its first one."""
    return tier.name.get(language) or tier.name.get("en") or next(iter(tier.name.values()))


def _ladder(ladder: Ladder, currency: str, language: Language) -> list[str]:
    words = _WORDS[language]
    fall = words.fall_after_grace if ladder.grace_days else words.fall_at_once
    lines = [words.ladder.format(id=ladder.id, fall=fall.format(days=ladder.grace_days))]
    for tier in ladder.tiers:
        lines.append(
            words.tier.format(
                rank=tier.rank,
                name=tier_name(tier, language),
                id=tier.id,
                enter=_requirement(tier.enter, currency, language),
                keep=_requirement(tier.keep, currency, language),
            )
        )
        if tier.benefits:
            lines.append(words.benefits.format(benefits=words.comma.join(tier.benefits)))
        if tier.service_level is not None:
            lines.append(words.service_level.format(service_level=tier.service_level))
    return lines


def _requirement(requirement: Requirement, currency: str, language: Language) -> str:
    words = _WORDS[language]
    joint = words.any if requirement.mode == "any" else words.all
    return joint.join(describe_condition(condition, currency, language) for condition in requirement.conditions)


def _churn(churn: ChurnRules, words: _Words) -> list[str]:
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
    return lines
