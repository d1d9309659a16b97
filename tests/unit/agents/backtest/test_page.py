"""The report as a page: whole, safe, and true to the figures."""

import re
from functools import cache
from xml.etree import ElementTree as ET

from agents.backtest.page import page
from agents.backtest.run import Backtest
from agents.backtest.words import Named
from agents.pages.sankey import Ribbon, sankey
from tests.unit.agents.backtest.shops import compared, policy_text, some_journal


@cache
def whole() -> Backtest:
    """Both directions at once."""
    return compared(some_journal(), (policy_text("60.00", "150.00"), policy_text("75.00", "120.00")))


def test_it_needs_nothing_else_and_is_well_formed() -> None:
    """No script, no link, no image; five charts inside their frames."""
    text = page(Named(whole(), "USD", {"gold": 250}), "now against <new>")
    assert not re.search(r"<script|<link|<img|@import|url\(|https?://(?!www\.w3\.org)", text)
    assert "now against &lt;new&gt;" in text
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 2 + 2 + 1
    for chart in charts:
        root = ET.fromstring(chart)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for rect in root.findall("rect"):
            x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
            assert x >= 0 <= y
            assert x + w <= width
            assert 0 <= y + h <= height + 0.1


def test_it_says_the_figures() -> None:
    named = Named(whole(), "USD", {"gold": 250})
    text = page(named, "title")
    lower, spend, _ = named.falling()
    assert f"{lower:,} stand lower under the new policy" in text
    assert named.money(spend) in text
    for flow, count in whole().tally.flows.items():
        assert f"{named.arrow(flow)}: {count:,}" in text


def test_ribbons_fill_their_places() -> None:
    """In each column the ribbons' heights add up to the place's, from its top to its bottom."""
    flows = {("gold", "gold"): 60, ("gold", "silver"): 30, ("silver", "gold"): 10, ("silver", "silver"): 100}
    ribbons = [Ribbon(*flow, count, "stays", f"{count}") for flow, count in flows.items()]
    root = ET.fromstring(sankey("title", ("now", "new"), ("gold", "silver", "none"), ribbons))
    nodes = [(float(r.attrib["x"]), float(r.attrib["y"]), float(r.attrib["height"])) for r in root.findall("rect")]
    assert len(nodes) == 4
    heights = {}
    for path in root.findall("path"):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
        heights[int(path.findtext("title") or "0")] = numbers[8] - numbers[7]
    scale = nodes[0][2] / 90
    assert all(abs(height - count * scale) < 0.25 for count, height in heights.items())
    assert [round(height / scale) for _, _, height in nodes] == [90, 110, 70, 130]
