"""Evaluating at due instants gives what looking at every household on every day gives, on a year of real baskets.

A sample by default; `make proof` takes every household. The sweep is plain Python over daily sums and knows nothing of
the core: it adds up prefixes, and looks at each local midnight and at each basket.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agents.completejourney import Basket, read_baskets
from agents.flaps import changes_of
from schemas.clock import parse_instant
from schemas.decisions import TierChanged
from streams.regime import regime_of
from tests.journal import policy_of

SAMPLE = os.environ.get("PROOF_HOUSEHOLDS", "60")
ZONE = ZoneInfo("America/New_York")
FIRST, LAST = date(2016, 12, 31), date(2019, 3, 31)
DAYS = (LAST - FIRST).days + 1
POLICY = """
[policy]
name = "proof"
currency = "USD"
time_zone = "America/New_York"
[[ladder]]
id = "rolling"
grace = "7 days"
keep_ratio = 0.9
tier = [
  { id = "silver", enter.any = [{ metric = "spend", window = "30 days", at_least = "134.30" }] },
  { id = "gold", enter.any = [{ metric = "spend", window = "30 days", at_least = "285.29" }] },
  { id = "platinum", enter.any = [{ metric = "spend", window = "30 days", at_least = "587.95" }] },
]
[[ladder]]
id = "year"
grace = "30 days"
review = { clock = "calendar-year" }
tier = [
  { id = "silver", enter.any = [{ metric = "spend", window = "calendar year", at_least = "500.00" }] },
  { id = "gold", enter.any = [{ metric = "spend", window = "calendar year", at_least = "1500.00" }] },
  { id = "platinum", enter.any = [{ metric = "spend", window = "calendar year", at_least = "4000.00" }] },
]
[[ladder]]
id = "anniversary"
step_down = 1
review = { clock = "anniversary" }
tier = [
  { id = "silver", enter.any = [{ metric = "spend", window = "365 days", at_least = "500.00" }] },
  { id = "gold", enter.any = [{ metric = "spend", window = "365 days", at_least = "1500.00" }] },
  { id = "platinum", enter.any = [{ metric = "spend", window = "365 days", at_least = "4000.00" }] },
]
"""
ROLLING, KEPT = (13_430, 28_529, 58_795), (12_087, 25_677, 52_916)  # nine tenths, rounded up to the cent
YEARLY = (50_000, 150_000, 400_000)
MIDNIGHTS = [
    int(datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), ZONE).timestamp() * 1000)
    for day in range(DAYS)
]


class Moved(NamedTuple):
    """A change on a ladder."""

    ladder: str
    at: int
    previous: int
    current: int


def rank(value: int, cuts: tuple[int, ...], up_to: int = 3) -> int:
    """The highest tier, of the lowest so many, whose mark is reached."""
    return sum(value >= cut for cut in cuts[:up_to])


class Household:
    """One household, looked at every day."""

    def __init__(self, baskets: list[Basket]) -> None:
        self.baskets: dict[int, list[Basket]] = defaultdict(list)
        for basket in baskets:
            on = datetime.fromtimestamp(basket.occurred_at / 1000, UTC).astimezone(ZONE).date()
            self.baskets[(on - FIRST).days].append(basket)
        spent = [sum(basket.total_minor for basket in self.baskets.get(day, ())) for day in range(DAYS)]
        self.before = [0, *accumulate(spent)]
        self.moves: list[Moved] = []

    def between(self, first: int, last: int) -> int:
        """What was spent on the days from `first` to `last`."""
        return self.before[max(0, last + 1)] - self.before[max(0, first)]

    def sweep(self, ladder: str, judge: Callable[[int, int], int]) -> list[Moved]:
        """Look at every midnight, and after every basket; `judge` takes the day and what was spent on it so far."""
        moves, held = [], 0
        for day in range(DAYS):
            spent = 0
            for at, paid in ((MIDNIGHTS[day], 0), *((b.occurred_at, b.total_minor) for b in self.baskets.get(day, ()))):
                spent += paid
                now = judge(day, spent)
                if now != held:
                    moves.append(Moved(ladder, at, held, now))
                held = now
        return moves


def rolling(household: Household) -> list[Moved]:
    """Thirty days, kept at nine tenths, seven days' grace."""
    held, missing_since = 0, -1

    def judge(day: int, spent: int) -> int:
        nonlocal held, missing_since
        value = household.between(day - 29, day - 1) + spent
        if rank(value, ROLLING) > held:
            held, missing_since = rank(value, ROLLING), -1
        elif held and value < KEPT[held - 1]:
            missing_since = day if missing_since < 0 else missing_since
            if day - missing_since >= 7:
                held, missing_since = rank(value, KEPT, held - 1), -1
        else:
            missing_since = -1
        return held

    return household.sweep("rolling", judge)


def yearly(household: Household) -> list[Moved]:
    """Calendar years, reviewed on 1 January over the year that ended, thirty days' grace."""
    held, grace_from = 0, -1

    def judge(day: int, spent: int) -> int:
        nonlocal held, grace_from
        on = FIRST + timedelta(days=day)
        begins = (date(on.year, 1, 1) - FIRST).days
        value = household.between(begins, day - 1) + spent
        if rank(value, YEARLY) > held:
            held, grace_from = rank(value, YEARLY), -1
        elif held and grace_from < 0 and day == begins and not spent:
            ended = household.between((date(on.year - 1, 1, 1) - FIRST).days, begins - 1)
            grace_from = day if ended < YEARLY[held - 1] else -1
        elif held and grace_from >= 0:
            ended = household.between((date(on.year - 1, 1, 1) - FIRST).days, begins - 1)
            if value >= YEARLY[held - 1]:
                grace_from = -1
            elif day - grace_from >= 30:
                held, grace_from = max(rank(value, YEARLY, held - 1), rank(ended, YEARLY, held - 1)), -1
        return held

    return household.sweep("year", judge)


def by_anniversary(household: Household) -> list[Moved]:
    """Reviewed when the day on which the tier was reached returns; one tier down at most, at once."""
    held, reached = 0, 0

    def judge(day: int, spent: int) -> int:
        nonlocal held, reached
        value = household.between(day - 364, day - 1) + spent
        on, then = FIRST + timedelta(days=day), FIRST + timedelta(days=reached)
        if rank(value, YEARLY) > held:
            held, reached = rank(value, YEARLY), day
        elif held and not spent and day > reached and (on.month, on.day) == (then.month, then.day):
            held, reached = (
                (held, reached) if household.between(day - 365, day - 1) >= YEARLY[held - 1] else (held - 1, day)
            )
        return held

    return household.sweep("anniversary", judge)


def test_due_instants_give_what_a_daily_sweep_gives() -> None:
    baskets: dict[str, list[Basket]] = defaultdict(list)
    for basket in read_baskets():
        baskets[basket.household].append(basket)
    households = sorted(baskets)
    if SAMPLE != "all":
        households = households[:: len(households) // int(SAMPLE)]
    regime, total = regime_of(policy_of(POLICY), 0, 0), 0
    for household in households:
        bought = baskets[household]
        moves = [
            Moved(d.ladder, parse_instant(d.effective_at), *(t.rank if t else 0 for t in (d.previous_tier, d.tier)))
            for change in changes_of(regime, (basket.event for basket in bought), MIDNIGHTS[-1])
            if isinstance(d := change.decision, TierChanged)
        ]
        known = Household(bought)
        swept = [*rolling(known), *yearly(known), *by_anniversary(known)]
        assert sorted(moves) == sorted(swept), household
        total += len(moves)

    assert total > 5 * len(households)
