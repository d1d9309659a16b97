"""The demo's purchases are read exactly, or refused with a remedy."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from agents.demo import cdnow
from agents.demo.cdnow import BEGINS_AT, CUSTOMERS, ENDS_AT, ROWS, TOTAL_MINOR, order_events, read_purchases
from agents.errors import ConfigurationError
from schemas.clock import format_instant


def test_all_rows_of_the_installed_data_are_read() -> None:
    """69,659 rows of 23,570 customers, 80 of them free, within the simulated time."""
    purchases = read_purchases()
    assert len(purchases) == ROWS == 69_659
    assert len({p.customer for p in purchases}) == CUSTOMERS == 23_570
    assert sum(p.total_minor == 0 for p in purchases) == 80
    assert sum(p.total_minor for p in purchases) == TOTAL_MINOR
    assert BEGINS_AT <= min(p.occurred_at for p in purchases) <= max(p.occurred_at for p in purchases) < ENDS_AT


def test_amounts_are_exact_cents_and_days_stand_at_noon() -> None:
    """The first rows of the file, taken by eye."""
    first, second, third = read_purchases()[:3]
    assert (first.id, first.customer_id, first.total_minor) == ("cdnow-1", "cdnow-00001", 1177)
    assert format_instant(first.occurred_at) == "1997-01-01T12:00:00.000Z"
    assert (second.total_minor, third.total_minor) == (1200, 7700)
    assert format_instant(third.occurred_at) == "1997-01-12T12:00:00.000Z"


def test_an_order_is_one_purchase_in_us_dollars() -> None:
    """One completed order per row, with the row's id for both event and order."""
    (order,) = order_events(read_purchases()[:1])
    assert (order.id, order.order_id, order.currency, order.total_minor) == ("cdnow-1", "cdnow-1", "USD", 1177)
    assert order.source == "tierstream-demo/cdnow"


def test_a_missing_package_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody must guess that purchases come inside a Python package."""

    def not_installed(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cdnow, "distribution", not_installed)
    with pytest.raises(ConfigurationError) as refused:
        read_purchases()
    assert "lifetimes" in str(refused.value)
    assert refused.value.next_step == "uv sync --extra embedded"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("head\n 00001 19970101  1   11.77\n", "it holds 1 rows"),
        ("head\n 00001 19970101  1   11.7\n", "line 2 is not"),
        ("head\n garbage\n", "line 2 is not"),
    ],
)
def test_other_data_than_expected_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """Figures in the demo's summary hold for one file only."""
    path = tmp_path / "CDNOW_master.txt"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        read_purchases(path)
    assert refused.value.where == str(path)
    assert why in refused.value.why


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A damaged installation ends in a message, not in a traceback."""
    with pytest.raises(ConfigurationError) as refused:
        read_purchases(tmp_path / "absent.txt")
    assert "cannot be read" in refused.value.why
