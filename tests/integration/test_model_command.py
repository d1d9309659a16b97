"""`tierstream model` on a real cluster: a model goes into every partition, one that does not fit is refused."""

import json
from pathlib import Path

import msgspec
import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.kafka_clients import admin_client
from agents.lookup import newest_value
from agents.model_activation import activate_model, models_in_force, unfit_under
from agents.policy_activation import activate_first, policies_in_force
from agents.policy_files import configured_policy
from agents.settings import KafkaSettings, PolicySettings, Settings
from agents.topics import create_and_align
from schemas.journal import ModelActivated, decode_journal
from streams.models.churn_model import canonical_model, load_model, model_hash
from tests.churn import FULL, model_file

pytestmark = pytest.mark.kafka
PARTITIONS = 2


@pytest.fixture
def shop(
    kafka: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Settings:
    """Topics with a first policy, and a settings file that names them."""
    monkeypatch.chdir(tmp_path)
    name = request.node.name.removeprefix("test_")
    (tmp_path / "tierstream.toml").write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "{name}"\ntopic_prefix = "{name}."\n'
        f'partitions = {PARTITIONS}\n[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n'
    )
    settings = Settings(
        kafka=KafkaSettings(
            bootstrap=kafka.bootstrap, application_id=name, topic_prefix=f"{name}.", partitions=PARTITIONS
        ),
        policy=PolicySettings(currency="USD", time_zone="UTC"),
    )
    with admin_client(settings) as admin:
        create_and_align(admin, settings)
    activate_first(settings, configured_policy(settings))
    return settings


def test_a_model_goes_into_every_partition(shop: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "activate", model_file(tmp_path / "model.json", FULL), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["hash"]) == ("full", model_hash(canonical_model(FULL)))

    for number in range(PARTITIONS):
        value = newest_value(shop, shop.topic("customer-events"), b"\x00model.activated", partition=number)
        record = decode_journal(value or b"")
        assert isinstance(record, ModelActivated)
        assert (load_model(record.text), record.home) == (FULL, (number, PARTITIONS))
    assert models_in_force(shop) == []  # no worker has folded it yet
    assert run(["model", "show"]) == 0
    assert "cdnow-1997 decides" in capsys.readouterr().out


def test_what_does_not_fit_is_refused_with_a_remedy(
    shop: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert FULL.calibration is not None
    short = msgspec.structs.replace(FULL.calibration, horizon_days=30)
    assert (
        run(["model", "activate", model_file(tmp_path / "a.json", msgspec.structs.replace(FULL, calibration=short))])
        == 2
    )
    assert "tierstream fit --horizon-days 90" in capsys.readouterr().err
    assert (
        run(["model", "activate", model_file(tmp_path / "b.json", msgspec.structs.replace(FULL, currency="CNY"))]) == 2
    )
    assert "its amounts are in CNY, the policy's in USD" in capsys.readouterr().err
    assert newest_value(shop, shop.topic("customer-events"), b"\x00model.activated", partition=0) is None
    assert unfit_under(shop, policies_in_force(shop)[-1]) is None
    assert activate_model(shop, FULL, 1).effective_at == 1
