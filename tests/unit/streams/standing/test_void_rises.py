"""What takes back a rise, what is missing, what is a reason: only what orders showed, can be brought, decided."""

import msgspec

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderCancelled, OverrideSet
from tests.journal import Journal, folded, policy_of
from tests.unit.agents.silver import AT, order, refund

UNSTEADY = """
[policy]
name = "unsteady"
currency = "USD"
time_zone = "UTC"
[[ladder]]
id = "standing"
grace = "10 days"
[[ladder.tier]]
id = "gold"
enter.all = [{ metric = "spend", window = "90 days", at_least = "100.00" }]
keep.all = [{ metric = "spend", window = "90 days", at_least = "10.00" }, { metric = "recency", below = 80 }]
[[ladder.tier]]
id = "platinum"
enter.all = [
  { metric = "spend", window = "90 days", at_least = "500.00" },
  { not = { metric = "refund_rate", window = "90 days", above = 0.1 } },
]
"""


def tiers(journal: Journal) -> list[tuple[str, str | None, str]]:
    """When, to what, and why the tier changed."""
    told = [record.data for record in folded(journal.records).of("tier-changes", b"c1")]
    return [(each["effective_at"], each["tier"] and each["tier"]["id"], each["cause"]) for each in told]


def test_what_time_ends_after_a_rise_was_taken_back_in_part_has_its_grace() -> None:
    """The order that made gold is mostly refunded, yet gold is kept; when time ends that, it is no correction."""
    journal = Journal()
    journal.activate(policy_of(UNSTEADY), 0)
    journal.event(order(), AT)
    taken = msgspec.structs.replace(refund("o1"), refund_minor=8_000)
    journal.event(taken, AT + MS_PER_DAY)
    journal.tick(AT + 200 * MS_PER_DAY)

    assert tiers(journal) == [
        (format_instant(AT), "gold", "event"),
        (format_instant(AT + 90 * MS_PER_DAY), None, "time"),  # 80 days without an order, and 10 of grace
    ]


def test_what_must_not_be_so_is_not_missing() -> None:
    """A share that is too high can't be brought: nothing negative is wanted of anybody."""
    journal = Journal()
    journal.activate(policy_of(UNSTEADY), 0)
    journal.event(order(number=2, total=60_000), AT)
    journal.event(OrderCancelled(id="x", time=format_instant(AT), customer_id="c1", order_id="o2"), AT + 1)
    journal.event(order(), AT + 2)

    (*_, last) = folded(journal.records).of("tier-changes", b"c1")
    assert last.data["next_tier"]["missing"] == [
        {"metric": "spend_minor", "window": "90d", "where": None, "value": 40_000}
    ]


def test_a_rule_that_did_not_decide_gives_no_reasons() -> None:
    """Somebody made the customer platinum: that half of its `enter` holds is no reason for it."""
    journal = Journal()
    journal.activate(policy_of(UNSTEADY), 0)
    journal.event(order(), AT)
    at = format_instant(AT + 1)
    by_hand = OverrideSet(
        id="x", time=at, customer_id="c1", ladder="standing", tier="platinum", reason="goodwill", actor="a1"
    )
    journal.event(by_hand, AT + 1)

    gold, platinum = folded(journal.records).of("tier-changes", b"c1")
    assert [reason["metric"] for reason in gold.data["reasons"]] == ["spend_minor"]
    assert (platinum.data["tier"]["id"], platinum.data["reasons"]) == ("platinum", [])


def test_a_rise_by_what_came_since_the_last_change_says_so() -> None:
    """The value is that of before the rise, with which counting begins anew."""
    since = 'window = "since last change", at_least = "110.00"'
    ladder = UNSTEADY.replace('window = "90 days", at_least = "500.00"', since)
    journal = Journal()
    journal.activate(policy_of(ladder), 0)
    journal.event(order(), AT)
    for number in (2, 3, 4):
        later = order(number=number, total=4_000)
        later.time = format_instant(AT + number * MS_PER_DAY)
        journal.event(later, AT + number * MS_PER_DAY)

    (*_, last) = folded(journal.records).of("tier-changes", b"c1")
    reasons = [(each["metric"], each["window"], each["value"]) for each in last.data["reasons"]]
    assert reasons[0] == ("spend_minor", "since_change", 12_000)
