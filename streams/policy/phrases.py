"""The phrases of conditions in English and Chinese: one for every metric, window, filter and trait.

A phrase is what stands after "enter with"; the braces are the places of limit, value, window and filter.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from streams.policy.metrics import Unit
from streams.policy.model import Operator
from streams.policy.windows import Kind

Language: TypeAlias = Literal["en", "zh"]
Style: TypeAlias = Literal["counted", "amount", "level"]
"""How a limit is said: of what can be counted, of what adds up, of what has a level."""


class Phrase(NamedTuple):
    """One metric in words."""

    many: str
    style: Style = "level"
    one: str = ""
    """Where the limit is 1 and the language has a singular."""
    none: str = ""
    """Where at most 0 is asked for; of a flag, where it must not be set."""


class Phrases(NamedTuple):
    """The words of one language."""

    any: str
    all: str
    negated: str
    group: str
    limit: str
    operators: dict[Style, dict[Operator, str]]
    metrics: dict[str, Phrase]
    balances: dict[Unit, Phrase]
    """`balance`, by the unit of what it adds up."""
    number_trait: str
    traits: dict[str, str]
    windows: dict[Kind | Literal["horizon", "churn-horizon"], str]
    today: str
    """The window of 1 day."""
    filters: dict[str, str]
    filter_joint: str
    filter_end: str
    channel_types: dict[str, str]
    months: tuple[str, ...]
    """Names of the months, January first."""
    alternative: str
    """Between values of which one has to fit."""


_ENGLISH: Final = Phrases(
    any=" or ",
    all=" and ",
    negated="not ({part})",
    group="({parts})",
    limit="{operator} {value}",
    operators={
        "counted": {">=": "at least", "<=": "at most", ">": "more than", "<": "fewer than"},
        "amount": {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"},
        "level": {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"},
    },
    metrics={
        "spend": Phrase("{limit} net spend{where}{window}", "amount", none="no net spend{where}{window}"),
        "orders": Phrase(
            "{limit} orders{where}{window}", "counted", "{limit} order{where}{window}", "no orders{where}{window}"
        ),
        "average_order_value": Phrase("an average order value of {limit}{where}{window}"),
        "order_share": Phrase("{limit} of all orders{where}{window}"),
        "promo_share": Phrase("{limit} of all orders with a promotion{window}"),
        "refund_rate": Phrase("{limit} of what was paid refunded{window}"),
        "recency": Phrase(
            "{limit} days since the last purchase", "counted", "{limit} day since the last purchase", "a purchase today"
        ),
        "tenure": Phrase("{limit} days as a customer", "counted", "{limit} day as a customer"),
        "purchase_gap": Phrase(
            "{limit} days between purchases on average", "counted", "{limit} day between purchases on average"
        ),
        "categories": Phrase(
            "{limit} product categories bought from{window}",
            "counted",
            "{limit} product category bought from{window}",
            "no product category bought from{window}",
        ),
        "top_category": Phrase("{value} as the favourite category"),
        "preferred_channel": Phrase("{value} as the preferred channel"),
        "visits": Phrase("{limit} visits{window}", "counted", "{limit} visit{window}", "no visits{window}"),
        "views": Phrase(
            "{limit} products viewed{window}", "counted", "{limit} product viewed{window}", "no product viewed{window}"
        ),
        "carts": Phrase(
            "{limit} products put into the cart{window}",
            "counted",
            "{limit} product put into the cart{window}",
            "nothing put into the cart{window}",
        ),
        "tickets": Phrase("{limit} tickets{window}", "counted", "{limit} ticket{window}", "no tickets{window}"),
        "tickets_open": Phrase("{limit} open tickets", "counted", "{limit} open ticket", "no open ticket"),
        "satisfaction": Phrase("a mean rating of {limit} out of 100{window}"),
        "membership": Phrase("a running membership of {name}", none="no running membership of {name}"),
        "override": Phrase("a tier of {name} set by hand", none="no tier of {name} set by hand"),
        "p_alive": Phrase("a probability of {limit} of still being a customer"),
        "p_no_purchase": Phrase("a probability of {limit} of no purchase {window}"),
        "clv": Phrase("a lifetime value of {limit}"),
        "trait": Phrase("{value} as {name}"),
    },
    balances={
        "money": Phrase("a balance of {limit}", "amount", none="no balance"),
        "count": Phrase("a balance of {limit} orders", "counted", "a balance of {limit} order", "no balance"),
    },
    number_trait="a {name} of {limit}",
    traits={
        "birth_month": "birth month",
        "birth_day": "day of birth in the month",
        "age_band": "age band",
        "gender": "gender",
        "locale": "locale",
        "country": "country",
        "city": "city",
        "industry": "industry",
        "size": "company size",
    },
    windows={
        "lifetime": " ever",
        "days": " in the last {days} days",
        "calendar-year": " in the calendar year",
        "calendar-quarter": " in the calendar quarter",
        "calendar-month": " in the calendar month",
        "fixed-year": " in the year from {day} {month}",
        "membership-year": " in the membership year",
        "since-change": " since the last change of tier",
        "horizon": "within {days} days",
        "churn-horizon": "within the horizon of churn risk",
    },
    today=" today",
    filters={
        "channel": " via {values}",
        "channel_type": " {values}",
        "category": " in category {values}",
        "store": " in store {values}",
        "order_at_least": " with at least {values} per order",
        "order_below": " with less than {values} per order",
    },
    filter_joint="",
    filter_end="",
    channel_types={"online": "online", "offline": "offline"},
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    alternative=" or ",
)

# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation
_CHINESE: Final = Phrases(
    any="，或",
    all="，且",
    negated="非（{part}）",
    group="（{parts}）",
    limit="{operator} {value}",
    operators={
        "counted": {">=": "满", "<=": "不超过", ">": "多于", "<": "少于"},
        "amount": {">=": "满", "<=": "不超过", ">": "超过", "<": "不足"},
        "level": {">=": "不低于", "<=": "不超过", ">": "高于", "<": "低于"},
    },
    metrics={
        "spend": Phrase("{window}{where}净消费{limit}", "amount", none="{window}{where}无净消费"),
        "orders": Phrase("{window}{where}订单{limit} 笔", "counted", none="{window}无{where}订单"),
        "average_order_value": Phrase("{window}{where}客单价{limit}"),
        "order_share": Phrase("{window}{where}订单占比{limit}"),
        "promo_share": Phrase("{window}促销订单占比{limit}"),
        "refund_rate": Phrase("{window}退款金额占比{limit}"),
        "recency": Phrase("距上次购买{limit} 天", "counted", none="当天有购买"),
        "tenure": Phrase("成为客户{limit} 天", "counted"),
        "purchase_gap": Phrase("平均购买间隔{limit} 天"),
        "categories": Phrase("{window}购买过的品类{limit} 个", "counted", none="{window}未购买任何品类"),
        "top_category": Phrase("最常购买的品类为 {value}"),
        "preferred_channel": Phrase("偏好渠道为 {value}"),
        "visits": Phrase("{window}访问{limit} 次", "counted", none="{window}无访问"),
        "views": Phrase("{window}浏览商品{limit} 次", "counted", none="{window}未浏览商品"),
        "carts": Phrase("{window}加购{limit} 次", "counted", none="{window}无加购"),
        "tickets": Phrase("{window}工单{limit} 件", "counted", none="{window}无工单"),
        "tickets_open": Phrase("未解决工单{limit} 件", "counted", none="无未解决工单"),
        "satisfaction": Phrase("{window}平均满意度{limit} 分（满分 100）"),
        "membership": Phrase("{name} 会员有效", none="无有效的 {name} 会员"),
        "override": Phrase("“{name}”的等级由人工设定", none="“{name}”的等级未经人工设定"),
        "p_alive": Phrase("未流失概率{limit}"),
        "p_no_purchase": Phrase("{window}不购买的概率{limit}"),
        "clv": Phrase("客户终身价值{limit}"),
        "trait": Phrase("{name}为 {value}"),
    },
    balances={
        "money": Phrase("成长值{limit}", "amount", none="无成长值"),
        "count": Phrase("成长值{limit} 笔", "counted", none="无成长值"),
    },
    number_trait="{name}{limit}",
    traits={
        "birth_month": "出生月份",
        "birth_day": "出生日（月内）",
        "age_band": "年龄段",
        "gender": "性别",
        "locale": "语言区域",
        "country": "国家或地区",
        "city": "城市",
        "industry": "行业",
        "size": "企业规模",
    },
    windows={
        "lifetime": "累计",
        "days": "近 {days} 天",
        "calendar-year": "本年度",
        "calendar-quarter": "本季度",
        "calendar-month": "本月",
        "fixed-year": "自 {month} {day} 日起的年度内",
        "membership-year": "本会员年度",
        "since-change": "上次等级变动以来",
        "horizon": "未来 {days} 天内",
        "churn-horizon": "流失预测期内",
    },
    today="当天",
    filters={
        "channel": "经 {values} 渠道",
        "channel_type": "{values}",
        "category": "品类为 {values}",
        "store": "门店为 {values}",
        "order_at_least": "单笔满 {values}",
        "order_below": "单笔不足 {values}",
    },
    filter_joint="、",
    filter_end="的",
    channel_types={"online": "线上", "offline": "线下"},
    months=tuple(f"{month} 月" for month in range(1, 13)),
    alternative=" 或 ",
)

PHRASES: Final[dict[Language, Phrases]] = {"en": _ENGLISH, "zh": _CHINESE}
