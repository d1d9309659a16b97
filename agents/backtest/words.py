"""A backtest in words and as data: rows for the terminal and the page, a plain summary for programs."""

from collections.abc import Iterator, Mapping

from agents.backtest.run import Backtest, Estimate
from agents.backtest.tally import CURRENT, NEW, NO_TIER, Flow
from schemas.clock import format_instant
from schemas.money import minor_to_decimal

WHYS_SHOWN = 10
FLAP_ROWS = (("upgrades", "upgrade"), ("downgrades", "downgrade"), ("of these by time alone", "by_time"))


class Named:
    """A backtest, with what its tiers and amounts are called."""

    def __init__(self, done: Backtest, currency: str, costs: Mapping[str, int]) -> None:
        self.done, self.currency, self.per_month = done, currency, costs

    def tier(self, tier: str) -> str:
        """A tier's name."""
        return self.done.tally.names.get(tier, tier) if tier != NO_TIER else "no tier"

    def money(self, minor: float) -> str:
        """An amount with its currency."""
        return f"{minor_to_decimal(round(minor), self.currency)} {self.currency}"

    def share(self, estimate: Estimate) -> str:
        """A share, with its standard error where it has one."""
        return f"{estimate.share:.1%}" + (f" ± {estimate.error:.2%}" if estimate.error else "")

    def who(self) -> str:
        """Over whom and when."""
        done = self.done
        drawn = "" if done.scale == 1 else f", a sample: multiply numbers by {done.scale:,.2f} for everybody"
        return f"{done.tally.customers:,} customers{drawn}, up to {format_instant(done.end)}."

    def moves(self) -> Iterator[tuple[str, Estimate]]:
        """How many stand lower, higher, and elsewhere at some time."""
        flows = self.done.tally.flows
        for word, lower in (("lower under the new policy", True), ("higher under the new policy", False)):
            yield word, self.done.estimate(sum(flows[flow] for flow in self.done.moved(lower=lower)))
        yield "elsewhere at some time", self.done.estimate(self.done.tally.ever)

    def tier_rows(self) -> Iterator[tuple[str, ...]]:
        """Each tier's customers at the end, from the highest."""
        flows = self.done.tally.flows
        for tier in (*reversed(self.done.tally.tiers), NO_TIER):
            both = [sum(n for flow, n in flows.items() if flow[side] == tier) for side in (CURRENT, NEW)]
            if tier != NO_TIER or any(both):
                shares = [self.share(self.done.estimate(count)) for count in both]
                now, then = (f"{count:,}" for count in both)
                yield self.tier(tier), now, shares[CURRENT], then, shares[NEW], f"{both[NEW] - both[CURRENT]:+,}"

    def flow_rows(self) -> Iterator[tuple[str, ...]]:
        """Who stands in another tier at the end, and what they hold, the largest flow first."""
        tally = self.done.tally
        for flow in sorted(self._moved(), key=lambda flow: -tally.flows[flow]):
            estimate = self.done.estimate(tally.flows[flow])
            at_risk = f"{tally.at_risk[flow]:,}" if tally.judged_risk else "-"
            yield (
                self.arrow(flow),
                f"{estimate.customers:,}",
                self.share(estimate),
                self.money(tally.spend_minor[flow]),
                at_risk,
            )

    def why_rows(self) -> Iterator[tuple[str, ...]]:
        """Which conditions decided, for those who stand in another tier at the end."""
        for (current, new, was, then), count in self.done.tally.whys.most_common(WHYS_SHOWN):
            yield self.arrow((current, new)), f"{count:,}", was or "-", then or "-"

    def flap_rows(self) -> Iterator[tuple[str, ...]]:
        """How often tiers change, first tiers not counted."""
        done = self.done
        yield "changes per customer and year", *(f"{done.flap_rate(side):.3f}" for side in (CURRENT, NEW))
        for words, kind in FLAP_ROWS:
            yield words, *(f"{side.changes[kind]:,}" for side in done.tally.sides)

    def cost_rows(self) -> Iterator[tuple[str, ...]]:
        """What benefits cost over the whole time."""
        for tier, (now, then) in self.done.costs(self.per_month).items():
            yield self.tier(tier), self.money(now), self.money(then), self.money(then - now)

    def falling(self) -> tuple[int, int, int]:
        """Those who stand lower: how many, their spend of 365 days in minor units, and how many are at risk."""
        tally, flows = self.done.tally, self.done.moved(lower=True)
        return (
            sum(tally.flows[flow] for flow in flows),
            sum(tally.spend_minor[flow] for flow in flows),
            sum(tally.at_risk[flow] for flow in flows),
        )

    def arrow(self, flow: Flow) -> str:
        """A flow in words."""
        return " → ".join(map(self.tier, flow))

    def _moved(self) -> list[Flow]:
        return [*self.done.moved(lower=True), *self.done.moved(lower=False)]


def plain(named: Named) -> dict[str, object]:
    """Everything for programs."""
    done, tally = named.done, named.done.tally
    lower = named.falling()
    sides = {}
    for name, side in (("current", CURRENT), ("new", NEW)):
        changes = tally.sides[side].changes
        counts = {words.replace(" ", "_"): changes[kind] for words, kind in FLAP_ROWS[:2]}
        sides[name] = {
            "changes_per_customer_year": round(done.flap_rate(side), 6),
            **counts,
            "downgrades_by_time": changes["by_time"],
            "customer_months": {tier: round(held, 2) for tier, held in done.customer_months(side).items()},
        }
    return {
        "customers": tally.customers,
        "events": tally.records,
        "until": format_instant(done.end) if done.end >= 0 else None,
        "sample": {"scale": round(done.scale, 6), "population": done.sample.population},
        "moves": {words.split()[0]: _estimate(estimate) for words, estimate in named.moves()},
        "flows": [
            {
                "current": flow[CURRENT] or None,
                "new": flow[NEW] or None,
                **_estimate(done.estimate(count)),
                "spend_365d_minor": tally.spend_minor[flow],
                "at_risk": tally.at_risk[flow] if tally.judged_risk else None,
            }
            for flow, count in sorted(tally.flows.items())
        ],
        "lower": {
            "customers": lower[0],
            "spend_365d_minor": lower[1],
            "at_risk": lower[2] if tally.judged_risk else None,
        },
        "tiers": list(tally.tiers),
        "mix": [
            {"month": month_text(month), "current": _tiers(now), "new": _tiers(done.mix(NEW)[month])}
            for month, now in done.mix(CURRENT).items()
        ],
        "sides": sides,
        "costs": {
            tier: {"current_minor": round(now), "new_minor": round(then)}
            for tier, (now, then) in done.costs(named.per_month).items()
        },
        "whys": [
            {"current": flow[0] or None, "new": flow[1] or None, "customers": count, "because": flow[2], "now": flow[3]}
            for flow, count in tally.whys.most_common()
        ],
        "currency": named.currency,
        "seconds": round(done.seconds, 3),
        "processes": done.processes,
    }


def month_text(month: int) -> str:
    """A month as 2026-11."""
    return f"{month // 12}-{month % 12 + 1:02d}"


def _tiers(standing: Mapping[str, int]) -> dict[str, int]:
    return {tier or "none": count for tier, count in standing.items() if tier or count}


def _estimate(estimate: Estimate) -> dict[str, float]:
    return {
        "customers": estimate.customers,
        "share": round(estimate.share, 6),
        "standard_error": round(estimate.error, 6),
    }
