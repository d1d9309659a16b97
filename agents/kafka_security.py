"""How clients of Kafka prove who they are, and how they know the broker: from the settings to what clients are given.

Every client of Kafka in tierstream is opened with `security_of(settings.kafka)`; nothing else reads these settings.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from agents.errors import ConfigurationError
from agents.secrets import Secret, read_secret
from agents.settings import KafkaSettings

MECHANISM_WITHOUT_PROOF = "PLAIN"
"""It hands the password itself to whoever listens."""


@dataclass(frozen=True, slots=True)
class Security:
    """What a connection needs; without anything, clear text and no name."""

    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: Secret | None = None
    context: ssl.SSLContext | None = None
    certfile: str | None = None
    """This client's certificate, for what is said when it is refused."""
    clear_text_allowed: bool = False
    """Whether clear text may leave this machine."""

    def options(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's and kafka-python's clients; they hold the password in clear."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.context is not None:
            options["ssl_context"] = self.context
        if self.password is not None:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.reveal(),
            }
        return options


PLAINTEXT = Security()


def security_of(kafka: KafkaSettings) -> Security:
    """Read secrets and certificates; ConfigurationError when one is missing, or clear text would leave this machine."""
    refuse_clear_text(
        [server.rpartition(":")[0] for server in kafka.bootstrap.split(",")],
        kafka.security_protocol,
        allowed=kafka.allow_plaintext,
    )
    found = contradictions(kafka)
    if found:
        raise ConfigurationError("The settings of Kafka's security do not fit together.", why="; ".join(found))
    with_password = kafka.security_protocol.startswith("SASL_")
    return Security(
        protocol=kafka.security_protocol,
        mechanism=kafka.sasl_mechanism if with_password else None,
        username=kafka.sasl_username if with_password else None,
        password=read_secret(kafka.sasl_password) if with_password and kafka.sasl_password else None,
        context=_context(kafka) if kafka.security_protocol.endswith("SSL") else None,
        certfile=kafka.ssl_certfile,
        clear_text_allowed=kafka.allow_plaintext,
    )


def contradictions(kafka: KafkaSettings) -> list[str]:
    """What is valid key by key but not together."""
    protocol = kafka.security_protocol
    mistakes = []
    if protocol.startswith("SASL_"):
        absent = [key for key in ("sasl_username", "sasl_password") if not getattr(kafka, key)]
        mistakes += [f"[kafka] security_protocol = {protocol} needs `{key}`" for key in absent]
    elif kafka.sasl_username or kafka.sasl_password:
        mistakes.append(f"[kafka] security_protocol = {protocol} sends no password: write SASL_SSL, or remove it")
    if protocol == "SASL_PLAINTEXT" and kafka.sasl_mechanism == MECHANISM_WITHOUT_PROOF:
        mistakes.append("[kafka] sasl_mechanism = PLAIN shows the password to the network: it needs SASL_SSL")
    tls = [key for key in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_key_password") if getattr(kafka, key)]
    if tls and not protocol.endswith("SSL"):
        mistakes.append(f"[kafka] security_protocol = {protocol} is not TLS: `{tls[0]}` would not be used")
    if not kafka.ssl_certfile:
        idle = [key for key in tls if key.startswith("ssl_key")]
        mistakes += [f"[kafka] `{key}` belongs to an `ssl_certfile`, which is not named" for key in idle]
    return mistakes


def is_loopback(host: str) -> bool:
    """Whether an address is this machine. Names are not looked up: only `localhost` is one."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_clear_text(hosts: Iterable[str], protocol: str, *, allowed: bool) -> None:
    """Raise ConfigurationError when clear text would leave this machine and nobody has said that it may."""
    if protocol.endswith("SSL") or allowed:
        return
    away = sorted({host for host in hosts if not is_loopback(host)})
    if away:
        raise ConfigurationError(
            "Customers' events would cross the network in clear text.",
            where=f"brokers {', '.join(away)}",
            why=f"kafka.security_protocol = {protocol} does not encrypt, and these are other machines",
            next_step='security_protocol = "SASL_SSL" or "SSL" under [kafka]; or, where the network itself is '
            "encrypted, allow_plaintext = true   (docs/reference/security.md)",
        )


def _context(kafka: KafkaSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the broker's name and certificate are always checked."""
    _must_exist("ssl_cafile", kafka.ssl_cafile)
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(
            "ssl_cafile", kafka.ssl_cafile, error, "a PEM file that begins -----BEGIN CERTIFICATE"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if kafka.ssl_certfile:
        _load_own(context, kafka, kafka.ssl_certfile)
    return context


def _load_own(context: ssl.SSLContext, kafka: KafkaSettings, certfile: str) -> None:
    _must_exist("ssl_certfile", certfile)
    _must_exist("ssl_keyfile", kafka.ssl_keyfile)
    phrase = read_secret(kafka.ssl_key_password).reveal() if kafka.ssl_key_password else ""
    try:  # without a function for the pass phrase, OpenSSL would ask for it on the terminal
        context.load_cert_chain(certfile, kafka.ssl_keyfile, password=lambda: phrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        hint = "the certificate's own key; a locked key needs the right ssl_key_password"
        both = f"{certfile}, kafka.ssl_keyfile = {kafka.ssl_keyfile}" if kafka.ssl_keyfile else certfile
        raise _unusable("ssl_certfile", both, error, hint) from None


def _must_exist(key: str, path: str | None) -> None:
    if path is None:
        return
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise _unusable(key, path, error, "name a file that this user can read") from None


def _unusable(key: str, path: str | None, error: Exception, hint: str) -> ConfigurationError:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return ConfigurationError(
        "A file of Kafka's TLS settings cannot be used.",
        where=f"kafka.{key} = {path}",
        why=str(why),
        next_step=f"it has to be: {hint}",
    )
