"""The default policy in words, whole, in both languages."""
# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation

import pytest

from streams.policy.condition_words import requirement_in_words
from streams.policy.describe import describe, tier_name
from streams.policy.model import Comparison, Policy, Tier
from streams.policy.parse import parse
from streams.policy.presets import preset_text
from tests.requirements import at_least

ENGLISH = """\
Policy default: amounts in USD, days of America/New_York.

Ladder "standing": whoever meets what a tier asks for rises at once. \
Who does not keep a tier for 30 days on end falls to the highest one below that is kept.
  1. Member (member): enter with at least 1 order ever; keep with at least 1 order ever.
  2. Silver (silver): enter with at least 100.00 USD net spend in the last 365 days \
or at least 3 orders in the last 365 days; \
keep with at least 90.00 USD net spend in the last 365 days or at least 3 orders in the last 365 days.
  3. Gold (gold): enter with at least 250.00 USD net spend in the last 365 days; \
keep with at least 225.00 USD net spend in the last 365 days.
  4. Platinum (platinum): enter with at least 600.00 USD net spend in the last 365 days; \
keep with at least 540.00 USD net spend in the last 365 days.

Churn risk: the probability of no purchase in the next 90 days, by the model cdnow-1997.
  low below 0.65, medium from 0.65 to 0.85, high from 0.85 to 0.95, very high from 0.95.
  The band falls only when the score is more than 0.03 below the band's lower edge."""

CHINESE = """\
策略 default：金额单位 JPY，按 Asia/Tokyo 的自然日计算。

等级体系“standing”：达到某一等级的条件即刻升级。连续 30 天不满足保级条件时，降至仍可保留的最高等级。
  1. 普通（member）：升级条件：累计订单满 1 笔；保级条件：累计订单满 1 笔。
  2. 银卡（silver）：升级条件：近 365 天净消费满 15000 JPY，或近 365 天订单满 3 笔；\
保级条件：近 365 天净消费满 13500 JPY，或近 365 天订单满 3 笔。
  3. 金卡（gold）：升级条件：近 365 天净消费满 40000 JPY；保级条件：近 365 天净消费满 36000 JPY。
  4. 白金（platinum）：升级条件：近 365 天净消费满 90000 JPY；保级条件：近 365 天净消费满 81000 JPY。

流失风险：按模型 cdnow-1997 计算的未来 90 天内不再购买的概率。
  低：低于 0.65，中：0.65 至 0.85，高：0.85 至 0.95，极高：0.95 及以上。
  仅当分值低于所在区间下限 0.03 以上时，风险区间才会下降。"""

SMALL = """
[policy]
name = "small"
currency = "USD"
time_zone = "UTC"
[[ladder]]
id = "club"
[[ladder.tier]]
id = "gold"
name = { fr = "Or" }
enter.all = [
  { metric = "visits", window = "30 days", at_least = 2 },
  { metric = "tickets", window = "lifetime", at_least = 1 },
]
benefits = ["tea", "cake"]
service_level = "priority"
"""


def parsed(text: str, currency: str, time_zone: str) -> Policy:
    """Parse a text that has to be right."""
    policy = parse(text, currency=currency, time_zone=time_zone)
    assert isinstance(policy, Policy)
    return policy


def test_the_default_policy_reads_in_english() -> None:
    """Every number of the rules stands in the text, amounts in the currency's own decimals."""
    assert describe(parsed(preset_text("default"), "USD", "America/New_York")) == ENGLISH


def test_the_default_policy_reads_in_chinese() -> None:
    """Tiers and bands have their Chinese names; yen have no decimals."""
    assert describe(parsed(preset_text("default"), "JPY", "Asia/Tokyo"), "zh") == CHINESE


def test_what_a_policy_lacks_is_said() -> None:
    """No grace, no churn; benefits and service level where there are some; `all` joins with and."""
    assert describe(parsed(SMALL, "USD", "UTC")).splitlines()[2:] == [
        (
            'Ladder "club": whoever meets what a tier asks for rises at once. '
            "Who no longer keeps a tier falls at once to the highest one below that is kept."
        ),
        (
            "  1. Or (gold): enter with at least 2 visits in the last 30 days and at least 1 ticket ever; "
            "keep with at least 2 visits in the last 30 days and at least 1 ticket ever."
        ),
        "     Benefits: tea, cake.",
        "     Service level: priority.",
        "",
        "Churn risk is not judged.",
    ]


@pytest.mark.parametrize(
    ("condition", "english", "chinese"),
    [
        (at_least("spend", 30, 5), "at least 0.05 USD net spend in the last 30 days", "近 30 天净消费满 0.05 USD"),
        (at_least("orders", None, 2), "at least 2 orders ever", "累计订单满 2 笔"),
        (at_least("visits", 90, 1), "at least 1 visit in the last 90 days", "近 90 天访问满 1 次"),
        (at_least("tickets", 365, 3), "at least 3 tickets in the last 365 days", "近 365 天工单满 3 件"),
    ],
)
def test_a_condition_reads_by_itself(condition: Comparison, english: str, chinese: str) -> None:
    """Every metric has its words."""
    assert requirement_in_words(condition, "USD", "en") == english
    assert requirement_in_words(condition, "USD", "zh") == chinese


def test_a_tier_is_called_by_its_name_in_the_language_or_the_next_best() -> None:
    """The language asked for, else English, else the first there is."""
    tier: Tier = parsed(preset_text("default"), "USD", "UTC").ladders[0].tiers[2]
    assert [tier_name(tier, language) for language in ("zh", "en", "fr")] == ["金卡", "Gold", "Gold"]
    assert tier_name(parsed(SMALL, "USD", "UTC").ladders[0].tiers[0], "zh") == "Or"
