"""Reads dead letters and what has become of each.

A letter is settled by an entry in the audit, `dlq.redriven` or `dlq.dropped`, that names its partition and offset. The
audit keeps them three times as long as the letters live, and an entry is written in one transaction with what it tells
of; a compacted topic of marks would tell the same a second time. An entry settles only letters that are older than
itself, so that a topic that was made anew is not settled by its predecessor's entries.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from kafka import TopicPartition

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.kafka_clients import consumer
from agents.settings import Settings
from schemas.dead_letters import DeadLetter, letter_of

DEAD_LETTERS: Final = "dead-letters"
AUDIT: Final = "audit"
REDRIVEN: Final = "dlq.redriven"
DROPPED: Final = "dlq.dropped"
QUIET_S_MAX: Final = 30
FETCH_BYTES: Final = 4_000_000
_MARK: Final = b'"dlq.'

Status = Literal["open", "parked", "redriven", "dropped"]
Progress = Callable[[int, int], None]
"""Called with how many offsets were read, of how many."""

_STATUS_OF: Final[Mapping[str, Status]] = {REDRIVEN: "redriven", DROPPED: "dropped"}


class Mark(msgspec.Struct, kw_only=True):
    """An audit entry that settles letters."""

    type: str
    partition: int
    offsets: list[tuple[int, int]]
    """First and last of each run of letters."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are meant. What is left empty does not narrow the choice."""

    places: frozenset[str] = frozenset()
    """`[dead-letters-]PARTITION-OFFSET`, or `TOPIC-PARTITION-OFFSET` of the original."""
    reasons: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    """Full names of the originals' topics."""
    since: int | None = None
    until: int | None = None
    """Letters that arrived from `since` on and before `until`, epoch ms."""
    ranges: tuple[tuple[int, int, int], ...] = ()
    """Partition, first and last offset in the topic of dead letters."""

    def holds(self, letter: DeadLetter) -> bool:
        """Whether a letter is meant."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or letter.topic in self.topics)
            and (self.since is None or letter.arrived_at >= self.since)
            and (self.until is None or letter.arrived_at < self.until)
            and (not self.places or not self.places.isdisjoint(names_of(letter)))
            and (not self.ranges or any(p == letter.partition and a <= letter.offset <= b for p, a, b in self.ranges))
        )


def names_of(letter: DeadLetter) -> tuple[str, str, str]:
    """By what a command may name a letter."""
    return letter.place, f"{DEAD_LETTERS}-{letter.place}", f"{letter.topic}-{letter.partition}-{letter.source_offset}"


class Settled:
    """What became of letters, by partition and offset."""

    def __init__(self) -> None:
        self._marks: dict[int, dict[int, tuple[int, Status]]] = {}

    def take(self, mark: Mark, at: int) -> None:
        """An entry that was written at an instant; a later one holds."""
        status = _STATUS_OF.get(mark.type)
        if status is not None:
            marks = self._marks.setdefault(mark.partition, {})
            for first, last in mark.offsets:
                marks.update(dict.fromkeys(range(first, last + 1), (at, status)))

    def status(self, letter: DeadLetter) -> Status:
        """What became of a letter."""
        at, status = self._marks.get(letter.partition, {}).get(letter.offset, (-1, "open"))
        if at >= letter.arrived_at:
            return status
        return "parked" if letter.parked else "open"


def settled(settings: Settings) -> Settled:
    """Everything that has been settled so far."""
    found = Settled()
    for record in _read(settings, AUDIT):
        if record.value is not None and _MARK in record.value:
            try:
                mark = msgspec.json.decode(record.value, type=Mark)
            except msgspec.DecodeError:  # another entry that quotes the word
                continue
            found.take(mark, record.timestamp)
    return found


def letters(settings: Settings, selection: Selection, progress: Progress | None = None) -> Iterator[DeadLetter]:
    """The letters that are there now and are meant; those of one partition in their order."""
    for record in _read(settings, DEAD_LETTERS, since=selection.since, progress=progress):
        letter = letter_of(
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            key=record.key,
            value=record.value,
            headers=record.headers,
        )
        if letter is not None and selection.holds(letter):
            yield letter


def _read(
    settings: Settings, name: str, *, since: int | None = None, progress: Progress | None = None
) -> Iterator[Any]:
    """Every committed record of a topic (catalogue name) up to its end as it is now."""
    topic = settings.topic(name)
    with consumer(settings, fetch_max_bytes=FETCH_BYTES, max_partition_fetch_bytes=FETCH_BYTES) as reader:
        places = [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]
        if not places:
            raise ConfigurationError("The topic does not exist.", where=topic, next_step="tierstream topics apply")
        reader.assign(places)
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
        if since is not None:
            for place, found in reader.offsets_for_times(dict.fromkeys(places, since)).items():
                begins[place] = ends[place] if found is None else found.offset
        for place in places:
            reader.seek(place, begins[place])
        total, heard = sum(ends[p] - begins[p] for p in places), time.monotonic()
        while waiting := [place for place in places if reader.position(place) < ends[place]]:
            reader.pause(*(set(places) - set(waiting)))
            polled = reader.poll(timeout_ms=1_000)
            for place, records in polled.items():
                yield from (record for record in records if record.offset < ends[place])
            if progress is not None:
                progress(total - sum(max(0, ends[p] - reader.position(p)) for p in places), total)
            if polled:
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                raise BrokerUnreachableError("The topic could not be read to its end.", where=topic)
