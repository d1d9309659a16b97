"""The ground of a demo: settings that the workers can read, and nothing of the user's."""

from pathlib import Path

import pytest

from agents.demo.ground import Ground, Options
from agents.policy_files import configured_policy

OWN_BROKER = "127.0.0.1:1"


def ground(folder: Path | None = None) -> Ground:
    return Ground(Options(bootstrap=OWN_BROKER, partitions=3, data_dir=folder), lambda _done, _of: None)


def test_the_settings_are_those_of_an_event_clock_with_a_stated_zone(tmp_path: Path) -> None:
    """What is written is what the workers read."""
    stand = ground(tmp_path)
    stand.open()
    assert stand.settings_path.is_file()
    assert (stand.settings.kafka.bootstrap, stand.settings.kafka.partitions) == (OWN_BROKER, 3)
    assert stand.settings.intake.clock == "event"
    policy = configured_policy(stand.settings)
    assert (policy.name, policy.currency, policy.time_zone) == ("default", "USD", "America/New_York")


def test_two_demos_on_one_broker_do_not_meet(tmp_path: Path) -> None:
    """Each has topics and an application of its own."""
    first, second = ground(tmp_path / "1"), ground(tmp_path / "2")
    first.open()
    second.open()
    assert first.settings.kafka.topic_prefix != second.settings.kafka.topic_prefix
    assert first.settings.kafka.application_id != second.settings.kafka.application_id


def test_a_worker_does_not_see_the_users_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Variables of the user's own installation must not reach the demo's workers."""
    monkeypatch.setenv("TIERSTREAM_KAFKA_BOOTSTRAP", "production:9092")
    monkeypatch.setenv("UNRELATED", "kept")
    environment = ground(tmp_path).worker_environment("worker-1")
    assert "TIERSTREAM_KAFKA_BOOTSTRAP" not in environment
    assert environment["UNRELATED"] == "kept"
    assert environment["TIERSTREAM_WORKER_INSTANCE_ID"] == "worker-1"
    assert environment["TIERSTREAM_WORKER_DATA_DIR"] == str(tmp_path / "workers" / "worker-1")


def test_a_temporary_folder_is_removed_unless_it_holds_evidence() -> None:
    """The user's disk is left as it was."""
    gone, kept = ground(), ground()
    gone.close(keep=False)
    kept.close(keep=True)
    assert not gone.folder.exists()
    assert kept.folder.is_dir()
    kept.close(keep=False)


def test_a_folder_of_the_user_stays(tmp_path: Path) -> None:
    """Whoever names a folder wants to look into it."""
    stand = ground(tmp_path)
    stand.close(keep=False)
    assert tmp_path.is_dir()
