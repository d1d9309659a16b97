"""kafka-python's clients, opened from the settings: for administration, feeding and reading. Workers have their own.

A broker that does not answer becomes BrokerUnreachableError, one that refuses us AccessError: no command ends in a
stack trace.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.record.util import calc_crc32c
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError
from kafka.record import default_records

from agents.errors import AccessError, BrokerUnreachableError, FixError
from agents.kafka_access import why_not_let_in
from agents.kafka_security import security_of
from agents.settings import Settings

BOOTSTRAP_TIMEOUT_MS = 5_000
"""How long a command waits for the first broker to answer."""
RECONNECT_MS_MAX = 1_000
"""The longest pause between two tries to connect, as in Kafka's own clients.

kafka-python's 30 s would keep a projection, a shadow or a feed away from a broker that is back for half a minute.
"""


@contextmanager
def admin_client(settings: Settings) -> Iterator[Any]:
    """A client for topics and their settings."""
    with _reached(settings):
        client = KafkaAdminClient(**_common(settings))
    try:
        with _allowed(settings):
            yield client
    finally:
        client.close()


class _Member(KafkaConsumer):  # type: ignore[misc]  # kafka-python is untyped
    """A consumer of a group that never stops being one.

    kafka-python 3.0 forgets a join that outlasts a `poll` when new metadata alone had asked for it: its partitions are
    revoked, nobody sends heartbeats, and no later poll joins again.
    """

    def poll(self, timeout_ms: float = 0, **options: object) -> Any:  # noqa: ANN401 - untyped
        coordinator = self._coordinator
        if coordinator.rejoining and not coordinator.need_rejoin():
            coordinator.request_rejoin()
        return super().poll(timeout_ms=timeout_ms, **options)


@contextmanager
def consumer(settings: Settings, **options: object) -> Iterator[Any]:
    """A reader that sees committed records only, without a group unless one is given; the caller assigns and seeks."""
    default_records.calc_crc32c = calc_crc32c  # its own, in Python, takes half of a reader's time too
    with _reached(settings):
        client = (_Member if "group_id" in options else KafkaConsumer)(
            **_common(settings),
            enable_auto_commit=False,
            isolation_level="read_committed",
            **options,
        )
    try:
        with _allowed(settings):
            yield client
    finally:
        client.close()


@contextmanager
def producer(settings: Settings, **options: object) -> Iterator[Any]:
    """An idempotent writer that waits for all copies."""
    default_records.calc_crc32c = calc_crc32c  # its own, in Python, takes half of a writer's time
    with _reached(settings):
        client = KafkaProducer(
            **_common(settings),
            acks="all",
            enable_idempotence=True,
            metrics_enabled=False,
            **options,
        )
    try:
        with _allowed(settings):
            yield client
    finally:
        client.close(timeout=10)


def _common(settings: Settings) -> dict[str, Any]:
    security = security_of(settings.kafka)
    refusal = why_not_let_in(settings.kafka.bootstrap, security)
    if isinstance(refusal, FixError):  # the clients would try for seconds, and say nothing of the cause
        raise refusal
    return {
        "bootstrap_servers": settings.kafka.bootstrap.split(","),
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "reconnect_backoff_max_ms": RECONNECT_MS_MAX,
        "client_id": "tierstream",
        **security.options(),
    }


@contextmanager
def _reached(settings: Settings) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        reason = why_not_let_in(settings.kafka.bootstrap, security_of(settings.kafka))
        raise reason or BrokerUnreachableError(
            "No Kafka broker answered in time.",
            where=settings.kafka.bootstrap,
            why=str(error) or type(error).__name__,
            next_step="try again",
        ) from error


@contextmanager
def _allowed(settings: Settings) -> Iterator[None]:
    """A missing right names what was tried."""
    try:
        yield
    except AuthorizationError as error:
        raise AccessError(
            "Kafka does not allow this.",
            where=f"{settings.kafka.bootstrap}, user {settings.kafka.sasl_username or 'of the certificate, or none'}",
            why=str(error) or type(error).__name__,
            next_step="grant what docs/reference/security.md lists for this command",
        ) from error
