"""Mistakes in conditions, clocks, deductions and notices: told with line, key and what to write."""

import pytest

from streams.policy.document import PolicyError
from streams.policy.parse import parse

LADDER_LINE, CONDITION_LINE, TIER_LINE = 6, 9, 10
CONDITION = "ladder[0].tier[0].enter.any[0]"
ORDERS = "metric = 'orders', window = '30 days'"
CHURN = '[churn]\nmodel = "cdnow-1997"\nhorizon = "90 days"\nbands = [{ name = "low" }]\n'

# A condition, the key below it (empty: the condition itself) and the message.
CONDITIONS = [
    ("metric = 'trait', is = 'x'", "metric", "unknown metric `trait`"),
    ("metric = 'trait:contry', is = 'x'", "metric", "did you mean `trait:country`?"),
    ("metric = 'spent', window = '30 days', at_least = '1'", "metric", "did you mean `spend`?"),
    ("metric = 'balance', at_least = 3", "metric", 'balance = "spend" or "orders"'),
    ("metric = 'p_alive', at_least = 0.5", "metric", "write [churn], or extend a preset that has it"),
    ("metric = 'recency', window = '30 days', at_most = 3", "window", "leave it out: `recency` has no window"),
    ("metric = 'visits', window = 'since last change', at_least = 3", "window", "only for spend, orders and average"),
    ("metric = 'order_share', window = '30 days', at_least = 0.5", "", 'needs a filter, such as channel = "app"'),
    ("metric = 'visits', window = '30 days', channel = 'web', at_least = 3", "channel", "`visits` takes no filter"),
    (f"{ORDERS}, channel_type = 'mail', at_least = 3", "channel_type", 'has to be "online" or "offline"'),
    (f"{ORDERS}, channel = [], at_least = 3", "channel", "is empty; write one text or several"),
    (f"{ORDERS}, channel = ['web', 3], at_least = 3", "channel[1]", "has to be text in quotes"),
    (f"{ORDERS}, store = ' ', at_least = 3", "store", "1 to 200 printable characters"),
    (f"{ORDERS}, order_at_least = 5, at_least = 3", "order_at_least", "may lose cents"),
    (f"{ORDERS}, order_at_least = '5', order_below = '5.00', at_least = 3", "order_below", "no order passes both"),
    (f"{ORDERS}, order_below = '0', at_least = 3", "order_below", "has to be"),
    ("metric = 'orders', window = 'since last change', channel = 'web', at_least = 3", "window", "takes no filter"),
    ("metric = 'orders', window = 'lifetime', order_at_least = '5', at_least = 3", "window", "kept for 400 days"),
    (f"{ORDERS}, programme = 'plus', at_least = 3", "programme", "`orders` takes no `programme`"),
    (f"{ORDERS}, horizon = '30 days', at_least = 3", "horizon", "`orders` takes no `horizon`"),
    ("metric = 'membership', is = true", "programme", 'missing; write the programme, such as programme = "plus"'),
    ("metric = 'membership', programme = 'Plus!', is = true", "programme", "is no id"),
    ("metric = 'override', is = true", "ladder", "missing; write the id of the ladder"),
    ("metric = 'override', ladder = 'clib', is = true", "ladder", "no ladder is called `clib`; did you mean `club`?"),
    ("metric = 'p_no_purchase', horizon = '0 days', at_most = 0.5", "horizon", "has to be 1 to 3650 days"),
    ("metric = 'p_no_purchase', horizon = 90, at_most = 0.5", "horizon", 'such as "30 days"'),
    (f"{ORDERS}, at_least = 3, at_most = 9", "at_most", "one comparison too many beside `at_least`"),
    (f"{ORDERS}, is = 3", "is", "does not fit: write a whole number, such as at_least = 3"),
    ("metric = 'membership', programme = 'plus', at_least = 1", "at_least", "write is = true or is = false"),
    ("metric = 'membership', programme = 'plus', one_of = ['x']", "one_of", "write is = true or is = false"),
    ("metric = 'membership', programme = 'plus', is = 'yes'", "is", "has to be true or false, without quotes"),
    ("metric = 'membership', programme = 'plus'", "is", "missing; write is = true or is = false"),
    ("metric = 'top_category', at_least = 3", "at_least", "does not fit: write is ="),
    ("metric = 'top_category', is = ['a', 'b']", "is", "has to be one text; several go into `one_of`"),
    ("metric = 'top_category', one_of = []", "one_of", "is empty"),
    ("metric = 'trait:birth_month', is = 3", "is", "does not fit"),
    ("metric = 'recency', at_most = '30'", "at_most", "has to be a whole number, without quotes"),
    ("metric = 'recency', at_most = -1", "at_most", "has to be at least 0: nobody can meet it"),
    ("metric = 'recency', below = 0", "below", "has to be at least 1: nobody can meet it"),
    ("metric = 'recency', at_least = 0", "at_least", "every customer meets 0"),
    ("metric = 'promo_share', window = '30 days', at_least = 50", "at_least", "has to be 0 to 1"),
    ("metric = 'promo_share', window = '30 days', at_least = 0", "at_least", "every customer meets 0"),
    ("metric = 'promo_share', window = '30 days', at_most = 1", "at_most", "every customer meets 1"),
    ("metric = 'promo_share', window = '30 days', above = 1", "above", "nobody can meet it"),
    ("metric = 'promo_share', window = '30 days', below = 0", "below", "nobody can meet it"),
    ("metric = 'promo_share', window = '30 days', below = '0.5'", "below", "has to be a number, without quotes"),
    ("metric = 'satisfaction', window = '30 days', above = 101", "above", "has to be 0 to 100"),
    ("metric = 'satisfaction', window = '30 days'", "at_least", "missing; write a number from 0 to 100"),
    ("metric = 'refund_rate', window = '30 days'", "at_least", "missing; write a fraction of 1"),
    ("metric = 'p_alive'", "at_least", "missing; write a probability"),
    ("metric = 'tenure'", "at_least", "missing; write a whole number of days"),
    ("metric = 'spend', window = '30 days'", "at_least", "missing; write an amount in quotes"),
    ("any = []", "any", "is empty; write {"),
    ("any = [{ metric = 'recency', at_most = 3 }], all = []", "", "has to hold either `any` or `all`"),
    ("not = 3", "not", "has to be a table"),
    ("not = {}", "not.metric", "missing; write one of the metrics"),
]

# Keys of the ladder, the key below it and the message.
LADDERS = [
    ("audience = 'staff'", "audience", "has to be `public` or `internal`"),
    ("validity = '12 moons'", "validity", 'is no length of time; write validity = "12 months"'),
    ("validity = '0 months'", "validity", "is no length of time"),
    ("validity = 12", "validity", "has to be text in quotes"),
    ("validity = '20 years'", "validity", "has to be at most 3650 days"),
    ("validity = '2 periods'", "validity", 'counts periods of a clock: add review = { clock = "anniversary" }'),
    ("step_down = 0", "step_down", "1 to 1; leave it out to fall all the way"),
    ("step_down = 2", "step_down", "1 to 1"),
    ("step_down = true", "step_down", "has to be a whole number of tiers"),
    ("review = 'anniversary'", "review", "has to be a table with `clock`"),
    ("review = {}", "review.clock", "missing; write clock = continuous, calendar-year"),
    (
        "review.clock = 'yearly'",
        "review.clock",
        "has to be `continuous`, `calendar-year`, `fixed-year` or `anniversary`",
    ),
    ("review = { clock = 'calendar-year', of = 'tier' }", "review.of", 'only for clock = "anniversary"'),
    ("review = { clock = 'anniversary', of = 'birth' }", "review.of", "has to be `tier` or `membership`"),
    ("review = { clock = 'calendar-year', starts = '03-01' }", "review.starts", 'only for clock = "fixed-year"'),
    ("review.clock = 'fixed-year'", "review.starts", 'missing; write starts = "03-01"'),
    ("review = { clock = 'fixed-year', starts = '3-1' }", "review.starts", "a month and a day that every year has"),
    ("review = { clock = 'fixed-year', starts = '02-29' }", "review.starts", "that every year has"),
    ("review = { clock = 'anniversary', when = 1 }", "review.when", "unknown key `when`"),
    ("minimum = 3", "minimum", "has to be a table with `any`, `all` or `not`"),
    ("minimum.all = [{ metric = 'tenure' }]", "minimum.all[0].at_least", "missing; write a whole number of days"),
    ("balance = 'visits'", "balance", "has to be `spend` or `orders`"),
]

# Ladder keys, a key of the tier, the key below the tier and the message.
TIERS = [
    ("", "notice = '30 days'", "notice", "has to be an array"),
    ("", "notice = ['a month']", "notice[0]", 'has to be texts such as ["30 days", "7 days"], of 1 to 365 days'),
    ("", "notice = ['366 days']", "notice[0]", "of 1 to 365 days"),
    ("", "notice = ['1 day', '2 days', '3 days', '4 days', '5 days']", "notice", "has more than 4"),
    ("", "deduct = 3", "deduct", 'needs a balance to be taken from: balance = "spend" or "orders"'),
    ("balance = 'orders'", "deduct = '3'", "deduct", "has to be a whole number of orders above 0"),
    ("balance = 'orders'", "deduct = 0", "deduct", "has to be a whole number of orders above 0"),
    ("balance = 'spend'", "deduct = 3", "deduct", "may lose cents"),
    ("", "keep.not = { metric = 'recency' }", "keep.not.at_least", "missing; write a whole number of days"),
]


def mistakes_in(ladder: str, condition: str, tier: str, churn: str = "") -> list[PolicyError]:
    """What is wrong with a policy of one tier, each part on its line."""
    text = f"""[policy]
name = "shop"
currency = "USD"
time_zone = "UTC"
[[ladder]]
{ladder}
id = "club"
[[ladder.tier]]
enter.any = [{{ {condition} }}]
{tier}
id = "one"
{churn}"""
    found = parse(text)
    assert isinstance(found, list), f"no mistake in {text}"
    return found


def assert_told(found: list[PolicyError], line: int, key: str, message: str) -> None:
    """One of the mistakes stands there and says that."""
    assert any(e.line == line and e.key == key and message in e.message for e in found), "\n".join(map(str, found))


@pytest.mark.parametrize(("written", "key", "message"), CONDITIONS)
def test_a_mistake_in_a_condition(written: str, key: str, message: str) -> None:
    """At its line, under the key of the part that is wrong."""
    churn = "" if "p_alive', at_least" in written else CHURN
    where = CONDITION + "." * bool(key) + key
    assert_told(mistakes_in("", written, "", churn), CONDITION_LINE, where, message)


@pytest.mark.parametrize(("written", "key", "message"), LADDERS)
def test_a_mistake_in_a_ladder(written: str, key: str, message: str) -> None:
    """Clocks, validity, soft landing, minimum, balance."""
    found = mistakes_in(written, f"{ORDERS}, at_least = 3", "")
    assert_told(found, LADDER_LINE, f"ladder[0].{key}", message)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("metric = 'orders', window = 'since last change', below = 3", "every change would lift again"),
        (
            "not = { metric = 'spend', window = 'since last change', at_least = '9.00' }",
            "every change would lift again",
        ),
        ("all = [{ metric = 'tenure', at_least = 3 }, { metric = 'balance', at_most = 9 }]", "a deduction would lift"),
    ],
)
def test_a_rise_asks_for_nothing_that_changes_of_tier_make_met(condition: str, told: str) -> None:
    """Else what a change begins anew, or a deduction lowers, would call for the next change. What keeps may ask it."""
    balance = "balance = 'orders'"
    found = mistakes_in(balance, condition, f"keep.any = [{{ {condition} }}]")
    assert [(e.line, e.key) for e in found] == [(CONDITION_LINE, "ladder[0].tier[0].enter")]
    assert told in found[0].message
    found = mistakes_in(f"{balance}\nminimum.any = [{{ {condition} }}]", f"{ORDERS}, at_least = 3", "")
    assert_told(found, LADDER_LINE + 1, "ladder[0].minimum", told)


@pytest.mark.parametrize(("ladder", "tier", "key", "message"), TIERS)
def test_a_mistake_in_a_tier(ladder: str, tier: str, key: str, message: str) -> None:
    """Notices, deductions, keep."""
    found = mistakes_in(ladder, f"{ORDERS}, at_least = 3", tier)
    assert_told(found, TIER_LINE, f"ladder[0].tier[0].{key}", message)


def test_nothing_is_nested_without_end() -> None:
    """Nine groups deep is one too many."""
    deep = "any = [{ " * 8 + f"{ORDERS}, at_least = 3" + " }]" * 8
    found = mistakes_in("", deep, "")
    assert [e.message for e in found] == ["is nested more than 8 deep"]


def test_a_deduction_needs_reviews_and_a_rule_that_asks() -> None:
    """Taken from a balance that nobody asks for, or never taken, it would do nothing."""
    found = mistakes_in("balance = 'orders'", f"{ORDERS}, at_least = 3", "deduct = 3")
    assert_told(found, 5, "ladder[0]", "`deduct` is taken at reviews, and this ladder has none: add review =")
    assert_told(found, LADDER_LINE, "ladder[0].balance", 'no tier asks for it: write { metric = "balance"')


@pytest.mark.parametrize(
    "contradiction",
    [
        "{ metric = 'orders', window = '30 days', at_least = 3 }, { metric = 'orders', window = '90 days', below = 3 }",
        "{ metric = 'top_category', is = 'tea' }, { metric = 'top_category', one_of = ['cake'] }",
        f"{{ {ORDERS}, at_least = 3 }}, {{ not = {{ {ORDERS}, at_least = 2 }} }}",
        f"{{ {ORDERS}, above = 3 }}, {{ {ORDERS}, at_most = 3 }}",
    ],
)
def test_a_tier_that_contradicts_itself_is_unreachable(contradiction: str) -> None:
    """Limits that exclude each other, values that differ, a thing and its negation."""
    found = mistakes_in("", f"all = [{contradiction}]", "")
    message = "tier `one` is unreachable: its conditions contradict each other"
    assert_told(found, CONDITION_LINE, "ladder[0].tier[0].enter", message)


def test_the_same_condition_twice_is_told_in_nested_groups_too() -> None:
    """One of them can never decide."""
    twice = f"all = [{{ {ORDERS}, at_least = 3 }}, {{ {ORDERS}, at_least = 5 }}]"
    assert_told(mistakes_in("", twice, ""), CONDITION_LINE, f"{CONDITION}.all[1]", "asks for the same metric")
