"""What a backtest counts: sums that hold together, however many processes and whatever part of time."""

from functools import cache

import pytest

from agents.backtest.run import MS_PER_MONTH, MS_PER_YEAR, Backtest
from agents.backtest.tally import CURRENT, NEW, merged
from agents.demo.cdnow import BEGINS_AT, ENDS_AT
from schemas.clock import MS_PER_DAY
from tests.unit.agents.backtest.shops import compared, policy_text, some_journal

TEXTS = policy_text("60.00", "150.00"), policy_text("75.00", "120.00")
JULY_1997 = BEGINS_AT + 181 * MS_PER_DAY


@cache
def whole() -> Backtest:
    """In one process."""
    return compared(some_journal(), TEXTS)


def test_processes_count_the_same() -> None:
    """Of one, or two that share the customers."""
    alone, shared = whole().tally, compared(some_journal(), TEXTS, jobs=2)
    assert shared.processes == 2
    assert shared.tally == alone


def test_a_policy_against_itself_moves_nobody() -> None:
    done = compared(some_journal(), (TEXTS[0], TEXTS[0]))
    assert (done.tally.ever, done.tally.differences, done.moved(lower=True), done.moved(lower=False)) == (0, [], [], [])
    assert done.tally.sides[CURRENT] == done.tally.sides[NEW]
    assert done.flap_rate(CURRENT) > 0


def test_the_counts_hold_together() -> None:
    """Flows, holders, the last month, and the time that tiers were held: everybody is somewhere at any time."""
    done = whole()
    assert sum(done.tally.flows.values()) == done.tally.customers
    for side in (CURRENT, NEW):
        ends = {tier: sum(n for flow, n in done.tally.flows.items() if flow[side] == tier) for tier in done.tally.tiers}
        mix = done.mix(side)
        assert {tier: mix[max(mix)][tier] for tier in done.tally.tiers} == ends
        months = sum(done.customer_months(side).values())
        assert months * MS_PER_MONTH == pytest.approx(done.customer_years * MS_PER_YEAR)
        changes = done.tally.sides[side].changes
        assert changes["by_time"] == changes["downgrade"] > 0
        assert changes["upgrade"] > 0
    assert done.customer_months(NEW)["silver"] < done.customer_months(CURRENT)["silver"]
    assert done.costs({"gold": 100})["gold"][NEW] == pytest.approx(done.customer_months(NEW)["gold"] * 100)


def test_a_part_of_time() -> None:
    """What came before is folded, and does not count; what came after is left out."""
    part = compared(some_journal(), TEXTS, begin=JULY_1997, until=JULY_1997 + 90 * MS_PER_DAY)
    begin, end = JULY_1997, JULY_1997 + 90 * MS_PER_DAY
    assert part.end == end
    assert all(begin <= d.since <= end for d in part.tally.differences)
    expected = {
        (d.customer, max(d.since, begin), d.until if d.until is not None and d.until <= end else None)
        for d in whole().tally.differences
        if d.since <= end and (d.until is None or d.until > begin)
    }
    assert {(d.customer, d.since, d.until) for d in part.tally.differences} == expected
    before, after = (compared(some_journal(), TEXTS, until=at).tally.sides for at in (begin, end))
    for side in (CURRENT, NEW):
        assert part.tally.sides[side].changes.total() > 0
        assert part.tally.sides[side].changes == after[side].changes - before[side].changes
    assert part.customer_years == pytest.approx(part.tally.customers * 90 * MS_PER_DAY / MS_PER_YEAR)
    assert end < ENDS_AT


def test_tiers_of_both_policies_stand_in_one_order() -> None:
    assert merged(("member", "silver", "gold"), ("member", "bronze", "silver", "platinum")) == (
        "member",
        "bronze",
        "silver",
        "platinum",
        "gold",
    )
