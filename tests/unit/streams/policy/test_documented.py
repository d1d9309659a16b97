"""What the documentation shows of policy files is right."""

import re
from pathlib import Path

from agents.reference_policy import EXAMPLE, policy_page
from streams.policy import keys
from streams.policy.check import check
from streams.policy.metrics import METRICS, NUMBER_TRAITS, TRAITS
from streams.policy.model import Policy
from streams.policy.parse import parse
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE

DOCS = Path(__file__).parents[4] / "docs"
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AROUND = """
[policy]
name = "x"
currency = "EUR"
time_zone = "UTC"
[churn]
model = "cdnow-1997"
horizon = "90 days"
bands = [{ name = "low" }]
[[ladder]]
id = "club"
balance = "spend"
[[ladder.tier]]
id = "one"
"""


def test_the_page_is_whole() -> None:
    """Every part has found its place, every key and every metric its line."""
    page = policy_page("note")
    assert "{{" not in page
    tables = (keys.POLICY, keys.LADDER, keys.REVIEW, keys.TIER, keys.FILTERS, keys.PARAMETERS, keys.CHURN)
    named = [*(name for table in tables for name in table), *keys.OPERATORS, *keys.WINDOWS, *keys.CLOCKS]
    named += [*(name for name in METRICS if name != "trait"), *(f"trait:{trait}" for trait in TRAITS), *NUMBER_TRAITS]
    assert [name for name in named if f"`{name}`" not in page] == []


def test_the_examples_of_the_reference_are_right() -> None:
    """The whole file means the coffee house; each metric's condition can be asked."""
    whole, conditions = BLOCK.findall((DOCS / "reference" / "policy.md").read_text(encoding="utf-8"))
    assert whole.strip() == EXAMPLE
    assert parse(whole) == parse(COFFEE_HOUSE)
    found = parse(AROUND + conditions)
    assert isinstance(found, Policy), found
    assert len(found.ladders[0].tiers[0].enter.parts) == len(METRICS)  # type: ignore[union-attr]  # a group


def test_the_twenty_lines_are_twenty_and_sound() -> None:
    """As the how-to promises."""
    (file,) = BLOCK.findall((DOCS / "how-to" / "your-programme-in-20-lines.md").read_text(encoding="utf-8"))
    assert len([line for line in file.splitlines() if line.strip()]) == 20
    checked = check(file)
    assert checked.policy is not None
    assert checked.cautions == []
