"""Ladders and churn rules in words, in English and Chinese."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.money import minor_to_decimal
from streams.policy.model import BandName
from streams.policy.phrases import PHRASES, Language


class LadderWords(NamedTuple):
    """The sentences of one language; every placeholder is the name of what goes there."""

    head: str
    ladder: str
    audiences: dict[str, str]
    told_to: dict[str, str]
    """Audiences that stand alone."""
    clocks: dict[tuple[str, str], str]
    validity: str
    spans: dict[tuple[str, bool], str]
    """By unit, and whether it is one."""
    falls: dict[tuple[bool, bool], str]
    """By whether there is a clock, and whether there is a grace period."""
    step: dict[int, str]
    """By how many tiers a fall goes down at most: 0 for all the way, 1, 2 for several."""
    minimum: str
    balance: str
    balances: dict[str, str]
    tier: str
    deduct: str
    orders: dict[bool, str]
    """What is taken from a balance of orders, by whether it is one."""
    notice: str
    notice_days: dict[bool, str]
    """By whether it is one."""
    notice_joint: str
    notice_last: str
    """Before the last of several."""
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
    benefits_joint: str
    months: tuple[str, ...]
    stop: str
    space: str
    bands: dict[BandName, str]

    def month_and_day(self, month: int, day: int) -> dict[str, object]:
        """The places of a day of the year."""
        return {"month": self.months[month - 1], "day": day}

    def fall(self, grace_days: int, step_down: int, *, clocked: bool) -> str:
        """When and how far somebody falls."""
        to = self.step[min(step_down, 2)].format(tiers=step_down)
        return self.falls[clocked, bool(grace_days)].format(span=self.span("days", grace_days), to=to)

    def span(self, unit: str, count: int) -> str:
        """A length of time within a sentence."""
        return self.spans[unit, count == 1].format(count=count)

    def days(self, count: int) -> str:
        """Days that stand alone."""
        return self.span("days", count).strip()

    def steps(self, tiers: int) -> str:
        """How far somebody falls at most."""
        return self.step[min(tiers, 2)].format(tiers=tiers).strip()

    def join(self, sentences: Iterable[str]) -> str:
        """One sentence after the other."""
        return self.space.join(sentences)

    def amount(self, value: int, currency: str, balance: str) -> str:
        """What is taken from a balance."""
        if balance == "spend":
            return f"{minor_to_decimal(value, currency)} {currency}"
        return self.orders[value == 1].format(count=value)

    def notices(self, days: Iterable[int]) -> str:
        """How long before a fall it is announced."""
        *before, last = [str(count) for count in days]
        told = self.notice_last.join([self.notice_joint.join(before), last]) if before else last
        return self.notice.format(before=self.notice_days[told == "1"].format(days=told))


_ENGLISH: Final = LadderWords(
    head="Policy {name}: amounts in {currency}, days of {time_zone}.",
    ladder='Ladder "{id}"{audience}: whoever meets what a tier asks for rises at once.',
    audiences={"public": "", "internal": " (internal)"},
    told_to={"public": "public", "internal": "internal"},
    clocks={
        ("continuous", "tier"): "At any time it is asked whether a tier is kept.",
        ("calendar-year", "tier"): "At the end of each calendar year it is reviewed whether a tier is kept.",
        ("fixed-year", "tier"): "On {day} {month} of each year it is reviewed whether a tier is kept.",
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
        (False, True): "Who does not keep a tier for {span} on end falls{to}.",
        (True, False): "Who has not kept it then falls{to}.",
        (True, True): "Who has not kept it then, nor does within {span}, falls{to}.",
    },
    step={
        0: " to the highest one below that is kept",
        1: " to the next one below",
        2: " to the highest one below that is kept, but by {tiers} tiers at most",
    },
    minimum="  Nobody enters a tier without {minimum}.",
    balance="  The balance is {metric} over the whole life, less what reviews deducted.",
    balances={"spend": "net spend", "orders": "orders"},
    tier="  {rank}. {name} ({id}): enter with {enter}; keep with {keep}.",
    deduct="     Each review deducts {amount} from the balance.",
    orders={True: "{count} order", False: "{count} orders"},
    notice="     A fall is announced {before} before.",
    notice_days={True: "{days} day", False: "{days} days"},
    notice_joint=", ",
    notice_last=" and ",
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
    benefits_joint=", ",
    months=PHRASES["en"].months,
    stop=".",
    space=" ",
    bands={"low": "low", "medium": "medium", "high": "high", "very_high": "very high"},
)

# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation
_CHINESE: Final = LadderWords(
    head="策略 {name}：金额单位 {currency}，按 {time_zone} 的自然日计算。",
    ladder="等级体系“{id}”{audience}：达到某一等级的条件即刻升级。",
    audiences={"public": "", "internal": "（内部）"},
    told_to={"public": "公开", "internal": "内部"},
    clocks={
        ("continuous", "tier"): "随时判断是否保级。",
        ("calendar-year", "tier"): "每个自然年结束时复核是否保级。",
        ("fixed-year", "tier"): "每年 {month} {day} 日复核是否保级。",
        ("anniversary", "tier"): "每逢达到等级的周年日复核是否保级。",
        ("anniversary", "membership"): "每逢入会周年日复核是否保级。",
    },
    validity="等级至少有效{span}。",
    spans={
        ("months", True): " {count} 个月",
        ("months", False): " {count} 个月",
        ("days", True): " {count} 天",
        ("days", False): " {count} 天",
        ("periods", True): "至当期结束",
        ("periods", False): " {count} 个周期（含当期）",
    },
    falls={
        (False, False): "不再满足保级条件时，即刻{to}。",
        (False, True): "连续{span}不满足保级条件时，{to}。",
        (True, False): "届时不满足保级条件者，{to}。",
        (True, True): "届时不满足保级条件且{span}内仍未满足者，{to}。",
    },
    step={
        0: "降至仍可保留的最高等级",
        1: "降至下一级",
        2: "降至仍可保留的最高等级，但每次最多降 {tiers} 级",
    },
    minimum="  进入任何等级的前提：{minimum}。",
    balance="  成长值：{metric}（累计），减去历次复核的扣减。",
    balances={"spend": "净消费", "orders": "订单数"},
    tier="  {rank}. {name}（{id}）：升级条件：{enter}；保级条件：{keep}。",
    deduct="     每次复核扣减成长值 {amount}。",
    orders={True: "{count} 笔", False: "{count} 笔"},
    notice="     降级前 {before}发出预告。",
    notice_days={True: "{days} 天", False: "{days} 天"},
    notice_joint=" 天、",
    notice_last=" 天和 ",
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
    benefits_joint="、",
    months=PHRASES["zh"].months,
    stop="。",
    space="",
    bands={"low": "低", "medium": "中", "high": "高", "very_high": "极高"},
)

LADDER_WORDS: Final[dict[Language, LadderWords]] = {"en": _ENGLISH, "zh": _CHINESE}
