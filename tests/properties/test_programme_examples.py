"""What the laws of programmes found once, as small as it was shrunk, so that it is looked at every time."""

import pytest

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.decisions import TierChanged
from schemas.events import (
    BrowseActivity,
    Identified,
    InputEvent,
    MembershipEnded,
    MembershipStarted,
    OrderCancelled,
    OrderCompleted,
    OverrideSet,
    Traits,
)
from streams.effects import Effects
from streams.process import pass_time
from streams.regime import regime_of
from tests.journal import policy_of
from tests.properties.journals import Arrival
from tests.properties.one_customer import Folded

START = parse_instant("2025-11-01T00:00:00Z")
DAYS = MS_PER_DAY


def programme(ladder: str, enter: str, keep: str = "", rest: str = "") -> str:
    """A policy with one ladder of one tier."""
    kept = f"keep = {{ all = [{keep}] }}" if keep else ""
    return f"""
[policy]
name = "one"
[[ladder]]
id = "standing"
{ladder}
[[ladder.tier]]
id = "gold"
enter = {{ all = [{enter}] }}
{kept}
{rest}
"""


def tiers(policy: str, *told: tuple[float, InputEvent], until: float = 500) -> list[tuple[str | None, float, str]]:
    """The changes: to which tier, after how many days, and why."""
    folded = Folded(regime_of(policy_of(policy, "USD", "UTC"), 0, 0))
    for number, (days, event) in enumerate(told):
        at = START + round(days * DAYS)
        event.id, event.customer_id = f"e{number}", "c0"
        event.time = event.time or format_instant(at)
        folded.take(Arrival(event, at))
    effects = Effects(b"c0")
    pass_time(folded.state, folded.regimes, START + round(until * DAYS), effects)
    decisions = [c.decision for c in (*folded.changes, *effects.changes) if isinstance(c.decision, TierChanged)]
    return [(d.tier.id if d.tier else None, (parse_instant(d.effective_at) - START) / DAYS, d.cause) for d in decisions]


def order(number: int, total: int, time: str = "") -> OrderCompleted:
    return OrderCompleted(id="", time=time, order_id=f"o{number}", currency="USD", total_minor=total)


SPEND_60 = '{ metric = "spend", window = "90 days", at_least = "60.00" }'
NO_VISITS = '{ not = { metric = "visits", window = "30 days", at_least = 1 } }'


@pytest.mark.parametrize("rest", ["", 'notice = ["7 days"]'])
@pytest.mark.parametrize("ladder", ["", 'minimum.all = [{ metric = "orders", window = "lifetime", at_least = 1 }]'])
def test_a_rise_that_lost_its_ground_but_was_kept_falls_by_time_as_any_other(ladder: str, rest: str) -> None:
    """Only a record that takes something back makes a rise void: not time, whatever else the ladder has to look at."""
    policy = programme(f'grace = "10 days"\nkeep_ratio = 0.5\n{ladder}', SPEND_60, rest=rest)

    changes = tiers(
        policy,
        (0, order(1, 3_000)),
        (0, order(2, 4_000)),
        (1, OrderCancelled(id="", time="", order_id="o2")),
    )

    assert changes == [("gold", 0, "event"), (None, 100, "time")]


def test_who_meets_a_rule_by_doing_nothing_is_judged_by_the_first_record() -> None:
    """Whatever that record tells, and although no rule asks about it."""
    identified = Identified(id="", time="", traits=Traits(locale="de-DE"))

    assert tiers(programme("", NO_VISITS), (0, identified)) == [("gold", 0, "event")]
    assert tiers(programme("", NO_VISITS), (0, identified), (1, BrowseActivity(id="", time="", action="search"))) == [
        ("gold", 0, "event"),
        (None, 1, "event"),
        ("gold", 31, "time"),
    ]


def test_a_review_does_not_count_what_came_after_its_period() -> None:
    """In the grace after the year 2025 an order of January makes neither the year's recency nor its lifetime better."""
    keep = (
        '{ metric = "recency", at_most = 20 }, { metric = "spend", window = "lifetime", at_least = "70.00" }, '
        '{ metric = "spend", window = "calendar year", at_least = "60.00" }'
    )
    enter = SPEND_60.replace("90 days", "30 days")
    policy = programme('grace = "30 days"\nreview = { clock = "calendar-year" }', enter, keep)

    assert tiers(policy, (0, order(1, 6_000)), (70, order(2, 1_000))) == [("gold", 0, "event"), (None, 91, "time")]


PLUS = '{ metric = "membership", programme = "plus", is = true }'


def test_an_old_membership_that_is_heard_of_late_leaves_the_present_one_alone() -> None:
    """Neither its begin nor its end is the present one's."""
    joined = MembershipStarted(id="", time="", programme="plus")
    before = format_instant(START - 100 * DAYS)
    started = MembershipStarted(id="", time=before, programme="plus", valid_until=format_instant(START - 70 * DAYS))
    ended = MembershipEnded(id="", time=format_instant(START - 70 * DAYS), programme="plus")

    assert tiers(programme("", PLUS), (0, joined), (1, started), (2, ended)) == [("gold", 0, "event")]


def test_what_people_decide_has_no_reason_of_the_rules() -> None:
    """Of an `enter` that is met in part only, no part is told as the reason of a tier given by hand."""
    policy = programme("", f'{SPEND_60}, {{ metric = "orders", window = "lifetime", at_least = 1 }}')
    by_hand = OverrideSet(id="e1", ladder="standing", tier="gold", reason="r", actor="a", time=format_instant(START))
    folded = Folded(regime_of(policy_of(policy, "USD", "UTC"), 0, 0))
    bought, by_hand.customer_id = order(1, 100, format_instant(START)), "c0"
    bought.id, bought.customer_id = "e0", "c0"
    folded.take(Arrival(bought, START))
    folded.take(Arrival(by_hand, START))

    (change,) = folded.changes

    assert isinstance(change.decision, TierChanged)
    assert change.decision.reasons == ()


def test_a_change_tells_what_was_counted_since_the_one_before() -> None:
    """Not what has been counted since the change itself, which is nothing."""
    since = '{ metric = "spend", window = "since last change", at_least = "60.00" }'
    folded = Folded(regime_of(policy_of(programme("", since), "USD", "UTC"), 0, 0))
    bought = order(1, 7_000, format_instant(START))
    bought.id, bought.customer_id = "e0", "c0"
    folded.take(Arrival(bought, START))

    rise = folded.changes[0].decision

    assert isinstance(rise, TierChanged)
    assert [(reason.value, reason.threshold) for reason in rise.reasons] == [(7_000, 6_000)]
