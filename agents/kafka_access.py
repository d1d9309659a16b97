"""Why no broker lets us in: knocks at the bootstrap servers step by step, and says which step was refused.

The clients' own answer to a wrong password or certificate is "unable to bootstrap"; this names the cause.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from _ssl import _test_decode_cert  # type: ignore[attr-defined]  # the standard library has no other reader
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from agents.errors import AccessError, BrokerUnreachableError, ConfigurationError, TierstreamError
from agents.kafka_security import Security, refuse_clear_text

STEP_WITHIN_S = 5.0
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""The first request of every client, version 0: its answer tells that a broker listens and is content with the TLS."""
NEXT_READ = "docs/reference/security.md says what each side needs"


def why_not_let_in(bootstrap: str, security: Security) -> TierstreamError | None:
    """Knock at each server; None when one lets us in, else what is in the way. Blocks for seconds at most.

    A server that refuses says more than one that is away: AccessError comes before BrokerUnreachableError.
    """
    away: list[str] = []
    refused: AccessError | ConfigurationError | None = None
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            _knock(host, int(port), security)
        except (AccessError, ConfigurationError) as error:
            refused = refused or error
        except (OSError, KafkaError, TimeoutError) as error:
            away.append(f"{server}: {error or type(error).__name__}")
        else:
            return None
    return refused or BrokerUnreachableError(
        "No Kafka broker answers.",
        where=f"kafka.bootstrap = {bootstrap}",
        why="; ".join(away),
        next_step="check kafka.bootstrap, or start a broker on this machine: tierstream broker start",
    )


def _knock(host: str, port: int, security: Security) -> None:
    with socket.create_connection((host, port), timeout=STEP_WITHIN_S) as bare:
        connection = _encrypted(bare, host, port, security) if security.context else bare
        with contextlib.closing(connection):
            _first_answer(connection, host, port, security)
    with ThreadPoolExecutor(max_workers=1) as aside:  # the caller's thread may have an event loop of its own
        aside.submit(lambda: asyncio.run(_introduce(host, port, security))).result()


def _encrypted(bare: socket.socket, host: str, port: int, security: Security) -> socket.socket:
    assert security.context is not None  # noqa: S101 - the caller asked
    try:
        return security.context.wrap_socket(bare, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise AccessError(
            "The broker's certificate is not accepted.",
            where=f"{host}:{port}",
            why=error.verify_message,
            next_step="name the broker's authority in kafka.ssl_cafile, and in kafka.bootstrap a name that stands in "
            f"its certificate; an expired one has to be renewed on the broker ({NEXT_READ})",
        ) from error
    except TimeoutError:
        raise
    except (ssl.SSLError, ConnectionError) as error:
        raise _certificate_refused(error, host, port, security) or AccessError(
            "The broker does not speak TLS here.",
            where=f"{host}:{port}",
            why=getattr(error, "reason", None) or str(error),
            next_step=f"use the port of its TLS listener, or correct kafka.security_protocol ({NEXT_READ})",
        ) from error


def _first_answer(connection: socket.socket, host: str, port: int, security: Security) -> None:
    """With TLS 1.3 a broker refuses a client's certificate only after the client's side of the handshake is over."""
    try:
        connection.sendall(API_VERSIONS)
        answered = connection.recv(8)[4:] == API_VERSIONS[8:12]  # the request's own number; TLS answers otherwise
    except TimeoutError:
        raise
    except (ssl.SSLError, ConnectionError) as error:
        refused = _certificate_refused(error, host, port, security)
        if refused:
            raise refused from error
        answered = False
    if not answered:
        raise _closed(host, port, security)


def _certificate_refused(error: Exception, host: str, port: int, security: Security) -> AccessError | None:
    reason = getattr(error, "reason", None) or ""
    if "ALERT" not in reason:
        return None
    return AccessError(
        "The broker refuses this client's certificate.",
        where=f"{host}:{port}, kafka.ssl_certfile = {security.certfile or 'none'}",
        why=_fault_of(security.certfile) or reason.lower().replace("_", " "),
        next_step=f"give a valid certificate that the broker's authority has signed ({NEXT_READ})",
    )


def _fault_of(certfile: str | None) -> str:
    """What is wrong with our certificate, as far as it can be seen from here: brokers only say that they mind."""
    if certfile is None:
        return "the broker asks for a client certificate, and none is configured"
    ends = expiry_of(certfile)
    return f"it expired on {ends:%Y-%m-%d %H:%M} UTC" if ends < datetime.now(UTC) else ""


def expiry_of(certfile: str) -> datetime:
    """The end of the first certificate of a PEM file."""
    decoded = _test_decode_cert(certfile)
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(decoded["notAfter"])), UTC)


async def _introduce(host: str, port: int, security: Security) -> None:
    """Authenticate, and ask who the brokers are: a listener that wants a password closes on whoever brings none.

    Clients talk to the brokers' own addresses from then on, so these decide whether clear text leaves this machine.
    """
    options = {"client_id": "tierstream", "request_timeout_ms": int(STEP_WITHIN_S * 1000), **security.options()}
    try:
        connection = await create_conn(host, port, **options)
    except (AuthenticationFailedError, SaslAuthenticationFailed) as error:
        raise AccessError(
            "Kafka refuses this user or password.",
            where=f"{host}:{port}, kafka.sasl_username = {security.username}",
            why=f"{security.mechanism}: {error or 'authentication failed'}",
            next_step=f"check the user on the broker and what kafka.sasl_password refers to ({NEXT_READ})",
        ) from error
    except (UnsupportedSaslMechanismError, IllegalSaslStateError) as error:
        raise AccessError(
            "The broker does not take this kind of log-in here.",
            where=f"{host}:{port}, kafka.sasl_mechanism = {security.mechanism}",
            why=str(error),
            next_step=f"correct kafka.sasl_mechanism, or use the port of its SASL listener ({NEXT_READ})",
        ) from error
    try:
        answer = await connection.send(MetadataRequest([]))
    except KafkaError as error:
        raise _closed(host, port, security) from error
    finally:
        connection.close()
    refuse_clear_text([host for _, host, *_ in answer.brokers], security.protocol, allowed=security.clear_text_allowed)


def _closed(host: str, port: int, security: Security) -> AccessError:
    return AccessError(
        "The broker closes the connection: its listener expects another protocol.",
        where=f"{host}:{port}, kafka.security_protocol = {security.protocol}",
        why="it speaks TLS, or wants a password, where this client has none" if security.password is None else "",
        next_step=f"correct kafka.security_protocol or the port ({NEXT_READ})",
    )
