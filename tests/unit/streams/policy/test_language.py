"""The whole language: each metric, window, filter, comparison, group and key of a ladder means what it says."""

import pytest

from streams.policy.conditions import FILTERS
from streams.policy.ladders import CLOCKS
from streams.policy.metrics import METRICS, TRAITS
from streams.policy.model import (
    NO_FILTER,
    AllOf,
    AnyOf,
    Comparison,
    Ladder,
    NotMet,
    OrderFilter,
    Policy,
    Requirement,
    Span,
    Tier,
    comparisons,
)
from streams.policy.parse import parse
from streams.policy.thresholds import OPERATORS
from streams.policy.windows import LIFETIME, SPELLINGS, Window, rolling
from tests.requirements import all_of, any_of, at_least

HEADER = '[policy]\nname = "shop"\ncurrency = "USD"\ntime_zone = "UTC"\n'
CHURN = """[churn]
model = "cdnow-1997"
horizon = "90 days"
bands = [{ name = "low", below = 0.5 }, { name = "high" }]
"""
PLAIN = "enter.any = [{ metric = 'orders', window = 'lifetime', at_least = 1 }]"

# What stands in a condition, and what it means.
CONDITIONS: list[tuple[str, Comparison]] = [
    ("metric = 'spend', window = '365 days', at_least = '9.50'", at_least("spend", 365, 950)),
    ("metric = 'orders', window = 'lifetime', at_most = 3", Comparison("orders", "<=", 3)),
    (
        "metric = 'average_order_value', window = '90 days', above = '20'",
        Comparison("average_order_value", ">", 2_000, rolling(90)),
    ),
    (
        "metric = 'order_share', window = '90 days', channel = 'app', at_least = 0.5",
        Comparison("order_share", ">=", 0.5, rolling(90), OrderFilter(channel=("app",))),
    ),
    ("metric = 'promo_share', window = '90 days', below = 0.2", Comparison("promo_share", "<", 0.2, rolling(90))),
    ("metric = 'refund_rate', window = '90 days', at_most = 0", Comparison("refund_rate", "<=", 0.0, rolling(90))),
    ("metric = 'recency', at_most = 30", Comparison("recency", "<=", 30)),
    ("metric = 'tenure', at_least = 365", Comparison("tenure", ">=", 365)),
    ("metric = 'purchase_gap', below = 14", Comparison("purchase_gap", "<", 14)),
    ("metric = 'categories', window = '90 days', at_least = 2", at_least("categories", 90, 2)),
    ("metric = 'top_category', is = 'tea'", Comparison("top_category", "==", "tea")),
    ("metric = 'preferred_channel', one_of = ['a', 'b']", Comparison("preferred_channel", "in", ("a", "b"))),
    ("metric = 'visits', window = '1 day', at_least = 2", at_least("visits", 1, 2)),
    ("metric = 'views', window = '30 days', at_least = 2", at_least("views", 30, 2)),
    ("metric = 'carts', window = '30 days', at_least = 2", at_least("carts", 30, 2)),
    ("metric = 'tickets', window = '30 days', at_most = 0", Comparison("tickets", "<=", 0, rolling(30))),
    ("metric = 'tickets_open', at_most = 0", Comparison("tickets_open", "<=", 0)),
    ("metric = 'satisfaction', window = '90 days', above = 79.5", Comparison("satisfaction", ">", 79.5, rolling(90))),
    (
        "metric = 'membership', programme = 'plus', is = true",
        Comparison("membership", "==", threshold=True, name="plus"),
    ),
    ("metric = 'override', ladder = 'club', is = false", Comparison("override", "==", threshold=False, name="club")),
    ("metric = 'balance', at_least = '100.00'", Comparison("balance", ">=", 10_000, name="spend")),
    ("metric = 'p_alive', at_least = 0.5", Comparison("p_alive", ">=", 0.5)),
    ("metric = 'p_no_purchase', below = 0.5", Comparison("p_no_purchase", "<", 0.5)),
    ("metric = 'clv', at_least = '500.00'", Comparison("clv", ">=", 50_000)),
    (
        "metric = 'p_no_purchase', horizon = '30 days', at_most = 0.25",
        Comparison("p_no_purchase", "<=", 0.25, horizon_days=30),
    ),
    ("metric = 'trait:country', is = 'DE'", Comparison("trait", "==", "DE", name="country")),
    ("metric = 'trait:birth_month', at_most = 6", Comparison("trait", "<=", 6, name="birth_month")),
]

WINDOWS = [
    ("400 days", rolling(400)),
    ("1 day", rolling(1)),
    ("lifetime", LIFETIME),
    ("calendar year", Window("calendar-year")),
    ("calendar quarter", Window("calendar-quarter")),
    ("calendar month", Window("calendar-month")),
    ("year from 03-01", Window("fixed-year", month=3, day=1)),
    ("membership year", Window("membership-year")),
    ("since last change", Window("since-change")),
]

WHERE = [
    ("channel = 'web'", OrderFilter(channel=("web",))),
    ("channel = ['web', 'app', 'web']", OrderFilter(channel=("web", "app"))),
    ("channel_type = 'offline'", OrderFilter(channel_type="offline")),
    ("category = ['tea', 'coffee']", OrderFilter(category=("tea", "coffee"))),
    ("store = 's1'", OrderFilter(store=("s1",))),
    ("order_at_least = '20.00'", OrderFilter(order_at_least=2_000)),
    ("order_below = { EUR = '1.00', USD = '30.00' }", OrderFilter(order_below=3_000)),
    (
        "channel_type = 'online', store = 's1', order_at_least = '1', order_below = '2'",
        OrderFilter(channel_type="online", store=("s1",), order_at_least=100, order_below=200),
    ),
]

# What stands in a ladder, and which fields of it that sets.
LADDER_KEYS: list[tuple[str, dict[str, object]]] = [
    ("", {}),
    ("grace = '1 day'", {"grace_days": 1}),
    ("keep_ratio = 0.5", {"keep_ratio": 0.5}),
    ("audience = 'internal'", {"audience": "internal"}),
    ("audience = 'public'", {}),
    ("grace = '2 days'\nstep_down = 1", {"grace_days": 2, "step_down": 1}),
    ("validity = '365 days'", {"validity": Span(days=365)}),
    ("validity = '1 month'", {"validity": Span(months=1)}),
    ("validity = '2 years'", {"validity": Span(months=24)}),
    ("review.clock = 'continuous'", {}),
    ("review.clock = 'calendar-year'", {"clock": "calendar-year"}),
    (
        "review = { clock = 'calendar-year' }\nvalidity = '2 periods'",
        {"clock": "calendar-year", "validity": Span(periods=2)},
    ),
    ("review = { clock = 'fixed-year', starts = '03-01' }", {"clock": "fixed-year", "year_start": (3, 1)}),
    ("review = { clock = 'anniversary', of = 'tier' }", {"clock": "anniversary"}),
    (
        "review = { clock = 'anniversary', of = 'membership' }",
        {"clock": "anniversary", "anniversary_of": "membership"},
    ),
    ("minimum.all = [{ metric = 'tenure', at_least = 30 }]", {"minimum": all_of(Comparison("tenure", ">=", 30))}),
    ("balance = 'orders'", {"balance": "orders"}),
]


def accepted(text: str) -> Policy:
    """Parse a text that has to be right."""
    policy = parse(text)
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    return policy


def ladder_with(keys: str = "", tier: str = PLAIN) -> Ladder:
    """The ladder of a policy with these keys, and these in its tier."""
    text = f"{HEADER}[[ladder]]\nid = 'club'\n{keys}\n[[ladder.tier]]\nid = 'one'\n{tier}\n{CHURN}"
    return accepted(text).ladders[0]


def entered_by(group: str, keys: str = "balance = 'spend'") -> Requirement:
    """What the only tier asks for, which `enter` writes as this."""
    return ladder_with(keys, f"enter = {group}").tiers[0].enter


@pytest.mark.parametrize(("written", "meant"), CONDITIONS)
def test_a_condition_means_what_it_says(written: str, meant: Comparison) -> None:
    """Amounts become minor units, shares stay fractions, a metric without a window looks at all of life."""
    assert entered_by(f"{{ any = [{{ {written} }}] }}") == any_of(meant)


@pytest.mark.parametrize(("written", "meant"), WINDOWS)
def test_a_window_means_what_it_says(written: str, meant: Window) -> None:
    """Each kind of window."""
    group = f"{{ any = [{{ metric = 'orders', window = '{written}', at_least = 3 }}] }}"
    assert entered_by(group) == any_of(Comparison("orders", ">=", 3, meant))


@pytest.mark.parametrize("metric", ["spend", "orders", "average_order_value"])
@pytest.mark.parametrize(("written", "meant"), WHERE)
def test_a_filter_means_what_it_says(metric: str, written: str, meant: OrderFilter) -> None:
    """One value or several, each once, amounts in the policy's currency, all of them together."""
    threshold = "3" if metric == "orders" else "'0.03'"
    group = f"{{ any = [{{ metric = '{metric}', window = '90 days', {written}, at_least = {threshold} }}] }}"
    assert entered_by(group) == any_of(Comparison(metric, ">=", 3, rolling(90), meant))


@pytest.mark.parametrize(("written", "fields"), LADDER_KEYS)
def test_a_ladder_means_what_it_says(written: str, fields: dict[str, object]) -> None:
    """Each key sets its fields and no other."""
    found = ladder_with(written)
    assert found == Ladder(id="club", tiers=found.tiers, **fields)  # type: ignore[arg-type]  # a table of cases


def test_the_tables_of_cases_leave_nothing_out() -> None:
    """Every metric, comparison, window, filter, trait's kind and clock has its case."""
    cases = [condition for _, condition in CONDITIONS]
    assert {c.metric for c in cases} == set(METRICS)
    assert {c.operator for c in cases} == set(OPERATORS.values())
    assert len({window.kind for _, window in WINDOWS}) == len(SPELLINGS)
    assert {key for _, where in WHERE for key in FILTERS if getattr(where, key) != getattr(NO_FILTER, key)} == set(
        FILTERS
    )
    assert {str(fields.get("clock", "continuous")) for _, fields in LADDER_KEYS} == set(CLOCKS)


@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if metric.windows == "log"])
def test_metrics_with_windows_take_each_that_the_day_log_answers(metric: str) -> None:
    """Only `since last change` is for money and orders alone."""
    filtered = ", channel = 'app'" if metric == "order_share" else ""
    threshold = {"share": "0.5", "percent": "50"}.get(METRICS[metric].unit, "3")
    for written, window in WINDOWS[:-1]:
        condition = f"metric = '{metric}', window = '{written}'{filtered}, at_least = {threshold}"
        (part,) = comparisons(entered_by(f"{{ all = [{{ {condition} }}] }}"))
        assert (part.metric, part.window) == (metric, window)


@pytest.mark.parametrize("trait", TRAITS)
def test_every_trait_can_be_asked_for(trait: str) -> None:
    """Numbers are compared, words are named."""
    compared = "at_least = 2" if trait.startswith("birth") else "is = 'x'"
    (part,) = comparisons(entered_by(f"{{ any = [{{ metric = 'trait:{trait}', {compared} }}] }}"))
    assert (part.metric, part.name) == ("trait", trait)


def test_groups_nest() -> None:
    """`any`, `all` and `not` in each other, down to eight deep."""
    many, visits = "{ metric = 'orders', window = '90 days', at_least = 5 }", "{ metric = 'recency', at_most = 9 }"
    five, nine = at_least("orders", 90, 5), Comparison("recency", "<=", 9)
    written = f"{{ all = [{{ any = [{many}, {{ not = {visits} }}] }}, {{ not = {{ all = [{visits}] }} }}] }}"
    assert entered_by(written) == AllOf((AnyOf((five, NotMet(nine))), NotMet(AllOf((nine,)))))
    assert entered_by(f"{{ not = {visits} }}") == NotMet(nine)
    deep = "{ any = [" * 8 + many + "] }" * 8
    assert isinstance(entered_by(deep), AnyOf)


def test_a_tier_means_what_it_says() -> None:
    """Notices go from the longest to the shortest, each once; a deduction is in the balance's unit."""
    tier = ladder_with(
        "balance = 'spend'\nreview.clock = 'calendar-year'",
        "enter.any = [{ metric = 'balance', at_least = '10.00' }]\ndeduct = { USD = '4.00' }\n"
        "notice = ['7 days', '30 days', '7 days']\nbenefits = ['tea']\nservice_level = 'vip'\nname = { zh = '一' }",
    ).tiers[0]
    asked = any_of(Comparison("balance", ">=", 1_000, name="spend"))
    assert tier == Tier("one", 1, {"zh": "一"}, asked, asked, ("tea",), "vip", (30, 7), 400)
    counted = ladder_with(
        "balance = 'orders'\nreview.clock = 'calendar-year'",
        "enter.any = [{ metric = 'balance', at_least = 10 }]\ndeduct = 4",
    ).tiers[0]
    assert (counted.deduct, counted.enter) == (4, any_of(Comparison("balance", ">=", 10, name="orders")))


def test_the_ratio_eases_upper_limits_and_negations_too() -> None:
    """At most 30 days is eased to 33, and what must not reach 10 orders must not reach 12."""
    keep = (
        ladder_with(
            "keep_ratio = 0.9",
            "enter.all = [{ metric = 'recency', at_most = 30 }, { metric = 'trait:birth_month', at_most = 6 },\n"
            "{ not = { metric = 'orders', window = '30 days', at_least = 10 } },\n"
            "{ metric = 'satisfaction', window = '90 days', at_least = 80 }]",
        )
        .tiers[0]
        .keep
    )
    assert keep == all_of(
        Comparison("recency", "<=", 33),
        Comparison("trait", "<=", 6, name="birth_month"),
        NotMet(at_least("orders", 30, 12)),
        Comparison("satisfaction", ">=", 72.0, rolling(90)),
    )


def test_several_ladders_stand_beside_each_other() -> None:
    """A public and an internal one, in the order of the file; one may ask about the other."""
    second = "[[ladder]]\nid = 'value'\naudience = 'internal'\n[[ladder.tier]]\nid = 'one'\n"
    asks = "enter.any = [{ metric = 'override', ladder = 'club', is = true }]\n"
    text = f"{HEADER}[[ladder]]\nid = 'club'\n[[ladder.tier]]\nid = 'one'\n{PLAIN}\n{second}{asks}"
    assert [(ladder.id, ladder.audience) for ladder in accepted(text).ladders] == [
        ("club", "public"),
        ("value", "internal"),
    ]
