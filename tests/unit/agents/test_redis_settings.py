"""The table [redis]: no password in clear, no clear text to other machines, and no password in a report of mistakes."""

from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.settings_reader import load_settings

PASSWORD = "hunter2"


def _mistakes(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    path = folder / "tierstream.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load_settings(path, environ or {})
    return str(raised.value)


def test_without_a_host_there_is_no_redis(tmp_path: Path) -> None:
    """The default: nothing is asked of anybody."""
    assert load_settings(None, {}).redis.host is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_may_be_reached_in_clear(host: str) -> None:
    """Nothing crosses a network."""
    assert load_settings(None, {"TIERSTREAM_REDIS_HOST": host}).redis.host == host


@pytest.mark.parametrize("host", ["10.0.0.7", "redis.internal", "localhost.example.com", "0.0.0.0", "::", "127.1"])
def test_clear_text_to_another_machine_is_refused(host: str, tmp_path: Path) -> None:
    """Unless the operator says so, or there is TLS. A name counts as another machine, wherever it may lead."""
    text = f'[redis]\nhost = "{host}"\n'

    assert "tls = true" in _mistakes(tmp_path, text)
    for allowed in ("tls = true", "allow_plaintext = true"):
        (tmp_path / "tierstream.toml").write_text(f"{text}{allowed}\n")
        assert load_settings(tmp_path / "tierstream.toml", {}).redis.host == host


def test_a_password_in_clear_is_refused_and_not_shown(tmp_path: Path) -> None:
    """Neither from the file nor from the environment: reports of mistakes end in logs."""
    said = _mistakes(tmp_path, f'[redis]\npassword = "{PASSWORD}"\n', {"TIERSTREAM_REDIS_PASSWORD": PASSWORD})

    assert PASSWORD not in said
    assert "tierstream.toml:2" in said
    assert "TIERSTREAM_REDIS_PASSWORD=***" in said


def test_paths_start_at_the_settings_file(tmp_path: Path) -> None:
    """Certificates and the password's file alike; a variable's name stays a name."""
    path = tmp_path / "tierstream.toml"
    path.write_text('[redis]\ntls = true\ntls_ca = "ca.pem"\npassword = "file:redis.password"\n')
    redis = load_settings(path, {}).redis

    assert redis.tls_ca == str(tmp_path / "ca.pem")
    assert redis.password == f"file:{tmp_path / 'redis.password'}"
    path.write_text('[redis]\npassword = "env:REDIS_PASSWORD"\n')
    assert load_settings(path, {}).redis.password == "env:REDIS_PASSWORD"


@pytest.mark.parametrize(
    "table", ['tls = true\ntls_cert = "a.pem"', 'tls = true\ntls_key = "a.key"', 'tls_ca = "ca.pem"']
)
def test_halves_are_refused(table: str, tmp_path: Path) -> None:
    """A certificate without its key, certificates without TLS."""
    assert "[redis]" in _mistakes(tmp_path, f"[redis]\n{table}\n")


@pytest.mark.parametrize("prefix", ["", "a b", "a*", "a:b", "{x}"])
def test_a_prefix_means_nothing_to_redis(prefix: str, tmp_path: Path) -> None:
    """No wildcard, no hash tag, no colon that would make it end elsewhere."""
    assert "key_prefix" in _mistakes(tmp_path, f'[redis]\nkey_prefix = "{prefix}"\n')
