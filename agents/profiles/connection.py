"""The connection to Redis that the settings describe, and what its failures mean.

An outage is everything that passes without anybody touching tierstream: absent, slow, full, loading, failing over. It
is waited for. What a person must change (password, rights, version) ends the process.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.retry import Retry

from agents.errors import BugError, ConfigurationError
from agents.secrets import read_secret
from agents.settings import RedisSettings, Settings

CLIENT_NAME = "tierstream"
OUTAGE_WORDS = ("OOM", "READONLY", "LOADING", "BUSY", "MISCONF", "MASTERDOWN", "NOREPLICAS", "UNBLOCKED", "MAX")
"""First words of errors that pass: memory full, a replica, starting, a long script, a full disk, a failover."""


CLUSTER_ERRORS = (redis.exceptions.ClusterError, redis.exceptions.AskError, redis.exceptions.ClusterCrossSlotError)
"""How a node of a cluster answers a client of one server."""
REFUSED_IN_FUNCTION = ("ACL failure in script", "can't run this command", "can't access at least one of the keys")
"""How a server says that a function did what its caller may not do."""


class RedisOutage(Exception):  # noqa: N818 - a state of the world, not an error of ours
    """Redis cannot do it now. `reason` is one word, for metrics."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason
        self.why = why


def connect(settings: Settings) -> redis.Redis:
    """A client that does not connect before its first command, and tries every command once.

    Trying again is the projection's task: it must ask for the partition's marker first.
    """
    wanted = required(settings)
    options: dict[str, Any] = {}
    if wanted.tls:
        options = {
            "ssl": True,
            "ssl_ca_certs": wanted.tls_ca,
            "ssl_certfile": wanted.tls_cert,
            "ssl_keyfile": wanted.tls_key,
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
    return redis.Redis(
        host=wanted.host or "",
        port=wanted.port,
        db=wanted.database,
        credential_provider=_Credentials(wanted) if wanted.user or wanted.password else None,
        socket_timeout=wanted.timeout_s,
        socket_connect_timeout=wanted.timeout_s,
        client_name=CLIENT_NAME,
        lib_name=None,  # `CLIENT SETINFO` is unknown to Redis 7.0, and to its rules of access
        lib_version=None,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **options,
    )


def required(settings: Settings) -> RedisSettings:
    """The settings of Redis; ConfigurationError when none is configured."""
    if settings.redis.host is None:
        raise ConfigurationError(
            "No Redis is configured.",
            where="[redis] host",
            next_step="set it, such as TIERSTREAM_REDIS_HOST=127.0.0.1, or start one here: tierstream broker start",
        )
    return settings.redis


def address(wanted: RedisSettings) -> str:
    """host:port, for people."""
    return f"{wanted.host}:{wanted.port}"


@contextmanager
def failures_named(wanted: RedisSettings) -> Iterator[None]:
    """Turn the client's exceptions into RedisOutage or an error that says what to change."""
    try:
        yield
    except redis.exceptions.RedisError as error:
        raise named(error, wanted) from None  # the cause may quote what was sent


def named(error: redis.exceptions.RedisError, wanted: RedisSettings) -> Exception:
    """What an exception of the client means."""
    return _mistake(error, address(wanted)) or _outage(error, wanted) or _bug(error, address(wanted))


def _mistake(error: redis.exceptions.RedisError, where: str) -> ConfigurationError | None:
    """What a person must put right."""
    text, word = str(error), _first_word(error)
    kinds = (redis.exceptions.AuthenticationError, redis.exceptions.AuthorizationError)
    if isinstance(error, kinds) or word in {"NOAUTH", "WRONGPASS"}:
        what, why, step = "Redis refuses the user or the password.", text, "check [redis] user and password"
    elif word == "NOPERM" or any(phrase in text for phrase in REFUSED_IN_FUNCTION):
        what, step = "The Redis user may not do what is asked of it.", "give it the rights of docs/reference/redis.md"
        why = text.partition(" key")[0].partition("'")[0].strip()  # what follows may be a key: it names a customer
    elif "CERTIFICATE_VERIFY_FAILED" in text:
        what, why, step = "Redis shows no certificate that we trust.", text, "check [redis] tls_ca and host"
    elif isinstance(error, CLUSTER_ERRORS) and not isinstance(error, redis.exceptions.MasterDownError):
        what, why = "Redis Cluster is not supported.", "indexes of many customers and their hashes lie on many nodes"
        step = "use one primary with replicas (docs/reference/redis.md)"
    elif "unknown command" in text:
        what, why, step = "This server has no functions.", "", "use Redis 7.0 or later, or any Valkey"
    else:
        return None
    return ConfigurationError(what, where=where, why=why, next_step=step)


def _outage(error: redis.exceptions.RedisError, wanted: RedisSettings) -> RedisOutage | None:
    """What passes by itself."""
    text, word = str(error), _first_word(error)
    if isinstance(error, redis.exceptions.TimeoutError):
        return RedisOutage("slow", f"no answer within {wanted.timeout_s} s")
    if word in OUTAGE_WORDS or "Function not found" in text:  # a server that came back empty
        return RedisOutage({"OOM": "full", "READONLY": "readonly"}.get(word, "unavailable"), text)
    if isinstance(error, redis.exceptions.ConnectionError):
        return RedisOutage("absent", text)
    return None


def _bug(error: redis.exceptions.RedisError, where: str) -> BugError:
    return BugError("Redis refused a call.", where=where, why=str(error).partition("\n")[0][:200])


def _first_word(error: redis.exceptions.RedisError) -> str:
    """The server's own class of error; redis-py takes it away from some texts and keeps it as a type."""
    for kind, word in (
        (redis.exceptions.ReadOnlyError, "READONLY"),
        (redis.exceptions.OutOfMemoryError, "OOM"),
        (redis.exceptions.BusyLoadingError, "LOADING"),
        (redis.exceptions.MaxConnectionsError, "MAX"),
        (redis.exceptions.NoPermissionError, "NOPERM"),
        (redis.exceptions.MasterDownError, "MASTERDOWN"),
    ):
        if isinstance(error, kind):
            return word
    return str(error).partition(" ")[0]


class _Credentials(CredentialProvider):
    """Reads the password when a connection is opened, and keeps it nowhere."""

    def __init__(self, wanted: RedisSettings) -> None:
        self._wanted = wanted

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = read_secret(self._wanted.password).reveal() if self._wanted.password else ""
        return (self._wanted.user, password) if self._wanted.user else (password,)
