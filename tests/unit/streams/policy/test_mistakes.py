"""Policies that are wrong: every mistake is told at once, with its line, its key and what to write."""

import pytest

from streams.policy.document import PolicyError
from streams.policy.parse import parse
from streams.policy.presets import preset_text

SHOP = """\
[policy]
name = "shop"
currency = "USD"
time_zone = "America/New_York"

[[ladder]]
id = "club"
grace = "30 days"
keep_ratio = 0.9

[[ladder.tier]]
id = "silver"
name = { en = "Silver" }
enter.any = [{ metric = "spend", window = "365 days", at_least = "100.00" }]

[[ladder.tier]]
id = "gold"
enter.any = [
  { metric = "orders", window = "90 days", at_least = 3 },
  { metric = "spend", window = "365 days", at_least = "200.00" },
]
benefits = ["tea"]
service_level = "priority"

[churn]
model = "cdnow-1997"
horizon = "90 days"
hysteresis = 0.03
bands = [
  { name = "low", below = 0.65 },
  { name = "medium", below = 0.85 },
  { name = "high" },
]
"""

SILVER = "ladder[0].tier[0]"
GOLD = "ladder[0].tier[1]"

# What is changed in SHOP, into what, and the line, key and message that have to come of it.
MISTAKES = [
    ('grace = "30 days"', "step_down = 1", 8, "ladder[0].step_down", "all its steps would come at once"),
    ('name = "shop"\n', "", 1, "policy.name", 'missing; write a name, such as name = "my-shop"'),
    ('name = "shop"', 'name = " "', 2, "policy.name", "1 to 200 printable characters"),
    ('name = "shop"', r'name = "a\u0007b"', 2, "policy.name", "1 to 200 printable characters"),
    ('name = "shop"', "name = 7", 2, "policy.name", "has to be text in quotes"),
    ('currency = "USD"\n', "", 1, "policy.currency", 'missing; write currency = "USD"'),
    ('currency = "USD"', 'currency = "usd"', 3, "policy.currency", "did you mean `USD`?"),
    ('currency = "USD"', 'currency = "QQQ"', 3, "policy.currency", "none of the standard's names"),
    ('time_zone = "America/New_York"\n', "", 1, "policy.time_zone", "missing; write time_zone ="),
    ('"America/New_York"', '"America/NewYork"', 4, "policy.time_zone", "did you mean `America/New_York`?"),
    ('"America/New_York"', '"Asia/Beijing"', 4, "policy.time_zone", "did you mean `Asia/Shanghai`?"),
    ("time_zone", "timezone", 4, "policy.timezone", "unknown key `timezone`; did you mean `time_zone`?"),
    ("[churn]", "[chrun]", 25, "chrun", "unknown key `chrun`; did you mean `churn`?"),
    ('name = "shop"', 'name = "shop"\nextends = "defualt"', 3, "policy.extends", "did you mean `default`?"),
    ('id = "club"\n', "", 6, "ladder[0].id", "missing; write an id"),
    ('id = "club"', 'id = "My Club"', 7, "ladder[0].id", "is no id: lower-case letters"),
    ('grace = "30 days"', "grace = 30", 8, "ladder[0].grace", 'such as "30 days"'),
    ('grace = "30 days"', 'grace = "9999 days"', 8, "ladder[0].grace", "0 to 3650 days"),
    ("grace =", "grase =", 8, "ladder[0].grase", "did you mean `grace`?"),
    ("keep_ratio = 0.9", "keep_ratio = 90", 9, "ladder[0].keep_ratio", "above 0 and at most 1"),
    ("keep_ratio = 0.9", 'keep_ratio = "0.9"', 9, "ladder[0].keep_ratio", "a number, without quotes"),
    ("keep_ratio = 0.9", "keep_ratio = nan", 9, "ladder[0].keep_ratio", "a finite number"),
    ('id = "gold"', 'id = "silver"', 17, f"{GOLD}.id", "the tier at line 12 has it"),
    ('id = "gold"\n', "", 16, f"{GOLD}.id", "missing; write an id"),
    ('{ en = "Silver" }', '"Silver"', 13, f"{SILVER}.name", "has to be names by language"),
    ("{ en =", "{ english =", 13, f"{SILVER}.name.english", "no language code"),
    ("{ en =", "{ zh = 7, en =", 13, f"{SILVER}.name.zh", "has to be text"),
    ("enter.any = [{", "enter.some = [{", 14, f"{SILVER}.enter.some", "unknown key `some`"),
    ("enter.any = [{", "enter.some = [{", 14, f"{SILVER}.enter", "has to hold either `any` or `all`"),
    ("enter.any = [{", "enter = [{", 14, f"{SILVER}.enter", "has to be a table with `any`, `all` or `not`"),
    ("enter.any = [{", "keep.any = [{", 11, f"{SILVER}.enter", "missing; write enter.any ="),
    ("enter.any = [\n", "enter.all = []\nkeep.any = [\n", 18, f"{GOLD}.enter.all", "is empty; write {"),
    ("enter.any = [\n", "enter.any = 3\nkeep.any = [\n", 18, f"{GOLD}.enter.any", "has to be an array"),
    ('metric = "orders", ', "", 19, f"{GOLD}.enter.any[0].metric", "missing; write one of the metrics"),
    ('"orders"', '"order"', 19, f"{GOLD}.enter.any[0].metric", "did you mean `orders`?"),
    ('"90 days"', '"12 months"', 19, f"{GOLD}.enter.any[0].window", "'12 months' is no window; write window ="),
    ('"90 days"', '"401 days"', 19, f"{GOLD}.enter.any[0].window", "of at most 400 days"),
    ('"90 days"', '"year from 02-29"', 19, f"{GOLD}.enter.any[0].window", "is no window"),
    (' window = "90 days",', "", 19, f"{GOLD}.enter.any[0].window", "missing; write window ="),
    (", at_least = 3", "", 19, f"{GOLD}.enter.any[0].at_least", "missing; write a whole number"),
    ("at_least = 3", 'at_least = "3"', 19, f"{GOLD}.enter.any[0].at_least", "whole number, without quotes"),
    ("at_least = 3", "at_least = 0", 19, f"{GOLD}.enter.any[0].at_least", "every customer meets 0"),
    ("at_least = 3", "at_least = true", 19, f"{GOLD}.enter.any[0].at_least", "whole number, without quotes"),
    ("at_least = 3", "atleast = 3", 19, f"{GOLD}.enter.any[0].atleast", "did you mean `at_least`?"),
    ('"200.00"', "200.00", 20, f"{GOLD}.enter.any[1].at_least", "may lose cents"),
    ('"200.00"', '"200.005"', 20, f"{GOLD}.enter.any[1].at_least", "more decimals than USD has"),
    ('"200.00"', '"1e3"', 20, f"{GOLD}.enter.any[1].at_least", "no"),
    ('"200.00"', '"-1.00"', 20, f"{GOLD}.enter.any[1].at_least", "has to be above 0"),
    ('"200.00"', '"999999999999999.99"', 20, f"{GOLD}.enter.any[1].at_least", "is too large"),
    ('"200.00"', '{ EUR = "200.00" }', 20, f"{GOLD}.enter.any[1].at_least", 'in USD, only in EUR; add USD = "…"'),
    ('"200.00"', '{ USD = "1.00", EURO = "1" }', 20, f"{GOLD}.enter.any[1].at_least.EURO", "unknown key `EURO`"),
    ('"orders", window = "90 days", at_least = 3', '"spend", window = "365 days", at_least = "200"', 20,
     f"{GOLD}.enter.any[1]", "same metric over the same window"),
    ('"200.00"', '"100.00"', 14, f"{SILVER}.enter", "tier `silver` is unreachable"),
    ('"100.00"', '"250.00"', 14, f"{SILVER}.enter", "`gold` has to ask for more"),
    ('benefits = ["tea"]', 'benefits = "tea"', 22, f"{GOLD}.benefits", "has to be an array"),
    ('benefits = ["tea"]', 'benefits = ["tea", 3]', 22, f"{GOLD}.benefits[1]", "has to be text in quotes"),
    ('"priority"', '"Top!"', 23, f"{GOLD}.service_level", "is no id"),
    ('benefits = ["tea"]', 'keep.any = [{ metric = "spend", window = "365 days", at_least = "300" }]', 22,
     f"{GOLD}.keep", "asks for more than `enter`"),
    ('model = "cdnow-1997"\n', "", 25, "churn.model", "missing; write the name of a fitted model"),
    ('"cdnow-1997"', '"cdnow"', 26, "churn.model", "did you mean `cdnow-1997`?"),
    ('"cdnow-1997"', "{ name = 'x', r = 1, alpha = 2, a = 3 }", 26, "churn.model.b", "missing; write the MBG/NBD"),
    ('"cdnow-1997"', "{ name = 'x', r = 1, alpha = 2, a = 3, b = -1 }", 26, "churn.model.b", "has to be 0.000001 to"),
    ('"cdnow-1997"', "{ name = 'cdnow-1997', r = 1, alpha = 2, a = 3, b = 1 }", 26, "churn.model.name", "built-in"),
    ('horizon = "90 days"\n', "", 25, "churn.horizon", 'missing; write horizon = "90 days"'),
    ('horizon = "90 days"', 'horizon = "0 days"', 27, "churn.horizon", "has to be 1 to 3650 days"),
    ("hysteresis = 0.03", "hysteresis = 0.03\nactions = { hgh = 'call' }", 29, "churn.actions.hgh", "`high`"),
    ("hysteresis = 0.03", "hysteresis = 0.03\nactions = { high = 'Call us' }", 29, "churn.actions.high", "is no id"),
    ("hysteresis = 0.03", "hysteresis = 0.03\nvalue_horizon = '0 days'", 29, "churn.value_horizon", "1 to 3650 days"),
    ("hysteresis = 0.03", "hysteresis = 0.03\ndiscount = 2", 29, "churn.discount", "has to be 0 to 1"),
    ("hysteresis = 0.03", "hysteresis = 0.3", 28, "churn.hysteresis", "below the narrowest band"),
    ("hysteresis = 0.03", "hysteresis = -0.1", 28, "churn.hysteresis", "at least 0"),
    ('  { name = "low", below = 0.65 },', '  { name = "low" },', 30, "churn.bands[0].below", "missing; write below"),
    ("below = 0.85", "below = 0.65", 31, "churn.bands[1].below", "bands overlap or are empty"),
    ("below = 0.85", "below = 1.2", 31, "churn.bands[1].below", "above 0.65 and under 1"),
    ('{ name = "high" }', '{ name = "high", below = 0.95 }', 32, "churn.bands[2].below", "leaves a gap"),
    ('name = "high"', 'name = "low"', 32, "churn.bands[2].name", "`low` cannot stand above `medium`"),
    ('name = "high"', 'name = "higher"', 32, "churn.bands[2].name", "did you mean `high`?"),
    ('name = "medium", ', "", 31, "churn.bands[1].name", "missing; write name"),
]  # fmt: skip


def mistakes_in(text: str, **arguments: str) -> list[PolicyError]:
    """Parse a text that has to be wrong."""
    found = parse(text, **arguments)
    assert isinstance(found, list)
    assert found
    return found


@pytest.mark.parametrize(("right", "wrong", "line", "key", "message"), MISTAKES)
def test_a_mistake_is_named_with_line_and_key(right: str, wrong: str, line: int, key: str, message: str) -> None:
    """The error stands at the line that has to change, names the key and says what to write."""
    assert right in SHOP
    found = mistakes_in(SHOP.replace(right, wrong, 1))
    assert any(e.line == line and e.key == key and message in e.message for e in found), "\n".join(map(str, found))


def test_all_mistakes_come_at_once_in_the_order_of_lines() -> None:
    """Three mistakes in three sections are three errors, not one after the other."""
    text = SHOP.replace('"USD"', '"US"').replace('"30 days"', '"a month"').replace('"cdnow-1997"', '"none"')
    assert [(e.line, e.key) for e in mistakes_in(text)] == [
        (3, "policy.currency"),
        (8, "ladder[0].grace"),
        (26, "churn.model"),
    ]


def test_an_error_reads_as_one_line() -> None:
    """Line, key, and what to do."""
    (found,) = mistakes_in(SHOP.replace('"USD"', '"usd"'))
    assert str(found) == "line 3, policy.currency: unknown currency `usd`; did you mean `USD`?"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[policy]\nname = \n", 2, "not TOML: Invalid value"),
        ('[policy]\nname = "a', 2, "not TOML"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        ("a = " + "9" * 5_000, 1, "not TOML"),
        ("a = " + "[" * 5_000, 1, "nested too deeply"),
    ],
)
def test_what_is_no_toml_is_told_where(text: str, line: int, message: str) -> None:
    """The parser's own complaint, with its line apart."""
    (found,) = mistakes_in(text)
    assert (found.line, found.key) == (line, "(file)")
    assert message in found.message


def test_an_empty_file_says_what_a_policy_needs() -> None:
    """The first thing missing is the header."""
    (found,) = mistakes_in("")
    assert str(found) == "line 1, policy: missing; write [policy] with name, currency and time_zone"


def test_a_policy_without_ladder_or_tier_says_what_to_write() -> None:
    """Neither an absent ladder nor an empty one is a policy."""
    header = 'policy = { name = "x", currency = "USD", time_zone = "UTC" }\n'
    assert mistakes_in(header)[0].key == "ladder"
    assert mistakes_in(header + "ladder = []")[0].message.startswith("is empty; write [[ladder]]")
    assert mistakes_in(header + '[[ladder]]\nid = "a"')[0].key == "ladder[0].tier"
    assert mistakes_in(header + "ladder = [3]")[0].key == "ladder[0]"


def test_two_ladders_cannot_share_an_id() -> None:
    """Standing is kept by ladder id."""
    second = SHOP[SHOP.index("[[ladder]]") : SHOP.index("[churn]")]
    (found,) = mistakes_in(SHOP.replace("[churn]", f"{second}\n[churn]"))
    assert (found.line, found.key) == (26, "ladder[1].id")
    assert "the ladder at line 7 has it" in found.message


def test_a_preset_without_currency_and_zone_asks_for_both() -> None:
    """Neither is ever assumed."""
    assert [e.key for e in mistakes_in(preset_text("default"))] == ["policy.currency", "policy.time_zone"]


def test_an_argument_that_is_unknown_is_told_under_its_key() -> None:
    """The mistake was made outside the file, but the key says which."""
    found = mistakes_in(preset_text("default"), currency="USD", time_zone="Europe/Berln")
    assert [(e.key, e.message) for e in found] == [
        ("policy.time_zone", "unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`?")
    ]


def test_file_and_argument_have_to_agree() -> None:
    """Two different currencies are a mistake, not a preference."""
    (found,) = mistakes_in(SHOP, currency="EUR")
    assert (found.line, found.key) == (3, "policy.currency")
    assert "is USD here, but the command or the settings say EUR" in found.message


def test_a_preset_lends_no_name() -> None:
    """Rules that may differ from the preset's do not run under its name."""
    (found,) = mistakes_in('[policy]\nextends = "default"\ncurrency = "USD"\ntime_zone = "UTC"\n')
    assert (found.line, found.key) == (1, "policy.name")


def test_two_own_tiers_of_one_id_are_not_merged() -> None:
    """One of them goes over the preset's tier, the other is a repeated id."""
    header = '[policy]\nname = "x"\nextends = "default"\ncurrency = "USD"\ntime_zone = "UTC"\n'
    ladder = '[[ladder]]\nid = "standing"\n'
    gold = '[[ladder.tier]]\nid = "gold"\nbenefits = ["tea"]\n'
    assert (10 + 2, "ladder[0].tier[1].id") in {(e.line, e.key) for e in mistakes_in(header + ladder + gold + gold)}


def test_an_inherited_mistake_stands_where_the_own_file_made_it() -> None:
    """The preset's silver becomes unreachable by one's own gold, and the preset's amounts miss one's own currency."""
    header = '[policy]\nname = "x"\nextends = "default"\ncurrency = "USD"\ntime_zone = "UTC"\n'
    gold = '[[ladder]]\nid = "standing"\n[[ladder.tier]]\nid = "gold"\n'
    enter = 'enter.any = [{ metric = "spend", window = "365 days", at_least = "50.00" }, \
{ metric = "orders", window = "365 days", at_least = 3 }]\n'
    (found,) = mistakes_in(header + gold + enter)
    assert (found.line, found.key) == (10, "ladder[0].tier[0].enter")
    assert "tier `silver` is unreachable" in found.message
    (first, *_) = mistakes_in(header.replace("USD", "KWD"))
    assert (first.line, first.key) == (3, "default: ladder[0].tier[1].enter.any[0].at_least")
