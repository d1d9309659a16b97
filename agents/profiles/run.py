"""The projection as a process: its consumer, its signals, its figures."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import structlog
from kafka.errors import KafkaError

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.kafka_clients import admin_client, consumer
from agents.logging_setup import configure_logging
from agents.profiles.connection import address, required
from agents.profiles.metrics import ProjectionMetrics
from agents.profiles.projection import Projection
from agents.profiles.store import ProfileStore
from agents.serving import serving
from agents.settings import Settings

FETCH_BYTES = 8_000_000
POLL_RECORDS_MAX = 5_000
SESSION_TIMEOUT_MS = 6_000
"""A killed projection's partitions go to the others after so long; brokers refuse less by default."""
POLL_INTERVAL_MS = 30_000
"""A step takes two seconds at most. kafka-python waits this long, and 5 s, for the answer to a join that got lost."""
METADATA_AGE_MS = 30_000

log = structlog.get_logger(__name__)


def group_of(settings: Settings) -> str:
    """The projection's own consumer group."""
    return f"{settings.kafka.application_id}-redis"


def topic_of(settings: Settings) -> str:
    """The topic that is projected."""
    return settings.topic("customer-profiles")


def run_projection(settings: Settings) -> int:
    """Project until a signal; returns the exit code. Failures with a name leave as exceptions."""
    configure_logging(settings.log)
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)  # it warns of every 0.1 s that a busy machine takes
    ending = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    metrics = ProjectionMetrics()
    with (
        serving(metrics.registry, None, settings.metrics.host, settings.redis.metrics_port, "redis.metrics_port"),
        projecting(settings, metrics) as step,
    ):
        log.info("projecting", topic=topic_of(settings), redis=address(settings.redis))
        while not ending:
            step()
    log.info("ended")
    return 0


@contextmanager
def projecting(settings: Settings, metrics: ProjectionMetrics) -> Iterator[Callable[[], None]]:
    """Join the group; call what this yields again and again. At the end the partitions go to the others at once."""
    wanted = required(settings)
    store = ProfileStore(settings)
    topic_id(settings)  # a topic that does not exist is told before anything else
    with consumer(
        settings,
        group_id=group_of(settings),
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=SESSION_TIMEOUT_MS // 4,
        max_poll_interval_ms=POLL_INTERVAL_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=FETCH_BYTES // 4,
        max_poll_records=POLL_RECORDS_MAX,
        fetch_max_wait_ms=wanted.pause_ms,
    ) as reader:
        projection = Projection(reader, store, wanted, lambda: topic_id(settings), metrics)
        reader.subscribe([topic_of(settings)], listener=projection)
        reader.partitions_for_topic(topic_of(settings))  # known before the join: else it is joined twice
        try:
            yield projection.step
        except KafkaError as error:
            raise BrokerUnreachableError(
                "Kafka refused the projection.",
                where=settings.kafka.bootstrap,
                why=str(error) or type(error).__name__,
                next_step="start it again; it goes on where Redis stands",
            ) from error
        finally:
            store.close()


def topic_id(settings: Settings) -> str:
    """The identity of the profile topic: one that was made anew has another."""
    name = topic_of(settings)
    with admin_client(settings) as admin:
        described: list[dict[str, Any]] = admin.describe_topics([name])
    found = next((topic for topic in described if topic.get("name") == name and not topic.get("error_code")), None)
    if found is None:
        raise ConfigurationError("The topic does not exist.", where=name, next_step="tierstream topics apply")
    return str(found["topic_id"])
