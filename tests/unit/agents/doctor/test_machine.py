"""What is not fine on this machine, in this installation and in these settings."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import trustme

from agents.doctor import machine
from agents.doctor.findings import Level
from agents.settings import (
    KafkaSettings,
    MetricsSettings,
    PolicySettings,
    Settings,
    WorkerSettings,
)
from tests.unit.agents.doctor.judging import levels_of

AWAY = Settings(kafka=KafkaSettings(bootstrap="kafka.example.org:9093", security_protocol="SSL"))


def test_what_is_fine_on_a_laptop_is_not_fine_in_production() -> None:
    at_home, in_production = levels_of(machine.check_settings(Settings())), levels_of(machine.check_settings(AWAY))

    assert at_home == {"replication": Level.HINT, "instance-id": Level.HINT, "metrics": Level.HINT}
    assert in_production == dict.fromkeys(("replication", "instance-id", "metrics"), Level.WARNING)


def test_settings_for_production_are_quiet() -> None:
    ready = Settings(
        kafka=msgspec.structs.replace(AWAY.kafka, replication_factor=3),
        worker=WorkerSettings(instance_id="one"),
        metrics=MetricsSettings(port=9464),
    )

    assert list(machine.check_settings(ready)) == []


def test_allowed_clear_text_is_a_warning() -> None:
    clear = Settings(kafka=KafkaSettings(bootstrap="kafka:9092", allow_plaintext=True))

    assert levels_of(machine.check_settings(clear))["clear-text"] is Level.WARNING


@pytest.mark.parametrize(
    ("free", "level"), [(2e9, Level.OK), (1e9, Level.OK), (0.99e9, Level.WARNING), (0.09e9, Level.ERROR)]
)
def test_room_on_the_disk(free: float, level: Level) -> None:
    assert machine.disk_finding("/data", int(free)).level is level


def test_the_disk_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    [finding] = machine.check_disk(Settings(worker=WorkerSettings(data_dir=str(tmp_path / "a" / "b"))))

    assert finding.where == str(tmp_path)


def test_a_port_that_somebody_has_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(metrics=MetricsSettings(port=port))
        assert levels_of(machine.check_port(settings)) == {"port": Level.WARNING}

    assert levels_of(machine.check_port(settings)) == {"port": Level.OK}
    assert list(machine.check_port(Settings())) == []


@pytest.mark.parametrize(("release", "level"), [("2026.1", Level.OK), ("2025.3", Level.OK), ("2024.2", Level.WARNING)])
def test_old_rules_of_time_zones(release: str, level: Level) -> None:
    assert machine.zone_rules_finding(release, 2026).level is level


@pytest.mark.parametrize(("days", "level"), [(300, Level.OK), (5, Level.WARNING), (-2, Level.ERROR)])
def test_the_end_of_a_certificate(tmp_path: Path, days: int, level: Level) -> None:
    made = trustme.CA().issue_cert("anna@example.org", not_after=datetime.now(UTC) + timedelta(days=days, hours=1))
    path = tmp_path / "anna.pem"
    made.cert_chain_pems[0].write_to_path(str(path))
    settings = Settings(kafka=KafkaSettings(security_protocol="SSL", ssl_certfile=str(path)))

    assert levels_of(machine.check_certificate(settings)) == {"certificate": level}


def test_a_policy_that_cannot_be_read_is_an_error() -> None:
    policy = PolicySettings(currency="USD", time_zone="UTC")

    assert levels_of(machine.check_policy(Settings(policy=policy))) == {"policy": Level.OK}
    assert levels_of(machine.check_policy(Settings())) == {"policy": Level.ERROR}
