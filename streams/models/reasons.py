"""Why a score is what it is, in words. The codes stand in outputs; the words are for people.

One table: a code, its words in each language, and the unit of the value beside it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]
ReasonCode = Literal[
    "base_rate",
    "purchase_days",
    "order_value",
    "silence_days",
    "fewer_visits",
    "recent_visits",
    "unresolved_ticket",
    "past_ticket",
    "bad_rating",
    "refund",
]


class Words(NamedTuple):
    """What a code means, and what its value counts."""

    en: str
    zh: str
    value_en: str
    value_zh: str


REASONS: Mapping[ReasonCode, Words] = MappingProxyType(
    {
        "base_rate": Words("What holds for every first-time buyer", "新购客户的基础风险", "", ""),
        "purchase_days": Words(
            "Number of purchases, and over how long", "购买次数与购买时间跨度", "purchase days", "个购买日"
        ),
        "order_value": Words("Size of the orders", "订单金额", "mean order, major units", "平均订单金额"),
        "silence_days": Words(
            "Silence against the own rhythm", "超出自身购买节奏的沉默", "days of silence", "天未购买"
        ),
        "fewer_visits": Words(
            "Fewer visits than a customer makes who stays", "到访比留存客户少", "recent visit days", "个近期到访日"
        ),
        "recent_visits": Words(
            "Visits since the last purchase", "上次购买后仍有到访", "recent visit days", "个近期到访日"
        ),
        "unresolved_ticket": Words("Unresolved ticket", "未解决的工单", "tickets, fading", "个工单(随时间衰减)"),
        "past_ticket": Words(
            "Solved ticket, not forgotten yet", "已解决但影响尚存的工单", "tickets, fading", "个工单(随时间衰减)"
        ),
        "bad_rating": Words("Bad rating", "差评", "ratings, fading", "个差评(随时间衰减)"),
        "refund": Words("Refund", "退款", "refunds, fading", "次退款(随时间衰减)"),
    }
)


def words(code: ReasonCode, language: Language = "en") -> str:
    """What a code means, in words."""
    reason = REASONS[code]
    return reason.zh if language == "zh" else reason.en
