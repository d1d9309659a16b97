"""Sends events to the raw topics. A feed that is sent again, whole or in part, changes nothing.

Each record carries `tierstream-feed: <feed id>:<place>`; places rise, so per partition the highest place that intake
has taken tells what it has seen. In event-clock mode all goes to one topic in order of time, and the feed tells the
time: `clock.advanced` once per simulated day, so that silence shows while it runs, and `clock.closed` at the end.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Self

import msgspec
from kafka.errors import AuthorizationError, KafkaError

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.feed_file import PassedLine, Ready, RefusedLine
from agents.feed_progress import Taken, taken_places
from agents.kafka_clients import producer
from agents.partitioning import home_of
from agents.settings import EVENT_CLOCK_TOPIC, Settings
from agents.topics import require_topics
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import ClockAdvanced, ClockClosed, control_key, encode_journal
from schemas.marks import BACKFILL_HEADER, FEED_HEADER
from streams.intake import Limits, untimely

BACKFILL_TOPIC = "purchases"
"""A whole history goes through one raw topic, so that each customer's events stay in order of time.

Intake reads by type, not by topic."""
BATCH_BYTES = 131_072
LINGER_MS = 20
DELIVERY_TIMEOUT_MS = 240_000
"""As long as a broker may be away in the middle of a feed."""
PACE_SLICE_S = 0.02
NOTHING_TAKEN: Taken = MappingProxyType({})

Line = Ready | RefusedLine | PassedLine

Told = Callable[[Ready], None]
"""Called with every event when it has been handed to the client."""


class Report(msgspec.Struct):
    """What became of a feed."""

    sent: int = 0
    topics: Counter[str] = msgspec.field(default_factory=Counter)
    """Events by topic of the catalogue."""
    refused: list[RefusedLine] = msgspec.field(default_factory=list)
    passed: list[PassedLine] = msgspec.field(default_factory=list)
    """Lines that gave no event and are no mistake: repeats, and what means nothing here."""
    seconds: float = 0.0
    closed_at: str | None = None
    """The instant at which the event clock ended; None with the broker's clock."""


class Feeder:
    """Sends ready events under one feed id. Made by `open_feeder`; everything is acknowledged when that is left."""

    def __init__(
        self,
        settings: Settings,
        writer: Any,  # noqa: ANN401 - kafka-python is untyped
        feed_id: str,
        taken: Taken,
        *,
        backfill: bool = False,
    ) -> None:
        self.report = Report()
        self._marks = [(BACKFILL_HEADER, b"1")] if backfill else []
        self._settings, self._writer, self._taken = settings, writer, taken
        self._feed = feed_id.encode()
        self._partitions = settings.kafka.partitions
        self._homes: dict[bytes, int] = {}
        self._there: set[str] = set()
        self._place = 0
        self._failure: BaseException | None = None

    def send(self, event: Ready, topic: str | None = None, place: int | None = None) -> Self:
        """Send an event to its topic, or to the one given (catalogue names), at its customer's partition.

        `place` has to rise; it counts what was sent unless given. What intake has taken already is only reported.
        """
        home = self._homes.get(event.key)
        if home is None:
            home = self._homes[event.key] = home_of(event.key, self._partitions)
        self._place = place or self._place + 1
        name = topic or event.topic
        if self._taken and self._place <= self._taken.get((self._settings.topic(name), home), -1):
            self.report.passed.append(PassedLine(event.line, "duplicate", "taken from an earlier feed of this file"))
            return self
        self._put(name, event.key, event.value, home)
        self.report.sent += 1
        self.report.topics[name] += 1
        return self

    def mark(self, record: ClockAdvanced | ClockClosed) -> None:
        """Tell the time to every partition of the event-clock topic."""
        self._place += 1
        value, key = encode_journal(record), control_key(record)
        for number in range(self._partitions):
            self._put(EVENT_CLOCK_TOPIC, key, value, number)

    def flush(self) -> None:
        """Wait until the broker has everything; BrokerUnreachableError when it does not take it."""
        try:
            self._writer.flush()
        except KafkaError as error:
            self._failure = self._failure or error
        if isinstance(self._failure, AuthorizationError):  # told where the client was opened
            raise self._failure
        if self._failure is not None:
            raise BrokerUnreachableError(
                "Not every event reached the broker.",
                where=self._settings.kafka.bootstrap,
                why=str(self._failure) or type(self._failure).__name__,
                next_step="feed the same file again: what has arrived is recognised",
            ) from self._failure

    def _put(self, topic: str, key: bytes, value: bytes, partition: int) -> None:
        if topic not in self._there:
            require_topics(self._settings, self._settings.topic(topic))
            self._there.add(topic)
        headers = [(FEED_HEADER, b"%s:%d" % (self._feed, self._place)), *self._marks]
        try:
            sent = self._writer.send(self._settings.topic(topic), value, key=key, partition=partition, headers=headers)
        except KafkaError as error:
            self._failure = error
            self.flush()
        else:
            sent.add_errback(self._failed)

    def _failed(self, error: BaseException) -> None:
        self._failure = self._failure or error


@contextmanager
def open_feeder(
    settings: Settings, feed_id: str, *, taken: Taken = NOTHING_TAKEN, backfill: bool = False
) -> Iterator[Feeder]:
    """A feeder whose events have all arrived when the block ends well. `feed_id` names the content that is fed.

    With `backfill`, they are marked as part of a history.
    """
    started = time.monotonic()
    options = {"linger_ms": LINGER_MS, "batch_size": BATCH_BYTES, "delivery_timeout_ms": DELIVERY_TIMEOUT_MS}
    with producer(settings, max_block_ms=DELIVERY_TIMEOUT_MS, **options) as writer:
        feeder = Feeder(settings, writer, feed_id, taken, backfill=backfill)
        yield feeder
        feeder.flush()
    feeder.report.seconds = time.monotonic() - started


def in_good_time(lines: Iterable[Line], settings: Settings, now: int) -> Iterator[Line]:
    """The lines, with those refused that intake would refuse for their time if they arrived at `now` (epoch ms)."""
    limits = Limits(late_ms_max=settings.late_limit_ms, ahead_ms_max=settings.intake.ahead_limit_s * 1000)
    for line in lines:
        if isinstance(line, Ready):
            fault = untimely(format_instant(line.occurred_at), line.occurred_at, now, limits)
            if fault is not None:
                yield RefusedLine(line.line, fault.reason.value, fault.detail)
                continue
        yield line


def feed_lines(settings: Settings, lines: Iterable[Line], *, feed_id: str, told: Told | None = None) -> Report:
    """Send events to the topics of their types as they come; refused lines are reported, not sent."""
    _refuse_event_clock(settings)
    with open_feeder(settings, feed_id, taken=taken_places(settings, feed_id)) as feeder:
        for line in lines:
            if isinstance(line, RefusedLine):
                feeder.report.refused.append(line)
            elif isinstance(line, PassedLine):
                feeder.report.passed.append(line)
            else:
                feeder.send(line, place=line.place or line.line)
                if told:
                    told(line)
    return feeder.report


def feed_history(settings: Settings, events: Iterable[Line], *, feed_id: str, told: Told | None = None) -> Report:
    """Send events, already in (time, id) order, as a history: it is replayed as it happened, and nobody is told.

    From the first one on to the go-live, a partition's decisions carry `cause = backfill`.
    """
    _refuse_event_clock(settings)
    # The same file may have been fed as ordinary events before: that was another feed.
    with open_feeder(settings, feed_id + "-backfill", backfill=True) as feeder:
        for event in events:
            if isinstance(event, Ready):
                feeder.send(event, BACKFILL_TOPIC)
                if told:
                    told(event)
    return feeder.report


def _refuse_event_clock(settings: Settings) -> None:
    if settings.intake.clock == "event":
        raise ConfigurationError(
            "This application reads the event clock's topic alone.",
            where="[intake] clock = event",
            next_step="tierstream feed FILE --event-clock",
        )


def feed_in_time(
    settings: Settings, events: Iterable[Ready], *, feed_id: str, until: int | None = None, told: Told | None = None
) -> Report:
    """Send events, already in (time, id) order, in event-clock mode.

    The clock advances at every midnight UTC and closes at `until` (epoch ms), or at the last event's time.
    """
    if settings.intake.clock != "event":
        raise ConfigurationError(
            "Event-clock input is for an application that reads it so.",
            where="[intake] clock = " + settings.intake.clock,
            why="with the broker's clock, nobody reads the topic imports",
            next_step='set clock = "event" under [intake], for the workers too, or leave --event-clock out',
        )
    with open_feeder(settings, feed_id) as feeder:
        now = midnight = None
        for event in events:
            midnight = midnight or _next_midnight(event.occurred_at)
            midnight = _advance(feeder, midnight, event.occurred_at)
            now = event.occurred_at
            feeder.send(event, EVENT_CLOCK_TOPIC)
            if told:
                told(event)
        if now is not None and midnight is not None:
            end = max(now, until or now)
            _advance(feeder, midnight, end)
            feeder.mark(ClockClosed(instant=format_instant(end)))
            feeder.report.closed_at = format_instant(end)
    return feeder.report


def _advance(feeder: Feeder, midnight: int, until: int) -> int:
    """Mark each midnight up to an instant; returns the next one."""
    while midnight <= until:
        feeder.mark(ClockAdvanced(instant=format_instant(midnight)))
        midnight += MS_PER_DAY
    return midnight


def _next_midnight(instant: int) -> int:
    return (instant // MS_PER_DAY + 1) * MS_PER_DAY


def at_rate(events: Iterable[Line], per_s: float) -> Iterator[Line]:
    """The same lines, not faster than so many per second."""
    started = time.monotonic()
    for count, event in enumerate(events):
        ahead_s = started + count / per_s - time.monotonic()
        if ahead_s > PACE_SLICE_S:
            time.sleep(ahead_s)
        yield event


def at_speed(events: Iterable[Ready], days_per_s: float) -> Iterator[Ready]:
    """The same events, not faster than so many simulated days per second."""
    started = time.monotonic()
    first: int | None = None
    for event in events:
        first = event.occurred_at if first is None else first
        ahead_s = started + (event.occurred_at - first) / MS_PER_DAY / days_per_s - time.monotonic()
        if ahead_s > PACE_SLICE_S:
            time.sleep(ahead_s)
        yield event
