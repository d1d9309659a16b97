"""Every key of a policy file in a sentence, with default, limits and an example: for editors and the reference."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from streams.policy.churn_rules import HORIZON_DAYS_MAX
from streams.policy.conditions import DEPTH_MAX
from streams.policy.ladders import GRACE_DAYS_MAX, VALIDITY_DAYS_MAX
from streams.policy.metrics import Unit
from streams.policy.model import Clock
from streams.policy.tiers import NOTICE_DAYS_MAX, NOTICES_MAX
from streams.policy.windows import ROLLING_DAYS_MAX


class Key(NamedTuple):
    """One key in words."""

    told: str
    default: str
    """What holds without it; `required` if there is no way without."""
    limits: str
    example: str
    """TOML that stands in the key's table."""


_ID: Final = "lower-case letters, digits, `-` and `_`, at most 64"
_TEXT: Final = "1 to 200 printable characters"

POLICY: Final[Mapping[str, Key]] = {
    "name": Key("What the policy is called in outputs.", "required", _TEXT, 'name = "my-shop"'),
    "extends": Key(
        "A preset under this file: ladders and tiers of the same id are laid over its own, key by key.",
        "none",
        "`default`",
        'extends = "default"',
    ),
    "currency": Key("Currency of all amounts.", "that of the settings", "ISO 4217", 'currency = "EUR"'),
    "time_zone": Key("Zone in which days begin.", "that of the settings", "IANA", 'time_zone = "Europe/Berlin"'),
}
LADDER: Final[Mapping[str, Key]] = {
    "id": Key("Names the ladder in outputs; standing is kept by it.", "required", _ID, 'id = "club"'),
    "audience": Key(
        "Whom it is for: customers, or the company alone.", "`public`", "`public`, `internal`", 'audience = "internal"'
    ),
    "review": Key(
        "The clock by which `keep` is asked for.", "`continuous`", "see Clocks", 'review = { clock = "anniversary" }'
    ),
    "validity": Key(
        "How long a tier holds at least, once it is reached.",
        "not at all",
        f"days, months, years, or periods of a clock; at most {VALIDITY_DAYS_MAX} days",
        'validity = "12 months"',
    ),
    "grace": Key(
        "How long `keep` has to be missed before the tier falls; on a clock, how long after a failed review.",
        "`0 days`",
        f"0 to {GRACE_DAYS_MAX} days",
        'grace = "30 days"',
    ),
    "keep_ratio": Key(
        "Where a tier writes no `keep`: its `enter` with lower limits times this, and upper ones divided by it.",
        "1",
        "above 0, at most 1",
        "keep_ratio = 0.9",
    ),
    "step_down": Key(
        "Soft landing: at most so many tiers are lost at once. Needs `grace` or a clock, or all steps come at once.",
        "all the way",
        "1 to the number of tiers",
        "step_down = 1",
    ),
    "minimum": Key(
        "Without it nobody enters any tier of the ladder.",
        "none",
        "a group of conditions",
        'minimum.all = [{ metric = "tenure", at_least = 30 }]',
    ),
    "balance": Key("What the metric `balance` adds up.", "none", "`spend`, `orders`", 'balance = "spend"'),
    "tier": Key("The tiers, the lowest first: `[[ladder.tier]]`.", "required", "at least one", ""),
}
REVIEW: Final[Mapping[str, Key]] = {
    "clock": Key("When it is reviewed.", "required", "see Clocks", 'clock = "calendar-year"'),
    "of": Key(
        "Whose anniversary it is: that of reaching the tier, or of joining.",
        "`tier`",
        "`tier`, `membership`; only for `anniversary`",
        'of = "membership"',
    ),
    "starts": Key(
        "Month and day on which the year begins.",
        "required for `fixed-year`",
        "a day that every year has; only for `fixed-year`",
        'starts = "03-01"',
    ),
}
TIER: Final[Mapping[str, Key]] = {
    "id": Key("Names the tier in outputs.", "required", _ID, 'id = "gold"'),
    "name": Key("Its names by language.", "the id", _TEXT, 'name = { en = "Gold", zh = "金卡" }'),
    "enter": Key(
        "Whoever meets it rises to the tier at once.",
        "required",
        "a group of conditions",
        'enter.any = [{ metric = "orders", window = "365 days", at_least = 30 }]',
    ),
    "keep": Key(
        "Whoever meets it stays, and whoever meets `enter`.",
        "`enter` eased by `keep_ratio`",
        "a group of conditions",
        'keep.all = [{ metric = "orders", window = "365 days", at_least = 20 }]',
    ),
    "benefits": Key("What the tier gives, for those who grant it.", "none", "texts", 'benefits = ["free_shipping"]'),
    "service_level": Key("How the tier is served.", "none", _ID, 'service_level = "priority"'),
    "notice": Key(
        "How long before a fall it is announced; the notice is withdrawn if the fall is averted.",
        "none",
        f"at most {NOTICES_MAX} lengths of 1 to {NOTICE_DAYS_MAX} days",
        'notice = ["30 days", "7 days"]',
    ),
    "deduct": Key(
        "What every review takes from the balance.",
        "nothing",
        "needs `balance`, a clock, and a condition on `balance`; in the balance's unit",
        'deduct = "5000.00"',
    ),
}
CHURN: Final[Mapping[str, Key]] = {
    "model": Key(
        "A fitted model by name, or the parameters of one's own fit.",
        "required",
        "`cdnow-1997`, or a table with name, r, alpha, a, b (time unit: weeks)",
        'model = "cdnow-1997"',
    ),
    "horizon": Key(
        "The score is the probability of no purchase within it.",
        "required",
        f"1 to {HORIZON_DAYS_MAX} days",
        'horizon = "90 days"',
    ),
    "bands": Key(
        "Bands of the score from low to very high; each ends below `below`, the last one is open.",
        "required",
        "`low`, `medium`, `high`, `very_high`, in this order",
        'bands = [{ name = "low", below = 0.65 }, { name = "high" }]',
    ),
    "hysteresis": Key(
        "How far below its edge the score has to be before a band is left downwards.",
        "0",
        "0 to the narrowest band",
        "hysteresis = 0.03",
    ),
    "actions": Key(
        "What to do about a customer who enters a band, told as `suggested_action`.",
        "none",
        "an id per band",
        'actions = { high = "call" }',
    ),
    "value_horizon": Key(
        "Lifetime value is what is expected to be spent within it.",
        '"365 days"',
        f"1 to {HORIZON_DAYS_MAX} days",
        'value_horizon = "365 days"',
    ),
    "discount": Key("By how much spend is worth less per year of waiting.", "0.1", "0 to 1", "discount = 0.1"),
}
GROUPS: Final[Mapping[str, str]] = {
    "any": "one of the parts has to hold",
    "all": "every part has to hold",
    "not": f"the part must not hold; groups stand within groups, at most {DEPTH_MAX} deep",
}
CLOCKS: Final[Mapping[Clock, str]] = {
    "continuous": "`keep` is asked for at any time after `validity`",
    "calendar-year": "on 1 January, over the year that has ended",
    "fixed-year": "on the day that `starts` names, over the year that has ended",
    "anniversary": "on each anniversary of reaching the tier, or of joining, over what ended the day before",
}
WINDOWS: Final[Mapping[str, str]] = {
    "N days": f"the last N local days, today among them; at most {ROLLING_DAYS_MAX}",
    "lifetime": "all that is known",
    "calendar year": "since 1 January",
    "calendar quarter": "since the quarter began",
    "calendar month": "since the month began",
    "year from MM-DD": "since that day last came, such as `year from 03-01`",
    "membership year": "since the last anniversary of joining",
    "since last change": (
        "since the day after the last change on the ladder; only spend, orders, average_order_value; "
        "`enter` and `minimum` can only ask for at least so much"
    ),
}
OPERATORS: Final[Mapping[str, str]] = {
    "at_least": "this much or more",
    "at_most": "this much or less",
    "above": "more than this",
    "below": "less than this",
    "is": "exactly this word, true or false",
    "one_of": "one of these words",
}
FILTERS: Final[Mapping[str, Key]] = {
    "channel": Key("Bought through it.", "any", "one text or several", 'channel = ["web", "app"]'),
    "channel_type": Key("Bought online or offline.", "any", "`online`, `offline`", 'channel_type = "offline"'),
    "category": Key(
        "One of the order's products is of it; spend is then of these products alone.",
        "any",
        "one text or several",
        'category = "tea"',
    ),
    "store": Key("Bought in this store.", "any", "one text or several", 'store = "berlin-1"'),
    "order_at_least": Key(
        "The order's total, as it was placed.", "any", "an amount; needs a window of days", 'order_at_least = "50.00"'
    ),
    "order_below": Key("Likewise.", "any", "an amount above `order_at_least`", 'order_below = "500.00"'),
}
PARAMETERS: Final[Mapping[str, Key]] = {
    "programme": Key("Of `membership`: the programme.", "required", _ID, 'programme = "plus"'),
    "ladder": Key("Of `override`: the ladder.", "required", "id of a ladder of the file", 'ladder = "club"'),
    "horizon": Key("Of `p_no_purchase`.", "that of `[churn]`", f"1 to {HORIZON_DAYS_MAX} days", 'horizon = "30 days"'),
}
UNITS: Final[Mapping[Unit, str]] = {
    "money": 'an amount in quotes, `"100.00"`, or amounts by currency, `{ EUR = "100.00", USD = "110.00" }`',
    "count": "a whole number",
    "share": "a fraction from 0 to 1",
    "percent": "a number from 0 to 100",
    "days": "a whole number of days",
    "probability": "a number from 0 to 1",
    "flag": "true or false",
    "text": "a word, or several with `one_of`",
    "word": "`balance`: money or a count, as the ladder's `balance` says; traits: words, birthdays whole numbers",
}
CONDITIONS: Final[Mapping[str, str]] = {
    "spend": 'window = "365 days", at_least = "100.00"',
    "orders": 'window = "calendar year", channel = "app", at_least = 3',
    "average_order_value": 'window = "90 days", above = "25.00"',
    "order_share": 'window = "365 days", category = "tea", at_least = 0.5',
    "promo_share": 'window = "365 days", at_most = 0.3',
    "refund_rate": 'window = "365 days", below = 0.1',
    "recency": "at_most = 30",
    "tenure": "at_least = 365",
    "purchase_gap": "at_most = 14",
    "categories": 'window = "90 days", at_least = 3',
    "top_category": 'is = "tea"',
    "preferred_channel": 'one_of = ["web", "app"]',
    "visits": 'window = "30 days", at_least = 5',
    "views": 'window = "7 days", at_least = 10',
    "carts": 'window = "30 days", at_least = 1',
    "tickets": 'window = "calendar quarter", at_most = 2',
    "tickets_open": "at_most = 0",
    "satisfaction": 'window = "membership year", at_least = 80',
    "membership": 'programme = "plus", is = true',
    "override": 'ladder = "club", is = false',
    "balance": 'at_least = "5000.00"',
    "p_alive": "at_least = 0.5",
    "p_no_purchase": 'horizon = "30 days", below = 0.4',
    "clv": 'at_least = "500.00"',
    "trait": 'one_of = ["DE", "AT", "CH"]',
}
"""What an example of each metric goes on with."""


def condition_example(metric: str) -> str:
    """A condition on a metric, as a file writes it."""
    name = "trait:country" if metric == "trait" else metric
    return f'{{ metric = "{name}", {CONDITIONS[metric]} }}'
