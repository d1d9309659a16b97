"""Reads one partition's journal, outputs and state from Kafka and has them judged, as of one commit."""

import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from kafka import TopicPartition

from agents.errors import ConfigurationError, StalledError
from agents.kafka_clients import consumer
from agents.logging_setup import customer_ref
from agents.lookup import BULK, polled
from agents.partition_records import NO_TICK, take_due_work, take_history
from agents.processes import Told
from agents.replay.audit import JUDGED, STATE, Difference, Expected, Output, Seen, differences, digest_of, parting
from agents.replay.event_files import DEAD_LETTERS, PROFILES, Headers
from agents.replay.journal_topic import JournalTopic
from agents.runtime.names import changelog
from agents.runtime.position import POSITION_KEY, decode_position
from agents.settings import Settings
from schemas.catalog import TOPICS
from schemas.journal import is_control_key
from schemas.rejections import HEADER_PREFIX

STAGE: Final = "customers"
BUSY_S_MAX: Final = 60
"""A tick's or a go-live's work takes moments: a partition that has some for so long does not get on."""
_PAUSE_S: Final = 0.5


class Share(msgspec.Struct, frozen=True):
    """What one process verifies."""

    settings: Settings
    units: list[str]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The first difference of a partition."""

    kind: str
    topic: str
    """By its full name."""
    partition: int
    offset: int | None
    customer: str
    """A reference that holds for this report; the record at the offset names the customer."""
    field: str
    expected: str
    found: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one partition."""

    partition: int
    position: int
    """Journal records before it were folded."""
    customers: int
    outputs: int
    """Records compared, states and profiles included."""
    differences: int
    first: Finding | None
    moved: bool
    """Whether a worker went on meanwhile: profiles were left out."""
    cut: list[str]
    """Topics whose first records their retention has removed."""


def verify_partitions(share: Share, told: Told) -> list[Verdict]:
    """Verify one partition after the other; `told` is told how many journal positions have been passed."""
    passed, verdicts = 0, []
    for unit in share.units:
        audit = _Audit(share.settings, unit)
        for amount in audit.run():
            passed += amount
            told(passed)
        verdicts.append(audit.verdict())
    return verdicts


class _Audit:
    """One partition."""

    def __init__(self, settings: Settings, unit: str) -> None:
        self._settings, self._unit = settings, unit
        number, _, count = unit.split("-")
        self._home = int(number), int(count)
        self._journal = JournalTopic(settings)
        self._topics = {name: settings.topic(name) for name in TOPICS}
        self._changelog = changelog(settings.kafka.application_id, STAGE)
        self._position = 0
        self._expected = self._fold_to(())
        self._seen: Seen | None = None

    def run(self) -> Iterator[int]:
        """Read and fold; gives how far the position advanced."""
        begin, _ = self._journal.span(self._unit)
        if begin:
            raise ConfigurationError(
                "The journal's first records are gone: nothing can be proved by the rest.",
                where=f"{self._journal.name}[{self._home[0]}] begins at {begin}",
                next_step="keep the journal without limit (retention.ms = -1), which is its default",
            )
        states, self._position, end = self._settled()
        yield from self._fold(self._expected)
        records = {topic: list(self._read(topic)) for topic in (*JUDGED, PROFILES)}
        profiles = {output.key: output for output in records.pop(PROFILES)}
        self._seen = Seen(
            states,
            {key: output for key, output in profiles.items() if output.digest},
            records,
            [topic for topic in JUDGED if self._begins_late(topic)],
            self._end(self._changelog) != end,
        )

    def verdict(self) -> Verdict:
        """What was found."""
        assert self._seen is not None  # noqa: S101 - run comes first
        seen = self._seen
        found = list(differences(self._expected, seen))
        return Verdict(
            partition=self._home[0],
            position=self._position,
            customers=len(self._expected.states),
            outputs=len(seen.states) + len(seen.profiles) + sum(map(len, seen.records.values())),
            differences=len(found),
            first=self._finding(found[0]) if found else None,
            moved=seen.moved,
            cut=[self._topics[topic] for topic in seen.cut],
        )

    def _finding(self, difference: Difference) -> Finding:
        """A difference with what was expected, for which the journal is folded a second time."""
        expected = self._fold_to((difference.customer,))
        for _ in self._fold(expected):
            pass
        wanted = expected.values.get(difference.digest, b"")
        found_value = self._value_at(difference)
        topic = self._name_of(difference.topic)
        field, should_be, found = parting(difference.topic, wanted, found_value)
        if difference.offset < 0:
            field, should_be, found = "", "a record", "none"
        elif difference.kind == "unexpected":
            field, should_be, found = "", "none", "a record"
        elif difference.kind == "doubled":
            field, should_be, found = "", "one", "one more"
        elif difference.kind == "out of order":
            field, should_be, found = "", "another order", "this one"
        return Finding(
            kind=difference.kind,
            topic=topic,
            partition=self._home[0],
            offset=difference.offset if difference.offset >= 0 else None,
            customer=customer_ref(difference.customer),
            field=field,
            expected=should_be,
            found=found,
        )

    def _name_of(self, topic: str) -> str:
        return self._changelog if topic == STATE else self._topics[topic]

    def _value_at(self, difference: Difference) -> bytes:
        if difference.offset < 0:
            return b""
        name, end = self._name_of(difference.topic), difference.offset + 1
        records = self._records(name, difference.offset, end)
        return next((record.value or b"" for record in records if record.offset == difference.offset), b"")

    def _fold_to(self, keep: tuple[bytes, ...]) -> Expected:
        return Expected(self._topics, self._home, dedupe=self._settings.intake.dedupe, keep=keep)

    def _fold(self, expected: Expected) -> Iterator[int]:
        position = 0
        if self._position:
            for entries, after in self._journal.read(self._unit, 0):
                for entry in entries:
                    if entry.offset < self._position:
                        expected.fold.take(entry)
                yield after - position
                position = after
                if after >= self._position:
                    break
        expected.close()

    def _settled(self) -> tuple[dict[bytes, Output], int, int]:
        """States and position of a commit after which no tick's and no go-live's work was left, and where it ends."""
        deadline = time.monotonic() + BUSY_S_MAX
        while True:
            end = self._end(self._changelog)
            newest: dict[bytes, Output] = {}
            own: dict[bytes, bytes] = {}
            for record in self._records(self._changelog, None, end):
                newest.pop(record.key, None)
                if is_control_key(record.key):
                    own[record.key] = record.value
                elif record.value is not None:
                    newest[record.key] = Output(STATE, record.offset, record.key, digest_of(record.value))
            position = own.get(POSITION_KEY)
            if take_due_work(own).until == NO_TICK and take_history(own).live_at == NO_TICK:
                break
            if time.monotonic() > deadline:
                raise StalledError(
                    "The partition has work that it does not get on with.",
                    where=f"{self._changelog}[{self._home[0]}]",
                    next_step="start a worker, then try again",
                )
            time.sleep(_PAUSE_S)
        offset = 0
        if position is not None:
            stored = decode_position(position, self._changelog).topics.get(self._journal.name)
            offset = stored.offset if stored else 0
        return newest, offset, end

    def _read(self, topic: str) -> Iterator[Output]:
        """A topic's records; of the dead letters the fold's. A deleted key has no digest."""
        name = self._topics[topic]
        for record in self._records(name, None, self._end(name)):
            if topic != DEAD_LETTERS or _of_fold(record.headers):
                value = record.value
                digest = b"" if value is None and topic == PROFILES else digest_of(value or b"", record.headers)
                yield Output(topic, record.offset, record.key or b"", digest)

    def _records(self, name: str, begin: int | None, end: int) -> Iterator[Any]:
        """kafka-python's records of this partition of a topic, from its begin unless another is given."""
        place = TopicPartition(name, self._home[0])
        with consumer(self._settings, **BULK) as reader:
            reader.assign([place])
            reader.seek(place, reader.beginning_offsets([place])[place] if begin is None else begin)
            for records in polled(reader, place, end):
                yield from records

    def _end(self, name: str) -> int:
        place = TopicPartition(name, self._home[0])
        with consumer(self._settings, **BULK) as reader:
            return int(reader.end_offsets([place])[place])

    def _begins_late(self, topic: str) -> bool:
        place = TopicPartition(self._topics[topic], self._home[0])
        with consumer(self._settings, **BULK) as reader:
            return bool(reader.beginning_offsets([place])[place] > 0)


def _of_fold(headers: Headers) -> bool:
    """Whether a dead letter is the fold's; the others are intake's."""
    return any(name == HEADER_PREFIX + "stage" and value == STAGE.encode() for name, value in headers)
