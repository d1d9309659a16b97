"""The metrics that a policy can ask for: what each counts, in which unit, over which windows, with which filters.

One table, from which files are read, rules are told in words, editors get their schema and the reference is written.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

Unit: TypeAlias = Literal["money", "count", "share", "percent", "days", "probability", "flag", "text", "word"]
Parameter: TypeAlias = Literal["", "programme", "ladder", "horizon", "trait"]
Windows: TypeAlias = Literal["none", "log", "all"]
"""`log`: those that the day log answers; `all`: `since last change` as well."""

Subject: TypeAlias = Literal["orders", "visits", "views", "carts", "tickets", "ratings", "facts", "traits"]
"""What a record can change; a record that touches no subject of a policy needs no review."""


class Metric(NamedTuple):
    """One metric."""

    unit: Unit
    windows: Windows
    subject: Subject
    told: str
    """What it is, for the reference."""
    filtered: bool = False
    """Whether orders can be filtered by channel, category, store and amount."""
    parameter: Parameter = ""
    sums: bool = False
    """Whether it adds up over days and is never negative: a longer window never holds less."""


METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        "spend": Metric(
            "money", "all", "orders", "What was paid, net of refunds, by day of purchase.", filtered=True, sums=True
        ),
        "orders": Metric(
            "count", "all", "orders", "Orders kept: neither cancelled nor refunded in full.", filtered=True, sums=True
        ),
        "average_order_value": Metric(
            "money", "all", "orders", "Spend per order, rounded down to the minor unit.", filtered=True
        ),
        "order_share": Metric(
            "share",
            "log",
            "orders",
            "Share of the orders that pass the filter: of a channel, a store, a category.",
            filtered=True,
        ),
        "promo_share": Metric("share", "log", "orders", "Share of the orders with a coupon or a discount."),
        "refund_rate": Metric("share", "log", "orders", "Share of what was paid that went back."),
        "recency": Metric("days", "none", "orders", "Days since the last purchase day."),
        "tenure": Metric("days", "none", "orders", "Days since the customer joined (sign-up, else first purchase)."),
        "purchase_gap": Metric("days", "none", "orders", "Mean days between purchase days, over the whole life."),
        "categories": Metric(
            "count", "log", "orders", "Product categories bought from; of the 32 last bought ones, refunds or not."
        ),
        "top_category": Metric("text", "none", "orders", "The category with the most orders, over the whole life."),
        "preferred_channel": Metric("text", "none", "orders", "The channel with the most orders, over the whole life."),
        "visits": Metric("count", "log", "visits", "Browsing actions of any kind.", sums=True),
        "views": Metric("count", "log", "views", "Products looked at (`view_item`).", sums=True),
        "carts": Metric("count", "log", "carts", "Products put into the cart (`add_to_cart`).", sums=True),
        "tickets": Metric("count", "log", "tickets", "Tickets opened with support.", sums=True),
        "tickets_open": Metric("count", "none", "tickets", "Tickets neither solved nor closed; at most 32 are known."),
        "satisfaction": Metric("percent", "log", "ratings", "Mean rating of support, orders and surveys, 0 to 100."),
        "membership": Metric(
            "flag", "none", "facts", "Whether a (paid) membership of a programme runs.", parameter="programme"
        ),
        "override": Metric("flag", "none", "facts", "Whether a tier set by hand is in force.", parameter="ladder"),
        "balance": Metric(
            "word", "none", "orders", "The ladder's `balance` over the whole life, less what reviews deducted."
        ),
        "p_alive": Metric("probability", "none", "orders", "Probability that the customer has not left for good."),
        "p_no_purchase": Metric(
            "probability", "none", "orders", "Probability of no purchase within the horizon.", parameter="horizon"
        ),
        "clv": Metric(
            "money",
            "none",
            "orders",
            "Lifetime value: expected spend within the `value_horizon` of `[churn]`, as of the begin of the day.",
        ),
        "trait": Metric("word", "none", "traits", "A trait of the customer: `trait:country`.", parameter="trait"),
    }
)

MODEL_METRICS: Final = frozenset({"p_alive", "p_no_purchase", "clv"})
"""What the churn model says."""
TRAITS: Final = (
    "birth_month",
    "birth_day",
    "age_band",
    "gender",
    "locale",
    "country",
    "city",
    "industry",
    "size",
)
NUMBER_TRAITS: Final = ("birth_month", "birth_day")
TRAIT_PREFIX: Final = "trait:"
