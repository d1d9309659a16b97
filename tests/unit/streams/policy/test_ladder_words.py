"""Ladders in words, in both languages: clocks, validity, falls, balances, notices."""
# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation

import pytest

from streams.policy.describe import describe
from streams.policy.model import Policy
from streams.policy.parse import parse
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE

COFFEE_HOUSE_ENGLISH = """\
Policy coffee-house: amounts in CNY, days of Asia/Shanghai.

Ladder "club": whoever meets what a tier asks for rises at once. A tier holds at least 12 months. \
On each anniversary of reaching a tier it is reviewed whether the tier is kept. \
Who has not kept it then, nor does within 30 days, falls to the next one below.
  1. Green (green): enter with at least 1 order ever; keep with at least 1 order ever.
  2. Gold (gold): enter with at least 30 orders in the last 365 days \
or at least 3000.00 CNY net spend in the last 365 days; keep with at least 20 orders in the last 365 days \
or at least 3000.00 CNY net spend in the last 365 days.
     A fall is announced 30 and 7 days before.
     Benefits: free_refill, birthday_gift.
     Service level: priority.

Churn risk is not judged."""

COFFEE_HOUSE_CHINESE = """\
策略 coffee-house：金额单位 CNY，按 Asia/Shanghai 的自然日计算。

等级体系“club”：达到某一等级的条件即刻升级。等级至少有效 12 个月。每逢达到等级的周年日复核是否保级。\
届时不满足保级条件且 30 天内仍未满足者，降至下一级。
  1. 绿星（green）：升级条件：累计订单满 1 笔；保级条件：累计订单满 1 笔。
  2. 金星（gold）：升级条件：近 365 天订单满 30 笔，或近 365 天净消费满 3000.00 CNY；\
保级条件：近 365 天订单满 20 笔，或近 365 天净消费满 3000.00 CNY。
     降级前 30 天和 7 天发出预告。
     权益：free_refill、birthday_gift。
     服务级别：priority。

不评估流失风险。"""

HEADER = '[policy]\nname = "x"\ncurrency = "EUR"\ntime_zone = "Europe/Berlin"\n'
TWO = """
[[ladder.tier]]
id = "one"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "two"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 9 }]
"""

# Keys of a ladder, and what is said besides that whoever meets a tier's conditions rises at once.
LADDERS = [
    (
        "",
        "Who no longer keeps a tier falls at once to the highest one below that is kept.",
        "不再满足保级条件时，即刻降至仍可保留的最高等级。",
    ),
    (
        "grace = '1 day'\nstep_down = 1",
        "Who does not keep a tier for 1 day on end falls to the next one below.",
        "连续 1 天不满足保级条件时，降至下一级。",
    ),
    (
        "grace = '30 days'\nstep_down = 2",
        (
            "Who does not keep a tier for 30 days on end falls to the highest one below that is kept, "
            "but by 2 tiers at most."
        ),
        "连续 30 天不满足保级条件时，降至仍可保留的最高等级，但每次最多降 2 级。",
    ),
    (
        "validity = '1 month'\ngrace = '1 day'\nstep_down = 1",
        "A tier holds at least 1 month. Who does not keep a tier for 1 day on end falls to the next one below.",
        "等级至少有效 1 个月。连续 1 天不满足保级条件时，降至下一级。",
    ),
    (
        "review.clock = 'calendar-year'\nvalidity = '1 period'\nstep_down = 1",
        (
            "A tier holds at least until the end of the period in which it was reached. "
            "At the end of each calendar year it is reviewed whether a tier is kept. "
            "Who has not kept it then falls to the next one below."
        ),
        "等级至少有效至当期结束。每个自然年结束时复核是否保级。届时不满足保级条件者，降至下一级。",
    ),
    (
        "review = { clock = 'fixed-year', starts = '03-01' }\nvalidity = '2 periods'\nstep_down = 1",
        (
            "A tier holds at least 2 periods, the one in which it was reached among them. "
            "On 1 March of each year it is reviewed whether a tier is kept. "
            "Who has not kept it then falls to the next one below."
        ),
        "等级至少有效 2 个周期（含当期）。每年 3 月 1 日复核是否保级。届时不满足保级条件者，降至下一级。",
    ),
    (
        "review = { clock = 'anniversary', of = 'membership' }\nvalidity = '1 day'\ngrace = '7 days'\nstep_down = 1",
        (
            "A tier holds at least 1 day. On each anniversary of joining it is reviewed whether a tier is kept. "
            "Who has not kept it then, nor does within 7 days, falls to the next one below."
        ),
        "等级至少有效 1 天。每逢入会周年日复核是否保级。届时不满足保级条件且 7 天内仍未满足者，降至下一级。",
    ),
]

# Keys of a ladder and of its tier, and the lines that come of them.
LINES = [
    (
        "minimum.all = [{ metric = 'tenure', at_least = 30 }]",
        "",
        "  Nobody enters a tier without at least 30 days as a customer.",
        "  进入任何等级的前提：成为客户满 30 天。",
    ),
    (
        "balance = 'spend'\nreview.clock = 'calendar-year'",
        "deduct = '50.00'",
        "     Each review deducts 50.00 EUR from the balance.",
        "     每次复核扣减成长值 50.00 EUR。",
    ),
    (
        "balance = 'orders'\nreview.clock = 'calendar-year'",
        "deduct = 1",
        "     Each review deducts 1 order from the balance.",
        "     每次复核扣减成长值 1 笔。",
    ),
    (
        "balance = 'orders'",
        "",
        "  The balance is orders over the whole life, less what reviews deducted.",
        "  成长值：订单数（累计），减去历次复核的扣减。",
    ),
    ("", "notice = ['1 day']", "     A fall is announced 1 day before.", "     降级前 1 天发出预告。"),
    (
        "",
        "notice = ['1 day', '7 days', '30 days']",
        "     A fall is announced 30, 7 and 1 days before.",
        "     降级前 30 天、7 天和 1 天发出预告。",
    ),
]


def told(text: str) -> tuple[list[str], list[str]]:
    """A policy's lines in both languages."""
    policy = parse(text)
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    return describe(policy).splitlines(), describe(policy, "zh").splitlines()


def test_the_coffee_house_reads_whole() -> None:
    """Every rule of the file in a sentence."""
    policy = parse(COFFEE_HOUSE)
    assert isinstance(policy, Policy)
    assert describe(policy) == COFFEE_HOUSE_ENGLISH
    assert describe(policy, "zh") == COFFEE_HOUSE_CHINESE


@pytest.mark.parametrize(("keys", "english", "chinese"), LADDERS)
def test_a_ladder_reads(keys: str, english: str, chinese: str) -> None:
    """How long a tier holds, when it is reviewed, when and how far somebody falls."""
    in_english, in_chinese = told(f"{HEADER}[[ladder]]\nid = 'club'\n{keys}{TWO}")
    assert in_english[2] == f'Ladder "club": whoever meets what a tier asks for rises at once. {english}'
    assert in_chinese[2] == f"等级体系“club”：达到某一等级的条件即刻升级。{chinese}"


@pytest.mark.parametrize(("ladder", "tier", "english", "chinese"), LINES)
def test_a_line_reads(ladder: str, tier: str, english: str, chinese: str) -> None:
    """Minimum, balance, deduction, notices."""
    asks = "enter.any = [{ metric = 'orders', window = 'lifetime', at_least = 1 }]"
    if "balance" in ladder:
        asks = f"enter.any = [{{ metric = 'balance', at_least = {'1' if 'orders' in ladder else repr('1.00')} }}]"
    in_english, in_chinese = told(
        f"{HEADER}[[ladder]]\nid = 'club'\n{ladder}\n[[ladder.tier]]\nid = 'a'\n{asks}\n{tier}"
    )
    assert english in in_english
    assert chinese in in_chinese


def test_an_internal_ladder_says_so() -> None:
    """It is not for customers."""
    in_english, in_chinese = told(f"{HEADER}[[ladder]]\nid = 'value'\naudience = 'internal'{TWO}")
    assert in_english[2].startswith('Ladder "value" (internal): ')
    assert in_chinese[2].startswith("等级体系“value”（内部）：")
