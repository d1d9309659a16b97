"""How often tiers change: the rate over a history written by hand, and what is refused."""

from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.flap_history import of_file
from agents.flaps import MS_PER_YEAR, flaps
from tests.journal import policy_of

POLICY = """
[policy]
name = "p"
[[ladder]]
id = "standing"
tier = [{ id = "gold", enter.any = [{ metric = "orders", window = "30 days", at_least = 1 }] }]
"""


def history(path: Path, *days: str) -> Path:
    """A file with an order of one customer on each day."""
    lines = [
        f'{{"type":"order.completed","id":"{n}","time":"{day}T10:00:00Z","customer_id":"c","order_id":"{n}",'
        '"currency":"USD","total_minor":100}'
        for n, day in enumerate(days)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_what_fills_the_windows_is_not_counted(tmp_path: Path) -> None:
    """Not the rise and fall of January: the rise of March, its fall and the rise of June are counted."""
    lives, span = of_file(history(tmp_path / "h.jsonl", "2025-01-01", "2025-03-01", "2025-06-01"))
    done: list[int] = []

    found = flaps(policy_of(POLICY, "USD", "UTC"), lives, span, done.append)

    years = (span.ends_at - span.begins_at) / MS_PER_YEAR
    assert (found.customers, found.customer_years, sum(done)) == (1, years, 1)
    assert [found.changes * years, found.falls * years] == pytest.approx([3, 1])
    assert [(t.tier, round(t.rises * years), round(t.falls * years)) for t in found.tiers] == [
        (None, 2, 0),
        ("gold", 0, 1),
    ]


@pytest.mark.parametrize(("days", "why"), [(("2025-01-01",), "too short"), ((), "no events")])
def test_a_history_that_says_nothing_is_refused(tmp_path: Path, days: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        of_file(history(tmp_path / "h.jsonl", *days))
