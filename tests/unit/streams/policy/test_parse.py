"""Policies that are right: what each key means, what is derived, what a preset lends."""

import pytest

from streams.models.mbgnbd import CDNOW_1997, Parameters
from streams.policy.canonical import canonical, load_canonical
from streams.policy.model import Band, Ladder, Policy, Requirement, comparisons
from streams.policy.parse import parse
from streams.policy.presets import preset_names, preset_text
from tests.requirements import all_of, any_of, at_least

SHOP = """
[policy]
name = "coffee-house"
currency = "CNY"
time_zone = "Asia/Shanghai"

[[ladder]]
id = "club"
grace = "30 days"
keep_ratio = 0.9

[[ladder.tier]]
id = "green"
name = { en = "Green", zh = "绿星" }
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]

[[ladder.tier]]
id = "gold"
name = { en = "Gold", zh = "金星" }
enter.any = [
  { metric = "orders", window = "365 days", at_least = 33 },
  { metric = "spend", window = "365 days", at_least = "3000.01" },
]
benefits = ["free_refill", "birthday_gift"]
service_level = "priority"
"""

EXTENDING = """
[policy]
name = "mine"
extends = "default"
currency = "USD"
time_zone = "America/New_York"
"""


def accepted(text: str, *, currency: str | None = None, time_zone: str | None = None) -> Policy:
    """Parse a text that has to be right."""
    policy = parse(text, currency=currency, time_zone=time_zone)
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    return policy


def ladder_of(text: str) -> Ladder:
    """Return the only ladder of a text that has to be right."""
    (ladder,) = accepted(text).ladders
    return ladder


def spend(amount: int) -> Requirement:
    """Return the requirement of a spend over a year, in minor units."""
    return any_of(at_least("spend", 365, amount))


def test_a_file_becomes_its_ladder() -> None:
    """Every key of the file has its field; tiers are ranked from 1."""
    ladder = ladder_of(SHOP)
    green, gold = ladder.tiers
    assert (ladder.id, ladder.grace_days, ladder.keep_ratio) == ("club", 30, 0.9)
    assert (green.id, green.rank, green.benefits, green.service_level) == ("green", 1, (), None)
    assert (gold.id, gold.rank, gold.name) == ("gold", 2, {"en": "Gold", "zh": "金星"})
    assert (gold.benefits, gold.service_level) == (("free_refill", "birthday_gift"), "priority")
    assert gold.enter == any_of(at_least("orders", 365, 33), at_least("spend", 365, 300_001))


def test_keep_is_enter_times_the_ratio_rounded_up_exactly() -> None:
    """0.9 of 33 orders is 29.7, so 30; 0.9 of 3000.01 is 2700.009, so 2700.01: no float decides."""
    green, gold = ladder_of(SHOP).tiers
    assert gold.keep == any_of(at_least("orders", 365, 30), at_least("spend", 365, 270_001))
    assert green.keep == any_of(at_least("orders", None, 1))


@pytest.mark.parametrize(
    ("ratio", "kept"), [("0.07", 7), ("0.55", 55), ("0.9", 90), ("1", 100), ("1.0", 100), ("0.001", 1)]
)
def test_ratios_that_floats_cannot_hold_are_exact(ratio: str, kept: int) -> None:
    """0.07 of 100 is 7, not the 8 that the float product 7.000000000000001 would be rounded up to."""
    text = SHOP.replace("keep_ratio = 0.9", f"keep_ratio = {ratio}").replace("at_least = 33", "at_least = 100")
    assert next(comparisons(ladder_of(text).tiers[1].keep)).threshold == kept


def test_keep_that_is_given_stands() -> None:
    """A tier's own keep conditions are taken as they are written, with their own metric and mode."""
    text = SHOP.replace(
        'benefits = ["', 'keep.all = [{ metric = "orders", window = "365 days", at_least = 20 }]\nbenefits = ["'
    )
    assert ladder_of(text).tiers[1].keep == all_of(at_least("orders", 365, 20))


def test_keep_may_equal_enter() -> None:
    """Saying that there is no hysteresis is no mistake."""
    text = SHOP.replace(
        "enter.any = [{", 'keep.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]\nenter.any = [{'
    )
    assert ladder_of(text).tiers[0].keep == ladder_of(text).tiers[0].enter


@pytest.mark.parametrize("holds", ['validity = "12 months"', 'review = { clock = "calendar-year" }'])
def test_keep_may_ask_for_more_where_a_tier_holds_for_a_while(holds: str) -> None:
    """A tier that is given early and has to be earned until its first review: nobody starts to fall at once."""
    text = SHOP.replace("keep_ratio = 0.9", f"keep_ratio = 0.9\n{holds}").replace(
        'benefits = ["', 'keep.all = [{ metric = "orders", window = "365 days", at_least = 40 }]\nbenefits = ["'
    )
    text = text.replace('  { metric = "spend", window = "365 days", at_least = "3000.01" },\n', "")
    assert ladder_of(text).tiers[1].keep == all_of(at_least("orders", 365, 40))


def test_what_may_be_left_out_has_a_plain_default() -> None:
    """No grace, keep equal to enter, the id for a name, churn not judged."""
    text = SHOP.replace('grace = "30 days"\nkeep_ratio = 0.9\n', "").replace('name = { en = "Green", zh = "绿星" }', "")
    ladder = ladder_of(text)
    assert (ladder.grace_days, ladder.keep_ratio) == (0, 1.0)
    assert ladder.tiers[1].keep == ladder.tiers[1].enter
    assert ladder.tiers[0].name == {"en": "green"}
    assert accepted(text).churn is None


def test_one_day_of_grace_is_a_day() -> None:
    """The singular is understood."""
    assert ladder_of(SHOP.replace('"30 days"', '"1 day"')).grace_days == 1


@pytest.mark.parametrize(
    ("currency", "upper_three"),
    [
        ("USD", (10_000, 25_000, 60_000)),
        ("EUR", (10_000, 25_000, 60_000)),
        ("CNY", (50_000, 200_000, 500_000)),
        ("GBP", (8_000, 20_000, 50_000)),
        ("JPY", (15_000, 40_000, 90_000)),
    ],
)
def test_the_default_preset_has_amounts_in_five_currencies(currency: str, upper_three: tuple[int, int, int]) -> None:
    """In minor units of each: yen have none."""
    policy = accepted(preset_text("default"), currency=currency, time_zone="UTC")
    member, silver, gold, platinum = policy.ladders[0].tiers
    assert member.enter == any_of(at_least("orders", None, 1))
    assert silver.enter == any_of(at_least("spend", 365, upper_three[0]), at_least("orders", 365, 3))
    assert (gold.enter, platinum.enter) == (spend(upper_three[1]), spend(upper_three[2]))
    assert [condition.threshold for condition in comparisons(silver.keep)] == [upper_three[0] * 9 // 10, 3]
    assert policy.ladders[0].grace_days == 30


def test_what_is_left_out_of_the_churn_rules_leaves_no_trace_in_the_policys_text() -> None:
    """Policies from before there were actions and lifetime value keep their hash; a default that is written has it."""
    plain = accepted(preset_text("default"), currency="USD", time_zone="UTC")
    written = preset_text("default").replace("[churn]", '[churn]\nvalue_horizon = "365 days"\ndiscount = 0.10')
    told = preset_text("default").replace("[churn]", '[churn]\nactions = { high = "call" }\nvalue_horizon = "730 days"')
    own = accepted(told, currency="USD", time_zone="UTC")

    assert "value_days" not in canonical(plain)
    assert "discount" not in canonical(plain)
    assert accepted(written, currency="USD", time_zone="UTC").hash == plain.hash
    assert load_canonical(canonical(own)) == own
    assert own.churn is not None
    assert (own.churn.action("high"), own.churn.action("low"), own.churn.value_days) == ("call", None, 730)


def test_the_default_preset_judges_churn_by_the_cdnow_model() -> None:
    """Four bands over the probability of no purchase in 90 days."""
    churn = accepted(preset_text("default"), currency="USD", time_zone="UTC").churn
    assert churn is not None
    assert (churn.model, churn.horizon_days, churn.hysteresis) == (CDNOW_1997, 90, 0.03)
    assert churn.bands == (Band("low", 0.0), Band("medium", 0.65), Band("high", 0.85), Band("very_high", 0.95))
    assert churn.horizon_weeks == 90 / 7


def test_there_is_one_preset() -> None:
    """Presets are the TOML files of their folder, and nothing else can be asked for."""
    assert preset_names() == ("default",)
    with pytest.raises(KeyError):
        preset_text("../parse")


def test_extending_a_preset_takes_it_over() -> None:
    """A header alone gives the preset's rules under one's own name."""
    own, preset = accepted(EXTENDING), accepted(preset_text("default"), currency="USD", time_zone="America/New_York")
    assert (own.ladders, own.churn) == (preset.ladders, preset.churn)
    assert own.name == "mine"
    assert own.hash != preset.hash


def test_extending_replaces_only_what_is_written() -> None:
    """One threshold and one churn key change; keep follows its enter, the rest stays."""
    own = accepted(
        EXTENDING
        + """
[[ladder]]
id = "standing"
keep_ratio = 0.8

[[ladder.tier]]
id = "gold"
enter.any = [{ metric = "spend", window = "365 days", at_least = "300.00" }]

[churn]
hysteresis = 0.01
"""
    )
    ladder, preset = own.ladders[0], accepted(EXTENDING).ladders[0]
    assert [tier.id for tier in ladder.tiers] == ["member", "silver", "gold", "platinum"]
    assert (ladder.tiers[2].enter, ladder.tiers[2].keep) == (spend(30_000), spend(24_000))
    assert ladder.tiers[2].name == preset.tiers[2].name
    assert (ladder.tiers[3].enter, ladder.tiers[3].keep) == (spend(60_000), spend(48_000))
    assert own.churn is not None
    assert (own.churn.hysteresis, own.churn.horizon_days) == (0.01, 90)


def test_a_new_tier_stands_above_the_one_written_before_it() -> None:
    """`gold` is only named to say where; a tier written first stands at the bottom."""
    text = """
[[ladder]]
id = "standing"
[[ladder.tier]]
id = "guest"
enter.any = [{ metric = "visits", window = "30 days", at_least = 1 }]
[[ladder.tier]]
id = "gold"
[[ladder.tier]]
id = "gold-plus"
enter.any = [{ metric = "spend", window = "365 days", at_least = "400.00" }]
"""
    tiers = ladder_of(EXTENDING + text).tiers
    assert [tier.id for tier in tiers] == ["guest", "member", "silver", "gold", "gold-plus", "platinum"]
    assert [tier.rank for tier in tiers] == [1, 2, 3, 4, 5, 6]


def test_one_s_own_model_is_its_parameters() -> None:
    """A fit on one's own purchases is written down with its name."""
    text = """
[churn]
model = { name = "my-shop", r = 0.5, alpha = 6, a = 0.9, b = 1.6 }
horizon = "30 days"
bands = [{ name = "low", below = 0.5 }, { name = "high" }]
"""
    churn = accepted(SHOP + text).churn
    assert churn is not None
    assert churn.model == Parameters(name="my-shop", r=0.5, alpha=6.0, a=0.9, b=1.6)
    assert (churn.bands, churn.hysteresis) == ((Band("low", 0.0), Band("high", 0.5)), 0.0)


def test_currency_and_zone_may_come_with_the_call() -> None:
    """What the file leaves to the settings is the same policy as if it were written, and saying it twice is fine."""
    bare = SHOP.replace('currency = "CNY"\n', "").replace('time_zone = "Asia/Shanghai"\n', "")
    assert accepted(bare, currency="CNY", time_zone="Asia/Shanghai") == accepted(SHOP)
    assert accepted(SHOP, currency="CNY", time_zone="Asia/Shanghai") == accepted(SHOP)
