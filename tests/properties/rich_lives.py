"""Lives with everything that rules can ask about, and a policy that asks about all of it."""

from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent
from tests.journal import Journal, policy_of
from tests.properties.journals import START_MS

RICH = """
[policy]
name = "rich"
currency = "USD"
time_zone = "Asia/Shanghai"
[[ladder]]
id = "standing"
grace = "7 days"
keep_ratio = 0.5
minimum.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "one"
enter.any = [
  { metric = "orders", window = "90 days", at_least = 1 },
  { metric = "carts", window = "30 days", at_least = 2 },
]
keep.any = [{ metric = "recency", below = 120 }, { metric = "membership", programme = "plus", is = true }]
[[ladder.tier]]
id = "two"
enter.all = [
  { metric = "spend", window = "90 days", at_least = "30.00" },
  { any = [
    { metric = "spend", window = "365 days", category = ["shoes"], at_least = "20.00" },
    { metric = "orders", window = "365 days", channel = ["app"], order_at_least = "10.00", at_least = 2 },
    { metric = "average_order_value", window = "lifetime", at_least = "45.00" },
  ] },
]
keep.all = [
  { metric = "spend", window = "365 days", at_least = "10.00" },
  { not = { metric = "refund_rate", window = "365 days", above = 0.6 } },
]
notice = ["30 days", "7 days"]
[[ladder.tier]]
id = "three"
enter.all = [
  { metric = "orders", window = "365 days", at_least = 3 },
  { metric = "categories", window = "365 days", at_least = 2 },
  { metric = "p_no_purchase", horizon = "60 days", below = 0.95 },
]
keep.any = [
  { metric = "promo_share", window = "365 days", above = 0.4 },
  { metric = "satisfaction", window = "365 days", at_least = 50 },
  { metric = "order_share", window = "365 days", channel = ["app"], at_least = 0.5 },
  { metric = "tickets_open", at_least = 2 },
]
[[ladder]]
id = "inner"
audience = "internal"
review = { clock = "calendar-year" }
grace = "10 days"
step_down = 1
balance = "spend"
[[ladder.tier]]
id = "low"
enter.any = [{ metric = "balance", at_least = "20.00" }, { metric = "tenure", at_least = 200 }]
deduct = "5.00"
[[ladder.tier]]
id = "mid"
enter.any = [{ metric = "balance", at_least = "60.00" }, { metric = "trait:country", is = "CN" }]
keep.any = [
  { metric = "spend", window = "calendar year", at_least = "10.00" },
  { metric = "orders", window = "since last change", at_least = 3 },
]
deduct = "20.00"
[[ladder.tier]]
id = "high"
enter.any = [
  { metric = "spend", window = "membership year", at_least = "120.00" },
  { metric = "spend", window = "calendar quarter", at_least = "110.00" },
  { metric = "spend", window = "since last change", at_least = "45.00" },
]
keep.all = [{ metric = "visits", window = "calendar year", at_least = 1 }]
[churn]
model = "cdnow-1997"
horizon = "30 days"
bands = [{ name = "low", below = 0.9 }, { name = "very_high" }]
"""
rich_policy = policy_of(RICH)
KINDS: Final = (
    *("order.completed",) * 5,
    *("order.refunded",) * 2,
    "order.cancelled",
    "browse.activity",
    "support.ticket_created",
    "support.ticket_solved",
    "support.satisfaction_rated",
    "membership.started",
    "membership.ended",
    "tier.override_set",
    "tier.override_cleared",
    "tier.match_granted",
    "identity.identified",
)
GAPS_DAYS = (0, 0, 1, 3, 9, 31, 100, 200)
events = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(GAPS_DAYS),
    st.integers(0, 7),
    st.integers(1, 60),
    st.sampled_from((0, 0, 0, 2, 40, 300)),
)
lives = st.lists(events, min_size=1, max_size=30)
Life = list[tuple[str, int, int, int, int]]


def rich_journal(life: Life) -> tuple[Journal, list[int]]:
    """A life of `c0` as a journal, and the instants of its records."""
    journal, now, instants = Journal(), START_MS, []
    journal.activate(rich_policy, 0)
    for number, (kind, gap, which, amount, late) in enumerate(life):
        now += gap * MS_PER_DAY + 1_000
        journal.event(event_of(kind, number, which, amount, now, now - late * MS_PER_DAY), now)
        instants.append(now)
    journal.close(now + 450 * MS_PER_DAY)
    return journal, instants


def event_of(kind: str, number: int, which: int, amount: int, now: int, occurred_at: int) -> InputEvent:
    """An event of a kind; `which` is the order, ticket, tier ... it is about. Members of other kinds are left out."""
    ladder, tier = (("standing", "two"), ("inner", "mid"), ("standing", "three"), ("inner", "low"))[which % 4]
    total = (which + 1) * 700
    category = ("shoes", "hats", "")[which % 3]
    signed_up = {"signup_time": format_instant(occurred_at - amount * MS_PER_DAY)} if which % 2 else {}
    told: dict[str, Any] = {
        "type": kind,
        "id": f"e{number}",
        "time": format_instant(occurred_at),
        "customer_id": "c0",
        "channel": ("app", "web", "pos")[which % 3],
        "channel_type": "offline" if which % 3 == 2 else "online",
        "order_id": f"o{which}-{amount % 3}",
        "refund_id": f"r{amount % 2}",
        "currency": "USD",
        "total_minor": total,
        "refund_minor": amount * 50,
        "products": [{"product_id": f"p{which}", "category": category, "price_minor": total}],
        "coupon": "spring" if which % 2 else "",
        "action": ("add_to_cart", "view_item", "search")[which % 3],
        "ticket_id": f"t{which}",
        "status": "solved" if kind == "support.ticket_solved" else "new",
        "rating": which % 5 + 1,
        "scale_max": 5,
        "programme": "plus",
        "ladder": ladder,
        "tier": tier,
        "reason": "said so",
        "actor": f"agent-{which}",
        "traits": {"country": ("CN", "DE")[which % 2], **signed_up},
    }
    if which % 2 == 0 and kind != "membership.ended":
        told["valid_until"] = format_instant(now + amount * MS_PER_DAY)
    event: InputEvent = msgspec.convert(told, InputEvent)
    return event
