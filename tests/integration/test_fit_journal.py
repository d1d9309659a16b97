"""`tierstream fit` over the journal of a real broker."""

import json
from pathlib import Path

import pytest

from agents.cli import run
from agents.control_records import JOURNAL
from agents.embedded import EmbeddedKafka
from agents.kafka_clients import producer
from agents.partitioning import home_of
from agents.settings_reader import load_settings
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderCompleted
from schemas.journal import ClockTick, control_key, encode_journal, journal_key
from tests.fits import simulated

pytestmark = pytest.mark.kafka
PARTITIONS = 2


@pytest.fixture
def config(kafka: EmbeddedKafka, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Settings of a shop with topics of its own."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    path = tmp_path / "tierstream.toml"
    path.write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "{name}"\ntopic_prefix = "{name}."\n'
        f'partitions = {PARTITIONS}\n[policy]\ncurrency = "EUR"\ntime_zone = "UTC"\n'
    )
    return path


def test_the_journal_is_fitted_whole(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every partition to its end, control records passed over; the model is the same as from the same histories."""
    shop = simulated(1_200, days=700)
    assert run(["topics", "apply", "--config", str(config)]) == 0
    settings = load_settings(config, {})
    topic = settings.topic(JOURNAL)
    with producer(settings) as sender:
        for number, customer in enumerate(shop.customers):
            for day, minor in zip(customer.days, customer.minor, strict=True):
                at = format_instant(day * MS_PER_DAY + 43_200_000)
                order = OrderCompleted(
                    id=f"{number}-{day}",
                    time=at,
                    recordedtime=at,
                    customer_id=f"c{number}",
                    order_id=f"{number}-{day}",
                    currency="EUR",
                    total_minor=minor,
                )
                key = journal_key(order)
                sender.send(topic, key=key, value=encode_journal(order), partition=home_of(key, PARTITIONS))
        tick = ClockTick(instant=format_instant((shop.last_day + 1) * MS_PER_DAY), home=(0, PARTITIONS))
        sender.send(topic, key=control_key(tick), value=encode_journal(tick), partition=0)
        sender.flush()
    capsys.readouterr()

    assert run(["fit", "--json", "--out", str(tmp_path / "model.json"), "--config", str(config)]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["customers"] == 1_200
    assert found["repeat_customers"] == sum(len(each.days) > 1 for each in shop.customers)
    assert found["currency"] == "EUR"
    assert "by a second model" in found["judged"]
    assert json.loads((tmp_path / "model.json").read_bytes())["hash"] == found["hash"]


def test_a_journal_that_is_not_there_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that plans the topics."""
    assert run(["fit", "--config", str(config)]) == 2

    told = capsys.readouterr().err
    assert "The topic does not exist" in told
    assert "tierstream topics plan" in told
