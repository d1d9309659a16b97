"""Ends a backfill: one record into every partition of the journal, behind everything that arrived before it was asked.

The audit entry that asks for it gets its instant from the broker. Once intake has told that all raw records from before
that instant are in the journal, the record is written; no host's clock is used, and a history that is still under way
cannot come behind its own end.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import orjson
from aiokafka import TopicPartition as RawPartition
from kafka import TopicPartition

from agents.control_records import control_writer, write_everywhere
from agents.errors import BrokerUnreachableError, ConfigurationError, StalledError
from agents.kafka_clients import consumer, producer
from agents.outputs import APP_VERSION
from agents.runtime.watermark import Watermarks
from agents.settings import Settings
from agents.topics import require_topics
from schemas.clock import format_instant
from schemas.journal import GoLive

PROGRESS: Final = "intake-progress"
SEND_TIMEOUT_S: Final = 10
POLL_MS: Final = 500


class WentLive(NamedTuple):
    """What was written."""

    instant: int
    """Epoch ms as of which customers are introduced."""
    partitions: int


def go_live(
    settings: Settings, *, at: int | None, wait_s: float, waiting: Callable[[int], None] | None = None
) -> WentLive:
    """Write the go-live as of `at` (epoch ms; the instant of asking by default).

    Waits until intake has taken in all that arrived before; `waiting` is called with how many seconds it is behind.
    StalledError when that takes longer than `wait_s`.
    """
    if settings.intake.clock == "event":
        raise ConfigurationError(
            "With an event clock, nothing goes live.",
            where="[intake] clock = event",
            why="all of its input is history",
            next_step='clock = "broker", and tierstream feed FILE --backfill',
        )
    asked = _ask(settings)
    if at is not None and at > asked:
        raise ConfigurationError(
            "A go-live cannot lie ahead.",
            where=f"--at {format_instant(at)}",
            why=f"the broker's clock says {format_instant(asked)}",
            next_step="leave --at out, or name an instant that has passed",
        )
    _await_intake(settings, asked, wait_s, waiting)
    instant = asked if at is None else at
    text = format_instant(instant)
    with control_writer(settings, "go-live") as writer:
        write_everywhere(
            writer,
            settings,
            lambda home: GoLive(instant=text, home=home),
            what="go-live",
            check="tierstream go-live: a second one changes nothing",
        )
    return WentLive(instant, settings.kafka.partitions)


def _ask(settings: Settings) -> int:
    """Put the request into the audit; returns its append time, epoch ms."""
    require_topics(settings, settings.topic("audit"))
    entry = orjson.dumps({"type": "go-live.asked", "app_version": APP_VERSION})
    with producer(settings) as writer:
        return int(writer.send(settings.topic("audit"), entry, partition=0).get(timeout=SEND_TIMEOUT_S).timestamp)


def _await_intake(settings: Settings, instant: int, wait_s: float, waiting: Callable[[int], None] | None) -> None:
    """Return when everything that arrived before the instant is in the journal."""
    count = settings.kafka.partitions
    raw = [RawPartition(topic, number) for topic in settings.sources() for number in range(count)]
    marks, deadline = Watermarks(raw), time.monotonic() + wait_s
    with _progress_records(settings) as records:
        while True:
            for key, value in records():
                marks.told(key, value)
            low = marks.current()
            if low is not None and low >= instant:
                return
            if time.monotonic() > deadline:
                raise StalledError(
                    "The go-live was not written: intake has not taken in everything that arrived before it.",
                    where=", ".join(settings.sources()),
                    why="no worker has told of every raw partition yet"
                    if low is None
                    else f"everything up to {format_instant(low)} is in the journal",
                    next_step="see that workers run (tierstream worker), then again; --wait SECONDS waits longer",
                )
            if waiting is not None:
                waiting(0 if low is None else max(0, instant - low) // 1000)


@contextmanager
def _progress_records(settings: Settings) -> Iterator[Callable[[], list[tuple[bytes, bytes]]]]:
    """Follow the progress topic from its begin: each call gives what is new."""
    topic = settings.topic(PROGRESS)
    places = [TopicPartition(topic, number) for number in range(settings.kafka.partitions)]
    with consumer(settings) as reader:
        if not reader.partitions_for_topic(topic):
            raise BrokerUnreachableError(
                "There is no intake-progress yet.", where=topic, next_step="tierstream topics apply"
            )
        reader.assign(places)
        for place, begin in reader.beginning_offsets(places).items():
            reader.seek(place, begin)

        def records() -> list[tuple[Any, Any]]:
            polled = reader.poll(timeout_ms=POLL_MS)
            return [(record.key, record.value) for group in polled.values() for record in group]

        yield records
