"""What can be looked at without a cluster: this machine, this installation, the settings."""

import platform
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from agents.doctor.findings import Finding, Level, fine, from_error
from agents.embedded.jars import cache_folder, locked
from agents.embedded.java import find_java
from agents.errors import ConfigurationError, EmbeddedServerError
from agents.kafka_access import expiry_of
from agents.kafka_security import is_loopback
from agents.policy_files import configured_policy
from agents.settings import Settings

FREE_BYTES_MIN, FREE_BYTES_GOOD = 100_000_000, 1_000_000_000
CERTIFICATE_DAYS_MIN = 30
ZONE_RULES_YEARS_MAX = 1
PRODUCTION_COPIES = 3


def in_production(settings: Settings) -> bool:
    """Whether the brokers are other machines: what is fine on a laptop is not fine there."""
    return not all(is_loopback(server.rpartition(":")[0]) for server in settings.kafka.bootstrap.split(","))


def check_settings(settings: Settings) -> Iterator[Finding]:
    """What is valid, but not wise in production."""
    serious = Level.WARNING if in_production(settings) else Level.HINT
    if settings.kafka.replication_factor < PRODUCTION_COPIES:
        yield Finding(
            check="replication",
            level=serious,
            what=f"Topics are made with {settings.kafka.replication_factor} of {PRODUCTION_COPIES} copies.",
            where=f"kafka.replication_factor = {settings.kafka.replication_factor}",
            why="a lost disk would lose events",
            remedy=f"set replication_factor = {PRODUCTION_COPIES} before `tierstream topics apply`",
        )
    if settings.worker.instance_id is None:
        yield Finding(
            check="instance-id",
            level=serious,
            what="Workers have no names.",
            where="worker.instance_id",
            why=f"after a kill the others wait {settings.worker.session_timeout_s} s before they take over",
            remedy="give each worker a name that is its own, for example TIERSTREAM_WORKER_INSTANCE_ID=$HOSTNAME",
        )
    if settings.metrics.port == 0:
        yield Finding(
            check="metrics",
            level=serious,
            what="Metrics are off.",
            where="metrics.port = 0",
            remedy="set port = 9464 under [metrics]",
        )
    if settings.kafka.allow_plaintext and in_production(settings):
        yield Finding(
            check="clear-text",
            level=Level.WARNING,
            what="Customers' events may cross the network in clear text.",
            where=f"kafka.allow_plaintext = true, security_protocol = {settings.kafka.security_protocol}",
            remedy='security_protocol = "SASL_SSL" or "SSL" under [kafka]',
        )


def check_certificate(settings: Settings) -> Iterator[Finding]:
    """When the client's certificate ends."""
    if settings.kafka.ssl_certfile is None:
        return
    ends = expiry_of(settings.kafka.ssl_certfile)
    days = (ends - datetime.now(UTC)).days
    if days >= CERTIFICATE_DAYS_MIN:
        yield fine("certificate", f"The client's certificate holds for {days} days.", settings.kafka.ssl_certfile)
        return
    yield Finding(
        check="certificate",
        level=Level.ERROR if days < 0 else Level.WARNING,
        what="The client's certificate has expired." if days < 0 else f"The client's certificate ends in {days} days.",
        where=settings.kafka.ssl_certfile,
        why=f"it holds until {ends:%Y-%m-%d %H:%M} UTC",
        remedy="have it signed anew, and start the workers again",
    )


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Room in the data folder, or in the nearest folder above that exists."""
    folder = Path(settings.worker.data_dir).absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield disk_finding(str(folder), free)


def disk_finding(folder: str, free: int) -> Finding:
    """Judge the room that is left."""
    shown = f"{free / 1e9:.1f} GB"
    if free >= FREE_BYTES_GOOD:
        return fine("disk", f"{shown} are free.", folder)
    return Finding(
        check="disk",
        level=Level.ERROR if free < FREE_BYTES_MIN else Level.WARNING,
        what=f"Only {shown} are free.",
        where=folder,
        remedy="make room, or set worker.data_dir to another disk",
    )


def check_port(settings: Settings) -> Iterator[Finding]:
    """Whether a worker could open its metrics port."""
    host, port = settings.metrics.host, settings.metrics.port
    if port == 0:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            yield Finding(
                check="port",
                level=Level.WARNING,
                what="The metrics port is not free.",
                where=f"{host}:{port}",
                why=error.strerror or "",
                remedy=f"fine if it is the worker: curl {host}:{port}/metrics; else set another metrics.port",
            )
        else:
            yield fine("port", "The metrics port is free.", f"{host}:{port}")


def check_embedded(settings: Settings) -> Iterator[Finding]:
    """Java and jars; only where the brokers are on this machine."""
    if in_production(settings):
        return
    try:
        java = find_java()
    except EmbeddedServerError as error:
        finding = from_error("embedded", error)
        yield Finding(
            check="embedded", level=Level.HINT, what=finding.what, why=finding.why, remedy=finding.remedy
        )  # any other broker will do
        return
    absent = [jar for jar in locked() if not jar.path(cache_folder()).exists()]
    if absent:
        yield Finding(
            check="embedded",
            level=Level.HINT,
            what=f"{len(absent)} of Kafka's jars are not here yet.",
            where=str(cache_folder()),
            remedy="tierstream broker start   (downloads them, once)",
        )
    else:
        yield fine("embedded", "A broker can be started on this machine.", java)


def check_installation(_settings: Settings) -> Iterator[Finding]:
    """Python and the rules of time zones."""
    yield zone_rules_finding(version("tzdata"), datetime.now(UTC).year)
    yield fine("python", f"Python {platform.python_version()}, tierstream {version('tierstream')}.")


def zone_rules_finding(release: str, year: int) -> Finding:
    """Judge the age of the rules, whose version begins with their year."""
    if year - int(release[:4]) <= ZONE_RULES_YEARS_MAX:
        return fine("python", f"The rules of time zones are {release}.")
    return Finding(
        check="python",
        level=Level.WARNING,
        what=f"The rules of time zones are of {release[:4]}.",
        where=f"tzdata {release}",
        why="days could begin at the wrong hour where the law has changed since",
        remedy="pip install --upgrade tzdata, on all workers at once",
    )


def check_policy(settings: Settings) -> Iterator[Finding]:
    """The policy of the settings."""
    try:
        policy = configured_policy(settings)
    except ConfigurationError as error:
        yield from_error("policy", error)
        return
    yield fine("policy", f"The policy {policy.name} is sound.", settings.policy.file or "")
