"""Which rules two policies do not share: by key, in words, and none for what is only written differently."""
# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation

import pytest

from streams.policy.compare import difference_lines, differences
from streams.policy.model import Policy
from streams.policy.parse import parse
from streams.policy.presets import preset_text
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE

GOLD = "ladder.club.tier.gold"
CHURN = (
    '[churn]\nmodel = "cdnow-1997"\nhorizon = "90 days"\nbands = [{ name = "low", below = 0.5 }, { name = "high" }]\n'
)
ENTER = """enter.any = [
  { metric = "orders", window = "365 days", at_least = 30 },
  { metric = "spend", window = "365 days", at_least = "3000.00" },
]"""
KEEP = 'keep.all = [{ metric = "orders", window = "365 days", at_least = 20 }]'

# What becomes what in the coffee house with rules of churn risk, the kind and key of the difference, both sides.
CHANGES = [
    ('"CNY"', '"JPY"', "changed", "policy.currency", "CNY", "JPY"),
    ('"Asia/Shanghai"', '"Asia/Tokyo"', "changed", "policy.time_zone", "Asia/Shanghai", "Asia/Tokyo"),
    ("step_down = 1", "step_down = 1\naudience = 'internal'", "changed", "ladder.club.audience", "public", "internal"),
    (
        'review = { clock = "anniversary" }',
        'review = { clock = "anniversary", of = "membership" }',
        "changed",
        "ladder.club.review",
        "On each anniversary of reaching a tier it is reviewed whether the tier is kept.",
        "On each anniversary of joining it is reviewed whether a tier is kept.",
    ),
    (
        'review = { clock = "anniversary" }',
        "",
        "changed",
        "ladder.club.review",
        "On each anniversary of reaching a tier it is reviewed whether the tier is kept.",
        "At any time it is asked whether a tier is kept.",
    ),
    ('validity = "12 months"', "", "removed", "ladder.club.validity", "12 months", None),
    ('"12 months"', '"1 day"', "changed", "ladder.club.validity", "12 months", "1 day"),
    ('grace = "30 days"', "", "changed", "ladder.club.grace", "30 days", "0 days"),
    (
        "step_down = 1",
        "",
        "changed",
        "ladder.club.step_down",
        "to the next one below",
        "to the highest one below that is kept",
    ),
    (
        "step_down = 1",
        "step_down = 1\nminimum.all = [{ metric = 'tenure', at_least = 30 }]",
        "added",
        "ladder.club.minimum",
        None,
        "at least 30 days as a customer",
    ),
    ("step_down = 1", "step_down = 1\nbalance = 'spend'", "added", "ladder.club.balance", None, "net spend"),
    ('"Gold"', '"Gold star"', "changed", f"{GOLD}.name", "Gold (en), 金星 (zh)", "Gold star (en), 金星 (zh)"),
    (
        "at_least = 30 ",
        "at_least = 25 ",
        "changed",
        f"{GOLD}.enter",
        "at least 30 orders in the last 365 days or at least 3000.00 CNY net spend in the last 365 days",
        "at least 25 orders in the last 365 days or at least 3000.00 CNY net spend in the last 365 days",
    ),
    (
        "at_least = 20",
        "at_least = 18",
        "changed",
        f"{GOLD}.keep",
        "at least 20 orders in the last 365 days or at least 3000.00 CNY net spend in the last 365 days",
        "at least 18 orders in the last 365 days or at least 3000.00 CNY net spend in the last 365 days",
    ),
    (
        'benefits = ["free_refill", "birthday_gift"]',
        'benefits = ["free_refill"]',
        "changed",
        f"{GOLD}.benefits",
        "free_refill, birthday_gift",
        "free_refill",
    ),
    ('service_level = "priority"', "", "removed", f"{GOLD}.service_level", "priority", None),
    (
        'notice = ["30 days", "7 days"]',
        'notice = ["7 days"]',
        "changed",
        f"{GOLD}.notice",
        "A fall is announced 30 and 7 days before.",
        "A fall is announced 7 days before.",
    ),
    ('"90 days"', '"60 days"', "changed", "churn.horizon", "90 days", "60 days"),
    (
        "below = 0.5",
        "below = 0.6",
        "changed",
        "churn.bands",
        "low below 0.5, high from 0.5.",
        "low below 0.6, high from 0.6.",
    ),
    ('horizon = "90 days"', 'horizon = "90 days"\nhysteresis = 0.1', "changed", "churn.hysteresis", "0", "0.1"),
    (
        '"cdnow-1997"',
        '{ name = "mine", r = 1, alpha = 1, a = 1, b = 1 }',
        "changed",
        "churn.model",
        "cdnow-1997",
        "mine",
    ),
]

# Ways of writing the same.
SAME = [
    ('name = "coffee-house"', 'name = "tea-house"'),
    ("# soft landing", "# none"),
    ("keep_ratio = 0.9", "keep_ratio = 0.95"),
    (
        ENTER,
        (
            "enter.any = [{ metric = 'spend', window = '365 days', at_least = '3000' },"
            "{ all = [{ metric = 'orders', window = '365 days', at_least = 30 }] }]"
        ),
    ),
    (
        ENTER,
        (
            "enter.any = [{ any = [{ metric = 'orders', window = '365 days', above = 29 }] },"
            "{ not = { metric = 'spend', window = '365 days', below = '3000.00' } }]"
        ),
    ),
    (
        ENTER,
        (
            "enter.not.all = [{ metric = 'orders', window = '365 days', at_most = 29 },"
            "{ metric = 'spend', window = '365 days', below = '3000.00' }]"
        ),
    ),
    (KEEP, "keep.not.not = { metric = 'orders', window = '365 days', at_least = 20 }"),
    ('["30 days", "7 days"]', '["7 days", "30 days"]'),
    ('"12 months"', '"1 year"'),
]


def policy_of(text: str) -> Policy:
    """Parse a text that has to be right."""
    policy = parse(text)
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    return policy


BEFORE = policy_of(COFFEE_HOUSE + CHURN)


@pytest.mark.parametrize(("old", "new", "kind", "key", "before", "after"), CHANGES)
def test_a_change_is_told_with_both_sides(
    old: str, new: str, kind: str, key: str, before: str | None, after: str | None
) -> None:
    """Kind, key and words; the other way round, added and removed change places."""
    assert old in COFFEE_HOUSE + CHURN
    now = policy_of((COFFEE_HOUSE + CHURN).replace(old, new))
    found = {one.key: one for one in differences(BEFORE, now)}
    told = found[key]
    sides = (told.before and told.before("en"), told.after and told.after("en"))
    assert (told.kind, sides) == (kind, (before, after))
    assert set(found) == {key} or key == "policy.currency"
    back = {one.key: one for one in differences(now, BEFORE)}[key]
    opposite = {"added": "removed", "removed": "added"}.get(kind, kind)
    assert (back.kind, back.before and back.before("en"), back.after and back.after("en")) == (opposite, after, before)


@pytest.mark.parametrize(("old", "new"), SAME)
def test_what_is_only_written_differently_is_no_difference(old: str, new: str) -> None:
    """Name, comments, order, nesting, negations, limits of whole numbers."""
    assert old in COFFEE_HOUSE + CHURN
    now = policy_of((COFFEE_HOUSE + CHURN).replace(old, new))
    assert differences(BEFORE, now) == []
    assert difference_lines([], "en") == ["No difference: both decide alike."]
    assert difference_lines([], "zh") == ["没有差异：两者的判定相同。"]


def test_the_negation_of_what_may_be_unknown_is_a_difference() -> None:
    """Who never bought has no days since the last purchase: more than 30 is not met, not at most 30 is."""
    texts = [
        COFFEE_HOUSE.replace(KEEP, f"keep.all = [{part}]")
        for part in ("{ metric = 'recency', above = 30 }", "{ not = { metric = 'recency', at_most = 30 } }")
    ]
    assert [one.key for one in differences(policy_of(texts[0]), policy_of(texts[1]))] == [f"{GOLD}.keep"]


def test_a_currency_changes_what_asks_for_money() -> None:
    """And nothing else: 3000 yen are another amount, 20 orders are 20 orders."""
    now = policy_of((COFFEE_HOUSE + CHURN).replace('"CNY"', '"USD"'))
    assert [one.key for one in differences(BEFORE, now)] == [
        "policy.currency",
        f"{GOLD}.enter",
        f"{GOLD}.keep",
    ]


def test_tiers_and_ladders_come_and_go_as_a_whole() -> None:
    """One difference each, told with all that they ask and give; the order of tiers is a rule of its own."""
    gold = COFFEE_HOUSE[COFFEE_HOUSE.index('[[ladder.tier]]\nid = "gold"') :]
    found = differences(policy_of(COFFEE_HOUSE.replace(gold, "")), policy_of(COFFEE_HOUSE))
    assert [(one.kind, one.key) for one in found] == [("changed", "ladder.club.tier"), ("added", GOLD)]
    assert difference_lines(found, "zh") == [
        "~ ladder.club.tier",
        "    原：green",
        "    现：green < gold",
        "+ ladder.club.tier.gold",
        (
            "      2. 金星（gold）：升级条件：近 365 天订单满 30 笔，或近 365 天净消费满 3000.00 CNY；"
            "保级条件：近 365 天订单满 20 笔，或近 365 天净消费满 3000.00 CNY。"
        ),
        "         降级前 30 天和 7 天发出预告。",
        "         权益：free_refill、birthday_gift。",
        "         服务级别：priority。",
    ]
    other = policy_of(COFFEE_HOUSE.replace('id = "club"', 'id = "stars"'))
    assert [(one.kind, one.key) for one in differences(policy_of(COFFEE_HOUSE), other)] == [
        ("removed", "ladder.club"),
        ("added", "ladder.stars"),
    ]


def test_churn_comes_and_goes_as_a_whole() -> None:
    """Not key by key."""
    (found,) = differences(policy_of(COFFEE_HOUSE), BEFORE)
    assert (found.kind, found.key) == ("added", "churn")


def test_what_extends_a_preset_differs_by_what_it_writes() -> None:
    """The rest is inherited and the same, `keep` follows its `enter`."""
    own = '[policy]\nname = "mine"\nextends = "default"\ncurrency = "USD"\ntime_zone = "UTC"\n'
    preset = parse(preset_text("default"), currency="USD", time_zone="UTC")
    assert isinstance(preset, Policy)
    assert differences(preset, policy_of(own)) == []
    gold = "[[ladder]]\nid = 'standing'\n[[ladder.tier]]\nid = 'gold'\n"
    enter = "enter.any = [{ metric = 'spend', window = '365 days', at_least = '300' }]\n"
    assert difference_lines(differences(preset, policy_of(own + gold + enter)), "en") == [
        "~ ladder.standing.tier.gold.enter",
        "    before: at least 250.00 USD net spend in the last 365 days",
        "    after:  at least 300.00 USD net spend in the last 365 days",
        "~ ladder.standing.tier.gold.keep",
        "    before: at least 225.00 USD net spend in the last 365 days",
        "    after:  at least 270.00 USD net spend in the last 365 days",
    ]
