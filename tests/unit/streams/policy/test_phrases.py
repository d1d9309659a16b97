"""Every metric, window, filter and limit in words, in both languages, as a native speaker would say them."""
# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation

import msgspec
import pytest

from streams.policy.condition_words import requirement_in_words
from streams.policy.conditions import FILTERS
from streams.policy.metrics import METRICS, TRAITS
from streams.policy.model import AllOf, AnyOf, Comparison, NotMet, OrderFilter
from streams.policy.phrases import PHRASES
from streams.policy.windows import Window, rolling

YEAR = rolling(365)


def ask(metric: str, operator: str = ">=", threshold: object = 3, **keys: object) -> Comparison:
    """A comparison, over a year if it has a window."""
    window = {} if METRICS[metric].windows == "none" else {"window": YEAR}
    return Comparison(metric=metric, operator=operator, threshold=threshold, **{**window, **keys})  # type: ignore[arg-type]  # a table of cases


METRIC_WORDS = [
    (ask("spend", ">=", 10_000), "at least 100.00 USD net spend in the last 365 days", "近 365 天净消费满 100.00 USD"),
    (ask("spend", "<=", 0), "no net spend in the last 365 days", "近 365 天无净消费"),
    (
        ask("spend", "<", 10_000),
        "less than 100.00 USD net spend in the last 365 days",
        "近 365 天净消费不足 100.00 USD",
    ),
    (
        ask("spend", ">", 10_000),
        "more than 100.00 USD net spend in the last 365 days",
        "近 365 天净消费超过 100.00 USD",
    ),
    (ask("orders"), "at least 3 orders in the last 365 days", "近 365 天订单满 3 笔"),
    (ask("orders", ">=", 1), "at least 1 order in the last 365 days", "近 365 天订单满 1 笔"),
    (ask("orders", "<"), "fewer than 3 orders in the last 365 days", "近 365 天订单少于 3 笔"),
    (ask("orders", ">"), "more than 3 orders in the last 365 days", "近 365 天订单多于 3 笔"),
    (ask("orders", "<=", 0), "no orders in the last 365 days", "近 365 天无订单"),
    (
        ask("average_order_value", "<=", 2_500),
        "an average order value of at most 25.00 USD in the last 365 days",
        "近 365 天客单价不超过 25.00 USD",
    ),
    (
        ask("order_share", ">=", 0.5, where=OrderFilter(channel=("app",))),
        "at least 50 % of all orders via app in the last 365 days",
        "近 365 天经 app 渠道的订单占比不低于 50 %",
    ),
    (
        ask("promo_share", "<", 0.2),
        "less than 20 % of all orders with a promotion in the last 365 days",
        "近 365 天促销订单占比低于 20 %",
    ),
    (
        ask("refund_rate", "<=", 0.125),
        "at most 12.5 % of what was paid refunded in the last 365 days",
        "近 365 天退款金额占比不超过 12.5 %",
    ),
    (ask("recency", "<=", 30), "at most 30 days since the last purchase", "距上次购买不超过 30 天"),
    (ask("recency", "<=", 1), "at most 1 day since the last purchase", "距上次购买不超过 1 天"),
    (ask("recency", "<=", 0), "a purchase today", "当天有购买"),
    (ask("tenure", ">=", 365), "at least 365 days as a customer", "成为客户满 365 天"),
    (ask("purchase_gap", "<=", 14), "at most 14 days between purchases on average", "平均购买间隔不超过 14 天"),
    (
        ask("categories", ">=", 2),
        "at least 2 product categories bought from in the last 365 days",
        "近 365 天购买过的品类满 2 个",
    ),
    (
        ask("categories", ">=", 1),
        "at least 1 product category bought from in the last 365 days",
        "近 365 天购买过的品类满 1 个",
    ),
    (ask("top_category", "==", "tea"), "tea as the favourite category", "最常购买的品类为 tea"),
    (
        ask("preferred_channel", "in", ("web", "app")),
        "web or app as the preferred channel",
        "偏好渠道为 web 或 app",
    ),
    (ask("visits"), "at least 3 visits in the last 365 days", "近 365 天访问满 3 次"),
    (ask("views", ">=", 1), "at least 1 product viewed in the last 365 days", "近 365 天浏览商品满 1 次"),
    (ask("views"), "at least 3 products viewed in the last 365 days", "近 365 天浏览商品满 3 次"),
    (ask("carts", ">=", 1), "at least 1 product put into the cart in the last 365 days", "近 365 天加购满 1 次"),
    (ask("carts", "<=", 0), "nothing put into the cart in the last 365 days", "近 365 天无加购"),
    (ask("tickets", "<=", 2), "at most 2 tickets in the last 365 days", "近 365 天工单不超过 2 件"),
    (ask("tickets_open", "<=", 0), "no open ticket", "无未解决工单"),
    (ask("tickets_open", "<=", 1), "at most 1 open ticket", "未解决工单不超过 1 件"),
    (
        ask("satisfaction", ">=", 80.0),
        "a mean rating of at least 80 out of 100 in the last 365 days",
        "近 365 天平均满意度不低于 80 分（满分 100）",
    ),
    (ask("membership", "==", True, name="plus"), "a running membership of plus", "plus 会员有效"),  # noqa: FBT003 - a threshold
    (ask("membership", "==", False, name="plus"), "no running membership of plus", "无有效的 plus 会员"),  # noqa: FBT003 - a threshold
    (ask("override", "==", True, name="club"), "a tier of club set by hand", "“club”的等级由人工设定"),  # noqa: FBT003 - a threshold
    (ask("override", "==", False, name="club"), "no tier of club set by hand", "“club”的等级未经人工设定"),  # noqa: FBT003 - a threshold
    (ask("balance"), "a balance of at least 3 orders", "成长值满 3 笔"),
    (ask("p_alive", ">=", 0.5), "a probability of at least 50 % of still being a customer", "未流失概率不低于 50 %"),
    (
        ask("p_no_purchase", "<", 0.5, horizon_days=90),
        "a probability of less than 50 % of no purchase within 90 days",
        "未来 90 天内不购买的概率低于 50 %",
    ),
    (
        ask("p_no_purchase", "<", 0.5),
        "a probability of less than 50 % of no purchase within the horizon of churn risk",
        "流失预测期内不购买的概率低于 50 %",
    ),
    (ask("clv", ">=", 50_000), "a lifetime value of at least 500.00 USD", "客户终身价值不低于 500.00 USD"),
    (ask("trait", "in", ("DE", "FR"), name="country"), "DE or FR as country", "国家或地区为 DE 或 FR"),
    (ask("trait", "<=", 6, name="birth_month"), "a birth month of at most 6", "出生月份不超过 6"),
]

WINDOW_WORDS = [
    (Window("lifetime"), "ever", "累计"),
    (rolling(1), "today", "当天"),
    (rolling(400), "in the last 400 days", "近 400 天"),
    (Window("calendar-year"), "in the calendar year", "本年度"),
    (Window("calendar-quarter"), "in the calendar quarter", "本季度"),
    (Window("calendar-month"), "in the calendar month", "本月"),
    (Window("fixed-year", month=3, day=1), "in the year from 1 March", "自 3 月 1 日起的年度内"),
    (Window("membership-year"), "in the membership year", "本会员年度"),
    (Window("since-change"), "since the last change of tier", "上次等级变动以来"),
]

FILTER_WORDS = [
    (OrderFilter(channel=("web", "app")), "via web or app", "经 web 或 app 渠道"),
    (OrderFilter(channel_type="offline"), "offline", "线下"),
    (OrderFilter(category=("tea",)), "in category tea", "品类为 tea"),
    (OrderFilter(store=("s1", "s2")), "in store s1 or s2", "门店为 s1 或 s2"),
    (OrderFilter(order_at_least=5_000), "with at least 50.00 USD per order", "单笔满 50.00 USD"),
    (OrderFilter(order_below=5_000), "with less than 50.00 USD per order", "单笔不足 50.00 USD"),
    (
        OrderFilter(channel_type="online", category=("tea",)),
        "online in category tea",
        "线上、品类为 tea",
    ),
]


@pytest.mark.parametrize(("condition", "english", "chinese"), METRIC_WORDS)
def test_a_metric_reads(condition: Comparison, english: str, chinese: str) -> None:
    """Units, singular and plural, none at all, and each operator."""
    assert requirement_in_words(condition, "USD", "en") == english
    assert requirement_in_words(condition, "USD", "zh") == chinese


@pytest.mark.parametrize(("window", "english", "chinese"), WINDOW_WORDS)
def test_a_window_reads(window: Window, english: str, chinese: str) -> None:
    """Each kind of window."""
    condition = ask("orders", window=window)
    assert requirement_in_words(condition, "USD", "en") == f"at least 3 orders {english}"
    assert requirement_in_words(condition, "USD", "zh") == f"{chinese}订单满 3 笔"


@pytest.mark.parametrize(("where", "english", "chinese"), FILTER_WORDS)
def test_a_filter_reads(where: OrderFilter, english: str, chinese: str) -> None:
    """Each filter stands at what it filters, several of them together."""
    condition = ask("orders", where=where)
    assert requirement_in_words(condition, "USD", "en") == f"at least 3 orders {english} in the last 365 days"
    assert requirement_in_words(condition, "USD", "zh") == f"近 365 天{chinese}的订单满 3 笔"
    none = msgspec.structs.replace(condition, operator="<=", threshold=0)
    assert requirement_in_words(none, "USD", "zh") == f"近 365 天无{chinese}的订单"


def test_nothing_lacks_its_words() -> None:
    """What the language gains has to be said here, and is shown above."""
    shown = {condition.metric for condition, _, _ in METRIC_WORDS}
    filters = {key for where, _, _ in FILTER_WORDS for key in FILTERS if getattr(where, key) not in {(), "", None}}
    for words in PHRASES.values():
        assert {*words.metrics, "balance"} == set(METRICS) == shown
        assert set(words.windows) - {"horizon", "churn-horizon"} == {window.kind for window, _, _ in WINDOW_WORDS}
        assert set(words.filters) == set(FILTERS) == filters
        assert set(words.traits) == set(TRAITS)


def test_a_balance_is_told_in_what_it_adds_up() -> None:
    """Money of spend, orders otherwise."""
    condition = ask("balance", ">=", 500_000)
    assert requirement_in_words(condition, "USD", "en", "spend") == "a balance of at least 5000.00 USD"
    assert requirement_in_words(condition, "USD", "zh", "spend") == "成长值满 5000.00 USD"


def test_groups_read_without_ambiguity() -> None:
    """What is nested stands in brackets; a group of one is its part."""
    many, few, none = ask("orders", ">=", 5), ask("orders"), ask("tickets_open", "<=", 0)
    nested = AllOf((AnyOf((many, ask("visits"))), NotMet(few), AnyOf((none,))))
    assert requirement_in_words(nested, "USD", "en") == (
        "(at least 5 orders in the last 365 days or at least 3 visits in the last 365 days) "
        "and not (at least 3 orders in the last 365 days) and no open ticket"
    )
    assert requirement_in_words(nested, "USD", "zh") == (
        "（近 365 天订单满 5 笔，或近 365 天访问满 3 次），且非（近 365 天订单满 3 笔），且无未解决工单"
    )
    assert requirement_in_words(AnyOf((AllOf((many, none)),)), "USD", "en") == (
        "at least 5 orders in the last 365 days and no open ticket"
    )
