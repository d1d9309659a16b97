"""From settings to what clients are given: clear text stays on this machine, and secrets show nowhere."""

import ssl
from pathlib import Path

import pytest
import trustme
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from agents.errors import ConfigurationError
from agents.kafka_access import expiry_of, why_not_let_in
from agents.kafka_security import PLAINTEXT, Security, contradictions, is_loopback, security_of
from agents.runtime.faust_app import credentials
from agents.secrets import Secret
from agents.settings import KafkaSettings, Settings
from agents.settings_reader import load_settings

PASSWORD = "hunter2-and-a-half"


@pytest.fixture
def password(tmp_path: Path) -> str:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return f"file:{tmp_path / 'password'}"


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("away", ["kafka:9092", "10.0.0.7:9092", "127.0.0.1:9092,kafka.internal:9093", "0.0.0.0:9092"])
def test_clear_text_to_another_machine_is_refused(password: str, protocol: str, away: str) -> None:
    """It takes a setting that says so."""
    sasl = {"sasl_username": "anna", "sasl_password": password} if protocol == "SASL_PLAINTEXT" else {}
    chosen = {"bootstrap": away, "security_protocol": protocol, **sasl}

    with pytest.raises(ConfigurationError, match="clear text") as refused:
        security_of(KafkaSettings(**chosen))  # type: ignore[arg-type]  # drawn from strings

    assert "127.0.0.1" not in refused.value.where
    assert "allow_plaintext = true" in refused.value.next_step
    assert security_of(KafkaSettings(**chosen, allow_plaintext=True)).protocol == protocol  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("host", "ours"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True), ("[::1]", True)]
    + [(host, False) for host in ("10.0.0.1", "0.0.0.0", "localhost.example.org", "kafka", "")],
)
def test_only_loopback_is_this_machine(host: str, ours: bool) -> None:  # noqa: FBT001 - a case's answer
    assert is_loopback(host) is ours


@pytest.mark.parametrize(
    ("chosen", "mistake"),
    [
        ({"security_protocol": "SASL_SSL"}, "needs `sasl_username`"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "anna"}, "needs `sasl_password`"),
        ({"security_protocol": "SSL", "sasl_username": "anna"}, "sends no password"),
        ({"sasl_password": "env:PASSWORD"}, "sends no password"),
        ({"ssl_cafile": "ca.pem"}, "is not TLS"),
        ({"security_protocol": "SSL", "ssl_keyfile": "key.pem"}, "belongs to an `ssl_certfile`"),
        ({"security_protocol": "SSL", "ssl_key_password": "env:PHRASE"}, "belongs to an `ssl_certfile`"),
    ],
)
def test_settings_that_do_not_fit_together_are_named(chosen: dict[str, str], mistake: str) -> None:
    kafka = KafkaSettings(**chosen)  # type: ignore[arg-type]  # drawn from strings

    assert any(mistake in found for found in contradictions(kafka))
    with pytest.raises(ConfigurationError, match="do not fit"):
        security_of(kafka)


def test_the_reader_reports_contradictions_with_the_other_mistakes(tmp_path: Path) -> None:
    """And starts the paths of certificates at the settings file."""
    file = tmp_path / "tierstream.toml"
    file.write_text('[kafka]\nsecurity_protocol = "SASL_SSL"\nssl_cafile = "ca.pem"\npartitions = 0\n')

    with pytest.raises(ConfigurationError, match="3 mistakes") as refused:
        load_settings(file, {})

    assert "needs `sasl_password`" in refused.value.why
    file.write_text('[kafka]\nsecurity_protocol = "SSL"\nssl_cafile = "ca.pem"\n')
    assert load_settings(file, {}).kafka.ssl_cafile == str(tmp_path / "ca.pem")


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_password_in_the_place_of_a_reference_is_not_shown(tmp_path: Path, where: str) -> None:
    file = tmp_path / "tierstream.toml"
    in_file = f'sasl_password = "{PASSWORD}"' if where == "file" else ""
    file.write_text(f"[kafka]\n{in_file}\n")

    with pytest.raises(ConfigurationError) as refused:
        load_settings(file, {"TIERSTREAM_KAFKA_SASL_PASSWORD": PASSWORD} if where == "environment" else {})

    assert PASSWORD not in str(refused.value)
    assert "PASSWORD" in str(refused.value).upper()


def test_no_secret_shows_in_a_repr(password: str) -> None:
    """Of settings, of what is made from them, and of what Faust is given."""
    kafka = KafkaSettings(security_protocol="SASL_SSL", sasl_username="anna", sasl_password=password)
    security = security_of(kafka)

    assert security.options()["sasl_plain_password"] == PASSWORD
    for shown in (Settings(kafka=kafka), security, credentials(security)):
        assert PASSWORD not in repr(shown)
        assert PASSWORD not in str(shown)


@pytest.mark.parametrize(
    "security",
    [
        PLAINTEXT,
        Security("SSL", context=ssl.create_default_context()),
        Security("SASL_SSL", "SCRAM-SHA-256", "anna", Secret(PASSWORD), ssl.create_default_context()),
        Security("SASL_PLAINTEXT", "SCRAM-SHA-512", "anna", Secret(PASSWORD)),
    ],
    ids=lambda security: security.protocol,
)
def test_faust_is_given_what_the_other_clients_are_given(security: Security) -> None:
    """Faust speaks clear text when it has a password and no context, whatever the protocol says."""
    through_faust = credentials_to_aiokafka_auth(credentials(security), None)

    assert {key: value for key, value in through_faust.items() if value is not None} == security.options()


def test_tls_checks_names_and_is_not_old() -> None:
    context = security_of(KafkaSettings(security_protocol="SSL")).context

    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("key", ["ssl_cafile", "ssl_certfile", "ssl_keyfile"])
@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nnonsense\n"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, key: str, content: str | None) -> None:
    made = trustme.CA().issue_cert("anna@example.org")
    good = tmp_path / "good.pem"
    made.private_key_and_cert_chain_pem.write_to_path(str(good))
    bad = tmp_path / "bad.pem"
    if content is not None:
        bad.write_text(content)
    files = {"ssl_cafile": str(good), "ssl_certfile": str(good), "ssl_keyfile": str(good), key: str(bad)}

    with pytest.raises(ConfigurationError, match="cannot be used") as refused:
        security_of(KafkaSettings(security_protocol="SSL", **files))  # type: ignore[arg-type]  # drawn from strings

    assert str(bad) in refused.value.where
    assert refused.value.why


def test_a_certificates_end_is_read(tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("anna@example.org")
    path = tmp_path / "anna.pem"
    made.cert_chain_pems[0].write_to_path(str(path))

    assert expiry_of(str(path)).year > 2026


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    reason = why_not_let_in("no-such-host.invalid:9092", PLAINTEXT)

    assert reason is not None
    assert reason.exit_code == 16
    assert "no-such-host.invalid:9092" in reason.why
