"""Ladders and churn rules in words, in English and Chinese."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.money import minor_to_decimal
from streams.policy.condition_words import Language
from streams.policy.model import BandName


class LadderWords(NamedTuple):
    """The sentences of one language; every placeholder is the name of what goes there."""

    head: str
    ladder: str
    audiences: dict[str, str]
    clocks: dict[tuple[str, str], str]
    validity: str
    spans: dict[tuple[str, bool], str]
    """By unit, and whether it is one."""
    falls: dict[tuple[bool, bool], str]
    """By whether there is a clock, and whether there is a grace period."""
    step: dict[bool, str]
    """By whether the fall stops after some tiers."""
    minimum: str
    balance: str
    balances: dict[str, str]
    tier: str
    deduct: str
    notice: str
    benefits: str
    service_level: str
    churn: str
    band_below: str
    band_from: str
    band_step: str
    hysteresis: str
    actions: str
    action: str
    no_churn: str
    comma: str
    stop: str
    space: str
    bands: dict[BandName, str]

    def fall(self, grace_days: int, step_down: int, *, clocked: bool) -> str:
        """When and how far somebody falls."""
        to = self.step[bool(step_down)].format(tiers=step_down)
        return self.falls[clocked, bool(grace_days)].format(days=grace_days, to=to)

    def join(self, sentences: Iterable[str]) -> str:
        """One sentence after the other."""
        return self.space.join(sentences)

    def amount(self, value: int, currency: str, balance: str) -> str:
        """What is taken from a balance."""
        return f"{minor_to_decimal(value, currency)} {currency}" if balance == "spend" else str(value)


_ENGLISH: Final = LadderWords(
    head="Policy {name}: amounts in {currency}, days of {time_zone}.",
    ladder='Ladder "{id}"{audience}: whoever meets what a tier asks for rises at once.',
    audiences={"public": "", "internal": " (internal)"},
    clocks={
        ("calendar-year", "tier"): "At the end of each calendar year it is reviewed whether a tier is kept.",
        ("fixed-year", "tier"): "Each {month:02}-{day:02} it is reviewed whether a tier is kept.",
        ("anniversary", "tier"): "On each anniversary of reaching a tier it is reviewed whether the tier is kept.",
        ("anniversary", "membership"): "On each anniversary of joining it is reviewed whether a tier is kept.",
    },
    validity="A tier holds at least {span}.",
    spans={
        ("months", True): "{count} month",
        ("months", False): "{count} months",
        ("days", True): "{count} day",
        ("days", False): "{count} days",
        ("periods", True): "until the end of the period in which it was reached",
        ("periods", False): "{count} periods, the one in which it was reached among them",
    },
    falls={
        (False, False): "Who no longer keeps a tier falls at once{to}.",
        (False, True): "Who does not keep a tier for {days} days on end falls{to}.",
        (True, False): "Who has not kept it then falls{to}.",
        (True, True): "Who has not kept it then, nor does within {days} days, falls{to}.",
    },
    step={False: " to the highest one below that is kept", True: " by at most {tiers} at a time"},
    minimum="  Nobody enters a tier without {minimum}.",
    balance="  The balance is {metric} over the whole life, less what reviews deducted.",
    balances={"spend": "net spend", "orders": "orders"},
    tier="  {rank}. {name} ({id}): enter with {enter}; keep with {keep}.",
    deduct="     Each review deducts {amount} from the balance.",
    notice="     A fall is announced {days} days before.",
    benefits="     Benefits: {benefits}.",
    service_level="     Service level: {service_level}.",
    churn="Churn risk: the probability of no purchase in the next {days} days, by the model {model}.",
    band_below="{name} below {upper}",
    band_from="{name} from {lower}",
    band_step="{name} from {lower} to {upper}",
    hysteresis="  The band falls only when the score is more than {hysteresis} below the band's lower edge.",
    actions="  Suggested on entering a band: {actions}.",
    action="{band}: {action}",
    no_churn="Churn risk is not judged.",
    comma=", ",
    stop=".",
    space=" ",
    bands={"low": "low", "medium": "medium", "high": "high", "very_high": "very high"},
)

# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation
_CHINESE: Final = LadderWords(
    head="策略 {name}：金额单位 {currency}，按 {time_zone} 的自然日计算。",
    ladder="等级体系“{id}”{audience}：达到某一等级的条件即刻升级。",
    audiences={"public": "", "internal": "（内部）"},
    clocks={
        ("calendar-year", "tier"): "每个自然年结束时复核是否保级。",
        ("fixed-year", "tier"): "每年 {month:02}-{day:02} 复核是否保级。",
        ("anniversary", "tier"): "每逢达到等级的周年日复核是否保级。",
        ("anniversary", "membership"): "每逢入会周年日复核是否保级。",
    },
    validity="等级至少有效 {span}。",
    spans={
        ("months", True): "{count} 个月",
        ("months", False): "{count} 个月",
        ("days", True): "{count} 天",
        ("days", False): "{count} 天",
        ("periods", True): "至当期结束",
        ("periods", False): "{count} 个周期（含当期）",
    },
    falls={
        (False, False): "不再满足保级条件时，即刻{to}。",
        (False, True): "连续 {days} 天不满足保级条件时，{to}。",
        (True, False): "届时不满足保级条件者，{to}。",
        (True, True): "届时不满足保级条件且 {days} 天内仍未满足者，{to}。",
    },
    step={False: "降至仍可保留的最高等级", True: "每次最多降 {tiers} 级"},
    minimum="  进入任何等级的前提：{minimum}。",
    balance="  成长值：{metric}（累计），减去历次复核的扣减。",
    balances={"spend": "净消费", "orders": "订单数"},
    tier="  {rank}. {name}（{id}）：升级条件：{enter}；保级条件：{keep}。",
    deduct="     每次复核扣减成长值 {amount}。",
    notice="     降级前 {days} 天发出预告。",
    benefits="     权益：{benefits}。",
    service_level="     服务级别：{service_level}。",
    churn="流失风险：按模型 {model} 计算的未来 {days} 天内不再购买的概率。",
    band_below="{name}：低于 {upper}",
    band_from="{name}：{lower} 及以上",
    band_step="{name}：{lower} 至 {upper}",
    hysteresis="  仅当分值低于所在区间下限 {hysteresis} 以上时，风险区间才会下降。",
    actions="  进入区间时的建议动作：{actions}。",
    action="{band}：{action}",
    no_churn="不评估流失风险。",
    comma="，",
    stop="。",
    space="",
    bands={"low": "低", "medium": "中", "high": "高", "very_high": "极高"},
)

LADDER_WORDS: Final[dict[Language, LadderWords]] = {"en": _ENGLISH, "zh": _CHINESE}
