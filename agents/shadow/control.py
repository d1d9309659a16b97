"""Begins a trial, and tells from the cluster alone which one is under way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiokafka import TopicPartition as RawPlace
from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from agents.control_records import JOURNAL, control_writer
from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.kafka_clients import consumer
from agents.lookup import BULK, polled, whole
from agents.runtime.watermark import Watermarks
from agents.settings import Settings
from agents.shadow.trial import SINCE_EVER, TOPIC, TRIAL_KEY, Trial, decode_trial, encode_record, trial_id
from schemas.clock import format_instant, parse_canonical
from schemas.journal import Control, GoLive, JournalRecord, Passing, decode_journal
from streams.policy.model import Policy
from streams.policy.parse import canonical

PURPOSE: Final = "shadow"
NOW: Final = "now"
START: Final = "start"
_LAST_OFFSETS: Final = 200
"""How far back from its end a partition is searched for the latest instant: markers of transactions lie between."""
_READ_TIMEOUT_S: Final = 20


class TrialWatch:
    """Knows the trial under way, and learns of its end."""

    def __init__(self, reader: Any, settings: Settings) -> None:  # noqa: ANN401 - kafka-python is untyped
        self._reader, self._place = reader, TopicPartition(settings.topic(TOPIC), 0)
        self.trial: Trial | None = None
        if 0 not in (reader.partitions_for_topic(self._place.topic) or ()):
            raise ConfigurationError(
                "The topic does not exist.", where=self._place.topic, next_step="tierstream topics apply"
            )
        reader.assign([self._place])
        end = reader.end_offsets([self._place])[self._place]
        reader.seek(self._place, reader.beginning_offsets([self._place])[self._place])
        for records in polled(reader, self._place, end, whole=True):
            self._take(records)

    def look(self) -> Trial | None:
        """Read what is new."""
        self._take(self._reader.poll(timeout_ms=0).get(self._place, []))
        return self.trial

    def _take(self, records: list[Any]) -> None:
        for record in records:
            if record.key == TRIAL_KEY:
                self.trial = decode_trial(record.value)


@contextmanager
def watching(settings: Settings) -> Iterator[TrialWatch]:
    """A watch over the trial under way."""
    with consumer(settings, **BULK) as reader:
        yield TrialWatch(reader, settings)


def trial_under_way(settings: Settings) -> Trial | None:
    """The trial that was begun and neither promoted nor dropped."""
    with watching(settings) as watch:
        return watch.trial


def required_trial(settings: Settings) -> Trial:
    """The trial under way; ConfigurationError when there is none."""
    trial = trial_under_way(settings)
    if trial is None:
        raise ConfigurationError("No policy is tried.", next_step="tierstream policy shadow NEW.toml")
    return trial


def begin_trial(settings: Settings, policy: Policy, since: str | None) -> Trial:
    """Begin a trial of a policy, or join it where it is under way; `since` is `now`, `start` or an instant.

    ConfigurationError while another one is under way.
    """
    with control_writer(settings, PURPOSE) as writer:
        under_way = trial_under_way(settings)
        if under_way is not None:
            _same(under_way, policy, since)
            return under_way
        trial = _new_trial(settings, policy, since or NOW)
        write_trial(writer, settings, encode_record(trial), failed="The trial was not begun.")
    return trial


def write_trial(writer: Any, settings: Settings, value: bytes | None, *, failed: str) -> None:  # noqa: ANN401 - kafka-python is untyped
    """Say which trial is under way, None for none. BrokerUnreachableError(`failed`) when that did not come through."""
    topic = settings.topic(TOPIC)
    try:
        writer.begin_transaction()
        writer.send(topic, value, key=TRIAL_KEY, partition=0)
        writer.commit_transaction()
    except AuthorizationError:  # told where the client was opened
        raise
    except KafkaError as error:
        raise BrokerUnreachableError(failed, where=topic, why=str(error), next_step="try again") from error


def _same(trial: Trial, policy: Policy, since: str | None) -> None:
    another = trial.hash != policy.hash
    begun = {NOW: trial.started_at, START: SINCE_EVER}.get(since or NOW, since)
    if another or (since is not None and begun != trial.effective_at):
        what = f"{trial.name} ({trial.hash[:12]})" if another else "the same policy, in force from another instant on,"
        raise ConfigurationError(
            f"Another trial is under way: {what} has been tried since {trial.started_at}.",
            why="one candidate is tried at a time, so that nobody mistakes one's differences for the other's",
            next_step="tierstream policy shadow show; then tierstream policy shadow drop, or promote",
        )


def _new_trial(settings: Settings, policy: Policy, since: str) -> Trial:
    complete_until, positions = _complete_until(settings)
    started_at = format_instant(complete_until)
    effective_at = {NOW: started_at, START: SINCE_EVER}.get(since, since)
    if effective_at > started_at:
        raise ConfigurationError(
            "A candidate cannot come in force later than now.",
            where=f"--from {since}",
            why=f"all that was accepted up to {started_at} is in the journal, and no more",
            next_step="leave --from out",
        )
    return Trial(
        id=trial_id(policy.hash, effective_at, started_at, positions),
        name=policy.name,
        hash=policy.hash,
        text=canonical(policy),
        effective_at=effective_at,
        started_at=started_at,
        positions=positions,
    )


def _complete_until(settings: Settings) -> tuple[int, tuple[int, ...]]:
    """An instant before which all that was accepted is in the journal, and where the journal then ended."""
    journal, count = settings.topic(JOURNAL), settings.kafka.partitions
    places = [TopicPartition(journal, number) for number in range(count)]
    complete_until = None if settings.intake.clock == "event" else watermark(settings)
    with consumer(settings, **BULK) as reader:
        reader.assign(places)
        ends = reader.end_offsets(places)
        if complete_until is None:
            complete_until = _latest_instant(reader, places, ends)
    if complete_until is None:
        raise ConfigurationError(
            "The journal holds nothing yet: there is nothing to try a policy on.",
            where=journal,
            next_step="tierstream worker, and send events",
        )
    return complete_until, tuple(ends[place] for place in places)


def watermark(settings: Settings) -> int | None:
    """What intake has told; None while it has not told of every partition."""
    topic = settings.topic("intake-progress")
    places = [TopicPartition(topic, number) for number in range(settings.kafka.partitions)]
    raw = [RawPlace(name, number) for name in settings.sources() for number in range(settings.kafka.partitions)]
    marks = Watermarks(raw)
    with consumer(settings, **BULK) as reader:
        for place in places:
            for record in whole(reader, place):
                marks.told(record.key, record.value)
    return marks.current()


def _latest_instant(reader: Any, places: list[TopicPartition], ends: dict[TopicPartition, int]) -> int | None:  # noqa: ANN401 - kafka-python is untyped
    """The latest instant that the journal's last records tell; None when it holds no event."""
    begins, latest = reader.beginning_offsets(places), ""
    for place in places:
        reader.seek(place, max(begins[place], ends[place] - _LAST_OFFSETS))
    deadline = time.monotonic() + _READ_TIMEOUT_S
    while any(reader.position(place) < ends[place] for place in places):
        if time.monotonic() > deadline:
            raise BrokerUnreachableError("The journal could not be read.", where=places[0].topic, next_step="try again")
        for records in reader.poll(timeout_ms=1_000).values():
            for record in records:
                event: JournalRecord = decode_journal(record.value)
                if isinstance(event, Passing | GoLive):
                    latest = max(latest, event.instant)
                elif not isinstance(event, Control):
                    latest = max(latest, event.recordedtime)
    return parse_canonical(latest) if latest else None
