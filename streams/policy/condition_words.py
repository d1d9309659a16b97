"""Conditions in words, in English and Chinese."""

from typing import Final, Literal, NamedTuple, TypeAlias

from schemas.money import minor_to_decimal
from streams.policy.metrics import METRICS, Unit
from streams.policy.model import AnyOf, Comparison, NotMet, Requirement
from streams.policy.windows import Window

Language: TypeAlias = Literal["en", "zh"]


class ConditionWords(NamedTuple):
    """The words of one language; every placeholder is the name of what goes there."""

    any: str
    all: str
    negated: str
    group: str
    counted: str
    """How window, filter, amount and metric follow each other where there is so much of something."""
    compared: str
    """The same where something is so."""
    units: dict[str, str]
    """What is counted, where the language says it behind the number."""
    operators: dict[str, str]
    metrics: dict[str, str]
    windows: dict[str, str]
    filters: dict[str, str]
    yes: str
    no: str
    comma: str
    or_comma: str


_ENGLISH: Final = ConditionWords(
    any=" or ",
    all=" and ",
    negated="not ({part})",
    group="({parts})",
    counted="{operator} {value} {metric}{where}{window}",
    compared="{metric} {operator} {value}{where}{window}",
    units={},
    operators={
        ">=": "at least",
        "<=": "at most",
        ">": "above",
        "<": "below",
        "==": "is",
        "in": "is one of",
    },
    metrics={
        "spend": "net spend",
        "orders": "orders",
        "average_order_value": "average order value",
        "order_share": "share of orders",
        "promo_share": "share of orders with a promotion",
        "refund_rate": "share of the money that went back",
        "recency": "days since the last purchase",
        "tenure": "days as a customer",
        "purchase_gap": "mean days between purchases",
        "categories": "categories bought from",
        "top_category": "favourite category",
        "preferred_channel": "preferred channel",
        "visits": "visits",
        "views": "products viewed",
        "carts": "products put into the cart",
        "tickets": "tickets",
        "tickets_open": "open tickets",
        "satisfaction": "mean rating",
        "membership": "membership {name}",
        "override": "tier set by hand on {name}",
        "balance": "balance",
        "p_alive": "probability of still being a customer",
        "p_no_purchase": "probability of no purchase",
        "clv": "lifetime value",
        "trait": "{name}",
    },
    windows={
        "lifetime": " ever",
        "days": " in the last {days} days",
        "calendar-year": " in the calendar year",
        "calendar-quarter": " in the calendar quarter",
        "calendar-month": " in the calendar month",
        "fixed-year": " in the year from {month:02}-{day:02}",
        "membership-year": " in the membership year",
        "since-change": " since the last change of tier",
        "horizon": " within {days} days",
    },
    filters={
        "channel": " by {values}",
        "channel_type": " {values}",
        "category": " on {values}",
        "store": " in store {values}",
        "order_at_least": " with orders of at least {values}",
        "order_below": " with orders below {values}",
    },
    yes="yes",
    no="no",
    comma=", ",
    or_comma=" or ",
)

_CHINESE: Final = ConditionWords(
    any="，或",  # noqa: RUF001 - Chinese sentences are set with full-width punctuation
    all="，且",  # noqa: RUF001 - as above
    negated="非（{part}）",  # noqa: RUF001 - as above
    group="（{parts}）",  # noqa: RUF001 - as above
    counted="{window}{where}{metric}{operator}{value}{unit}",
    compared="{window}{where}{metric}{operator}{value}{unit}",
    units={"orders": " 笔", "visits": " 次", "views": " 次", "carts": " 次", "tickets": " 件", "tickets_open": " 件"},
    operators={">=": "满 ", "<=": "不超过 ", ">": "高于 ", "<": "低于 ", "==": "为 ", "in": "属于 "},
    metrics={
        "spend": "净消费",
        "orders": "订单",
        "average_order_value": "客单价",
        "order_share": "订单占比",
        "promo_share": "促销订单占比",
        "refund_rate": "退款率",
        "recency": "距上次购买天数",
        "tenure": "成为客户天数",
        "purchase_gap": "平均购买间隔天数",
        "categories": "购买过的品类数",
        "top_category": "最常购买的品类",
        "preferred_channel": "偏好渠道",
        "visits": "访问",
        "views": "浏览商品",
        "carts": "加购",
        "tickets": "工单",
        "tickets_open": "未解决工单",
        "satisfaction": "平均满意度",
        "membership": "会员身份 {name} ",
        "override": "{name} 的人工定级 ",
        "balance": "成长值",
        "p_alive": "仍为客户的概率",
        "p_no_purchase": "不再购买的概率",
        "clv": "客户终身价值",
        "trait": "{name} ",
    },
    windows={
        "lifetime": "累计",
        "days": "近 {days} 天",
        "calendar-year": "本年度",
        "calendar-quarter": "本季度",
        "calendar-month": "本月",
        "fixed-year": "自 {month:02}-{day:02} 起的年度",
        "membership-year": "本会员年度",
        "since-change": "上次等级变动以来",
        "horizon": "未来 {days} 天",
    },
    filters={
        "channel": "经 {values} 的",
        "channel_type": "{values} 的",
        "category": "品类 {values} 的",
        "store": "门店 {values} 的",
        "order_at_least": "单笔满 {values} 的",
        "order_below": "单笔低于 {values} 的",
    },
    yes="是",
    no="否",
    comma="、",
    or_comma="或",
)

CONDITION_WORDS: Final[dict[Language, ConditionWords]] = {"en": _ENGLISH, "zh": _CHINESE}
_MONEY_OF_BALANCE: Final = "spend"


def requirement_in_words(
    requirement: Requirement, currency: str, language: Language, balance: str = "", *, outermost: bool = True
) -> str:
    """Return a requirement in words; `balance` says what the ladder's balance adds up."""
    words = CONDITION_WORDS[language]
    if isinstance(requirement, Comparison):
        return _comparison(requirement, currency, language, balance)
    if isinstance(requirement, NotMet):
        return words.negated.format(part=requirement_in_words(requirement.part, currency, language, balance))
    joint = words.any if isinstance(requirement, AnyOf) else words.all
    parts = joint.join(
        requirement_in_words(part, currency, language, balance, outermost=False) for part in requirement.parts
    )
    return parts if outermost or len(requirement.parts) == 1 else words.group.format(parts=parts)


def _comparison(c: Comparison, currency: str, language: Language, balance: str) -> str:
    words, metric = CONDITION_WORDS[language], METRICS[c.metric]
    unit = "money" if c.metric == "balance" and balance == _MONEY_OF_BALANCE else metric.unit
    window = "" if metric.windows == "none" else _window(c.window, words)
    if c.horizon_days:
        window = words.windows["horizon"].format(days=c.horizon_days)
    name = words.metrics[c.metric].format(name=c.name)
    counted = metric.sums or c.metric in {"balance", "tickets_open"}
    if language == "en" and c.threshold == 1 and unit == "count" and name.endswith("s"):
        name = name.removesuffix("s")
    return (
        (words.counted if counted else words.compared)
        .format(
            metric=name,
            unit=words.units.get(c.metric, ""),
            operator=words.operators[c.operator],
            value=_value(c, unit, currency, words),
            where=_filters(c, currency, words),
            window=window,
        )
        .strip()
    )


def _window(window: Window, words: ConditionWords) -> str:
    return words.windows[window.kind].format(days=window.days, month=window.month, day=window.day)


def _value(c: Comparison, unit: Unit, currency: str, words: ConditionWords) -> str:
    threshold = c.threshold
    if isinstance(threshold, bool):
        return words.yes if threshold else words.no
    if isinstance(threshold, tuple):
        return words.or_comma.join(threshold)
    if unit == "money" and isinstance(threshold, int):
        return _money(threshold, currency)
    if unit in {"share", "probability"} and isinstance(threshold, float):
        return f"{threshold * 100:g} %"
    return f"{threshold:g}" if isinstance(threshold, float) else str(threshold)


def _filters(c: Comparison, currency: str, words: ConditionWords) -> str:
    where = c.where
    told = {name: words.or_comma.join(getattr(where, name)) for name in ("channel", "category", "store")}
    told["channel_type"] = where.channel_type
    for name in ("order_at_least", "order_below"):
        amount = getattr(where, name)
        told[name] = "" if amount is None else _money(amount, currency)
    return "".join(words.filters[name].format(values=told[name]) for name in words.filters if told[name])


def _money(minor: int, currency: str) -> str:
    return f"{minor_to_decimal(minor, currency)} {currency}"
