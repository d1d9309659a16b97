"""A backtest on all processors."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from agents.backtest.lives import is_lower
from agents.backtest.sample import ALL, Drawn, Sample
from agents.backtest.tally import CURRENT, NEW, NO_TIER, Flow, Tally
from agents.backtest.unit import Plan, Share, compare_units
from agents.processes import in_processes, processors
from agents.replay.unit import Journal
from schemas.clock import MS_PER_DAY

MS_PER_YEAR: Final = 365.25 * MS_PER_DAY
MS_PER_MONTH: Final = MS_PER_YEAR / 12
Progress = Callable[[int, int], None]


class Estimate(NamedTuple):
    """A share of the customers, and its standard error."""

    customers: int
    share: float
    error: float


class Backtest(NamedTuple):
    """What came of it. Sides are in the order current, new."""

    tally: Tally
    sample: Sample
    end: int
    """Up to which instant time has passed."""
    seconds: float
    processes: int

    def estimate(self, customers: int) -> Estimate:
        """So many customers as a share of all."""
        total = self.tally.customers
        share = customers / total if total else 0.0
        return Estimate(customers, share, self.sample.standard_error(share, total))

    def moved(self, *, lower: bool) -> list[Flow]:
        """The flows into a lower tier, or into a higher one."""
        tiers = self.tally.tiers
        return [flow for flow in self.tally.flows if flow[0] != flow[1] and is_lower(flow, tiers) == lower]

    @property
    def scale(self) -> float:
        """By how much a number of drawn customers is to be multiplied for all of them."""
        if self.sample.limit == ALL:
            return 1.0
        population, customers = self.sample.population, self.tally.customers
        return population / customers if population and customers else ALL / self.sample.limit

    @property
    def customer_years(self) -> float:
        """How long customers were looked at, all together."""
        return max(0, self.tally.customers * self.end - self.tally.seen_since_ms) / MS_PER_YEAR

    def flap_rate(self, side: int) -> float:
        """Changes of tier per customer and year, first tiers not counted."""
        changes = self.tally.sides[side].changes
        years = self.customer_years
        return sum(changes[kind] for kind in ("upgrade", "downgrade", "lateral")) / years if years else 0.0

    def customer_months(self, side: int) -> dict[str, float]:
        """How long each tier was held."""
        counted = self.tally.sides[side]
        return {
            tier: (counted.held_ms[tier] + counted.holding[tier] * self.end) / MS_PER_MONTH for tier in self.tally.tiers
        }

    def mix(self, side: int) -> dict[int, dict[str, int]]:
        """Customers by tier at the end of each month; the last month's is that of the end."""
        deltas = self.tally.sides[side].mix
        months = [month for other in self.tally.sides for month, _ in other.mix]
        if not months:
            return {}
        standing = dict.fromkeys((NO_TIER, *self.tally.tiers), 0)
        found: dict[int, dict[str, int]] = {}
        for month in range(min(months), max(months) + 1):
            for tier in standing:
                standing[tier] += deltas[month, tier]
            found[month] = dict(standing)
        return found

    def costs(self, per_month: Mapping[str, int]) -> dict[str, tuple[float, float]]:
        """What the tiers' benefits cost, in minor units, given each one's cost per customer and month."""
        months = self.customer_months(CURRENT), self.customer_months(NEW)
        return {
            tier: (months[CURRENT][tier] * cost, months[NEW][tier] * cost)
            for tier, cost in per_month.items()
            if tier in self.tally.tiers
        }


def backtest(journal: Journal, plan: Plan, *, sample: Sample, jobs: int | None, told: Progress) -> Backtest:
    """Fold a journal under both policies; `jobs` processes, one per processor by default."""
    begun = time.perf_counter()
    source: Journal = journal if sample.limit == ALL else Drawn(journal, sample.limit)
    units = source.units(jobs or processors())
    count = min(len(units), jobs or processors())
    total = sum(end - begin for begin, end in map(source.span, units))
    shares = [Share(source, units[first::count], plan) for first in range(count)]
    whole = Tally()
    for tally in in_processes(compare_units, shares, lambda done: told(done, total)):
        whole.add(tally)
    whole.differences.sort(key=lambda each: (each.customer, each.since))
    return Backtest(whole, sample, whole.latest, time.perf_counter() - begun, count)
