"""The report of a backtest as one HTML page."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from agents.backtest.lives import is_lower
from agents.backtest.tally import CURRENT, NEW, NO_TIER
from agents.backtest.words import Named, month_text
from agents.pages.charts import Axes, Line, bar_chart, round_top, stacked_chart
from agents.pages.page import document, figure, table, tiles, write
from agents.pages.sankey import Ribbon, sankey

FILE: Final = "report.html"
STYLES_MAX: Final = 6
LEGEND: Final = (
    '<ul class="legend"><li><i class="stays"></i>stays</li><li><i class="falls"></i>lower under the new policy</li>'
    '<li><i class="rises"></i>higher</li></ul>'
)
TIER_COLUMNS: Final = ("Tier", "Current", "Share", "New", "Share", "Change")
FLOW_COLUMNS: Final = ("Who stands elsewhere", "Customers", "Share", "Spend 365 d", "High risk")
WHY_COLUMNS: Final = ("Who", "Why under the current policy", "Why under the new one", "Customers")
COST_COLUMNS: Final = ("Cost of benefits, whole time", "Current", "New", "Difference")
FOOTNOTE: Final = (
    "Both policies decided from the first event on. Shares are of all customers; what stands behind ± is the standard "
    "error of a sample. First tiers are no changes."
)
SIDES: Final = ("current", "new")


def write_page(folder: Path, named: Named, title: str) -> Path:
    """Write the page into a folder, which is made if need be; the path of the page."""
    return write(folder / FILE, page(named, title))


def page(named: Named, title: str) -> str:
    """The page."""
    body = [f"<h1>{escape(title)}</h1>", f'<p class="sub">{escape(named.who())}</p>', _tiles(named)]
    body += ["<h2>Who stands where at the end</h2>", '<div class="charts">', *_flows(named), "</div>"]
    body += ["<h2>Tiers</h2>", table(TIER_COLUMNS, named.tier_rows(), words=1)]
    if named.done.tally.whys:
        rows = ((who, was, then, count) for who, count, was, then in named.why_rows())
        body += ["<h2>Who moves</h2>", table(FLOW_COLUMNS, named.flow_rows(), words=1)]
        body += ["<h2>Why</h2>", table(WHY_COLUMNS, rows, words=3)]
    body += ["<h2>Month by month</h2>", '<div class="charts">', *_months(named), "</div>"]
    changes = table(("Tier changes", "Current", "New"), named.flap_rows(), words=1)
    body += ["<h2>How restless the tiers are</h2>", '<div class="charts">', _restless(named), changes, "</div>"]
    if named.per_month:
        body += ["<h2>Cost</h2>", table(COST_COLUMNS, named.cost_rows(), words=1)]
    body.append(f"<p>{FOOTNOTE}</p>")
    return document(title, body)


def _tiles(named: Named) -> str:
    done = named.done
    figures = [(named.share(estimate), f"{estimate.customers:,} stand {words}") for words, estimate in named.moves()]
    now, then = (done.flap_rate(side) for side in (CURRENT, NEW))
    figures.append((f"{now:.2f} → {then:.2f}", "changes per customer and year"))
    customers, spend, at_risk = named.falling()
    if customers:
        risk = f", {at_risk:,} of them at high risk" if done.tally.judged_risk else ""
        figures.append((named.money(spend), f"spent within 365 days by those who stand lower{risk}"))
    return tiles(figures)


def _flows(named: Named) -> list[str]:
    tally = named.done.tally
    places = [named.tier(tier) for tier in (*reversed(tally.tiers), NO_TIER)]
    ribbons = []
    for flow, count in tally.flows.items():
        style = "stays" if flow[0] == flow[1] else "falls" if is_lower(flow, tally.tiers) else "rises"
        begin, end = map(named.tier, flow)
        ribbons.append(Ribbon(begin, end, count, style, f"{begin} → {end}: {count:,}"))
    moving = [ribbon for ribbon in ribbons if ribbon.style != "stays"]
    parts = [figure("Everybody", sankey("Flows between tiers", SIDES, places, ribbons) + LEGEND)]
    if moving:
        parts.append(figure("Those who move", sankey("Flows of those who move", SIDES, places, moving) + LEGEND))
    return parts


def _months(named: Named) -> list[str]:
    tally = named.done.tally
    # The lowest tier would hide the others: it is in the table, and in the text that a column shows.
    tiers = tally.tiers[1:] if len(tally.tiers) > 2 else tally.tiers  # noqa: PLR2004 - with two, both are wanted
    layers = [
        Line(named.tier(tier), (), f"t{(number - 1) % STYLES_MAX + 1}")
        for number, tier in enumerate(tally.tiers, 1)
        if tier in tiers
    ]
    mixes = [named.done.mix(side) for side in (CURRENT, NEW)]
    highest = max((sum(standing[tier] for tier in tiers) for mix in mixes for standing in mix.values()), default=1)
    axes = Axes("end of the month", "customers", y_max=max(round_top(highest), 8), percent=False)
    parts = []
    for name, mix in zip(SIDES, mixes, strict=True):
        columns = _columns(mix, tiers)
        caption = f"Tiers above {named.tier(tally.tiers[0])}, {name}" if tiers != tally.tiers else f"Tiers, {name}"
        parts.append(figure(caption, stacked_chart(f"Tier mix, {name}", axes, columns, layers)))
    return parts


def _columns(mix: Mapping[int, Mapping[str, int]], tiers: Sequence[str]) -> list[tuple[str, list[float]]]:
    return [(month_text(month), [float(standing[tier]) for tier in tiers]) for month, standing in mix.items()]


def _restless(named: Named) -> str:
    done = named.done
    years = done.customer_years or 1.0
    bars = [("all", done.flap_rate(CURRENT), done.flap_rate(NEW))]
    for words, kind in (("rises", "upgrade"), ("falls", "downgrade"), ("by time alone", "by_time")):
        now, then = (side.changes[kind] / years for side in done.tally.sides)
        bars.append((words, now, then))
    highest = round_top(max(value for _, *both in bars for value in both))
    axes = Axes("", "changes per customer and year", y_max=highest, percent=False)
    return figure("Changes of tier", bar_chart("Flap rate", axes, bars, SIDES))
