"""`init` as it is typed: it overwrites nothing, and knows what was meant."""

import json
import socket
from pathlib import Path

import pytest

from agents.cli import run
from agents.cli.broker import DEFAULT_PORT, DEFAULT_REDIS_PORT, _kafka_port, _redis_port
from agents.settings import KafkaSettings, RedisSettings, Settings
from agents.starter.folder import ABOUT, choose_ports
from schemas.money import EXPONENTS

GIVEN = ("--currency", "CNY", "--zone", "Asia/Shanghai")


def test_it_lists_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "deep" / "my shop"
    assert run(["init", str(folder), *GIVEN, "--kind", "furniture", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)

    assert sorted(said["files"]) == sorted(path.name for path in folder.iterdir()) == sorted(ABOUT)
    assert (said["folder"], said["kind"], said["currency"]) == (str(folder), "furniture", "CNY")
    assert f"127.0.0.1:{said['kafka_port']}" in (folder / "tierstream.toml").read_text()


def test_it_says_where_to_go_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """This folder without a name, and a name that a shell would take apart."""
    monkeypatch.chdir(tmp_path)

    assert run(["init", *GIVEN]) == 0
    assert "Next: follow README.md" in capsys.readouterr().out
    assert run(["init", "my shop", *GIVEN]) == 0
    assert "Next: cd 'my shop', then follow README.md" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that are there are named, a link to nowhere too; nothing is written beside them."""
    (tmp_path / "policy.toml").write_text("mine")
    (tmp_path / "README.md").symlink_to(tmp_path / "nowhere")

    assert run(["init", str(tmp_path), *GIVEN]) == 2
    assert "there already: policy.toml, README.md\n" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "policy.toml"]
    assert (tmp_path / "policy.toml").read_text() == "mine"


def test_a_folder_that_cannot_be_one_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")

    assert run(["init", str(tmp_path / "file" / "shop"), *GIVEN]) == 2
    said = capsys.readouterr().err
    assert "The folder cannot be written." in said
    assert "a file is in the way where a folder should be" in said


@pytest.mark.parametrize(
    ("currency", "meant"),
    [("CYN", "CNY"), ("RMB", "did you mean CNY?"), ("EURO", "did you mean EUR?"), ("??", "such as CNY, EUR or USD")],
)
def test_a_currency_that_is_none(tmp_path: Path, currency: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path), "--currency", currency, "--zone", "UTC"]) == 2
    assert meant in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("Asia/Shangai", "Asia/Shanghai"),
        ("shanghai", "Asia/Shanghai"),
        ("asia/shanghai", "Asia/Shanghai"),
        ("New York", "America/New_York"),
        ("Beijing", "such as Asia/Shanghai or Europe/Berlin"),
    ],
)
def test_a_zone_that_is_none(tmp_path: Path, zone: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path), "--currency", "cny", "--zone", zone]) == 2
    assert meant in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_currency_and_zone_are_never_guessed(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path), "--currency", "CNY"]) == 2
    assert run(["init", str(tmp_path), "--zone", "UTC"]) == 2
    assert run(["init", str(tmp_path), *GIVEN, "--kind", "circus"]) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_every_currency_has_a_valid_policy(tmp_path: Path, currency: str) -> None:
    """`policy check` agrees, with the folder's own settings."""
    for kind in ("shop", "furniture"):
        folder = tmp_path / kind
        assert run(["init", str(folder), "--currency", currency, "--zone", "UTC", "--kind", kind]) == 0
        assert run(["policy", "check", str(folder / "policy.toml"), "--config", str(folder / "tierstream.toml")]) == 0


def test_ports_that_are_taken_are_left_to_others() -> None:
    """And those that are free are kept."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as closed:
        busy, free = taken.getsockname()[1], closed.getsockname()[1]
        closed.close()
        chosen = choose_ports(busy, free)

    assert chosen.redis == free
    assert chosen.kafka != busy


def test_a_broker_starts_where_the_settings_look_for_it() -> None:
    """Unless they look at another machine."""
    here = Settings(kafka=KafkaSettings(bootstrap="localhost:9192"), redis=RedisSettings(host="127.0.0.1", port=6479))
    away = Settings(kafka=KafkaSettings(bootstrap="kafka:9192"), redis=RedisSettings(host="redis", port=6479))

    assert (_kafka_port(here), _redis_port(None, here)) == (9192, 6479)
    assert _kafka_port(away) == _kafka_port(Settings()) == DEFAULT_PORT
    assert _redis_port(None, away) in (DEFAULT_REDIS_PORT, None)
    assert (_redis_port(0, here), _redis_port(7000, here)) == (None, 7000)
