"""kafka-python's clients, opened from the settings: for administration, feeding and reading. Workers have their own.

A broker that does not answer becomes BrokerUnreachableError, so that no command ends in a stack trace.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.record.util import calc_crc32c
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.record import default_records

from agents.errors import BrokerUnreachableError
from agents.settings import Settings

BOOTSTRAP_TIMEOUT_MS = 5_000
"""How long a command waits for the first broker to answer."""


@contextmanager
def admin_client(settings: Settings) -> Iterator[Any]:
    """A client for topics and their settings."""
    with _reached(settings):
        client = KafkaAdminClient(**_common(settings))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def consumer(settings: Settings, **options: object) -> Iterator[Any]:
    """A reader that sees committed records only, without a group unless one is given; the caller assigns and seeks."""
    default_records.calc_crc32c = calc_crc32c  # its own, in Python, takes half of a reader's time too
    with _reached(settings):
        client = KafkaConsumer(
            **_common(settings),
            enable_auto_commit=False,
            isolation_level="read_committed",
            **options,
        )
    try:
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
        yield client
    finally:
        client.close(timeout=10)


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap_servers": settings.kafka.bootstrap.split(","),
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "client_id": "tierstream",
    }


@contextmanager
def _reached(settings: Settings) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise BrokerUnreachableError(
            "No Kafka broker answers.",
            where=settings.kafka.bootstrap,
            why=str(error) or type(error).__name__,
            next_step="check kafka.bootstrap, or start a broker on this machine: tierstream broker start",
        ) from error
