"""The journal as Kafka holds it, one unit per partition."""

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from kafka import TopicPartition

from agents.control_records import JOURNAL
from agents.errors import ConfigurationError
from agents.kafka_clients import admin_client, consumer
from agents.lookup import BULK, polled
from agents.replay.entry import Entry
from agents.replay.journal_file import Home, Read
from agents.settings import Settings

SINGLE_FETCH_BYTES: Final = 65_536
"""What is fetched for one record; a batch that is larger comes whole."""


def number_of(unit: str) -> int:
    """The partition that a unit of a topic is."""
    return int(unit.partition("-")[0])


class JournalTopic(msgspec.Struct, frozen=True):
    """The topic of the settings. May be pickled."""

    settings: Settings
    only: int | None = None
    """One partition, or all."""

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.settings.topic(JOURNAL)

    def check(self) -> None:
        """Raise the reason when it is not there."""
        self._description()

    def units(self, _processes: int) -> list[str]:
        """Names of the parts that are folded apart: the partitions."""
        numbers = range(len(self._description()["partitions"]))
        if self.only is not None and self.only not in numbers:
            raise ConfigurationError(
                f"There is no partition {self.only}.", where=self.name, why=f"it has {len(numbers)}, from 0 on"
            )
        return [f"{number}-of-{len(numbers)}" for number in numbers if self.only in (None, number)]

    def identity(self, _unit: str) -> str:
        """The topic's id: a topic made again has another one."""
        return str(self._description()["topic_id"])

    def proof(self, _position: int) -> str:
        """The id says it all: a log only grows, or loses its begin."""
        return ""

    def homes(self, unit: str) -> list[Home | None]:
        """The one home that a partition is."""
        number, _, count = unit.split("-")
        return [(int(number), int(count))]

    def span(self, unit: str) -> tuple[int, int]:
        """The partition's first offset and its committed end."""
        place = self._place(unit)
        with consumer(self.settings) as reader:
            return reader.beginning_offsets([place])[place], reader.end_offsets([place])[place]

    def read(self, unit: str, position: int) -> Iterator[Read]:
        """The records of a partition from a position to its end as it is now."""
        place = self._place(unit)
        with consumer(self.settings, **BULK) as reader:
            reader.assign([place])
            end = reader.end_offsets([place])[place]
            reader.seek(place, position)
            for records in polled(reader, place, end):
                yield Read([entry_of(record) for record in records], reader.position(place))

    seekable = True

    def entries_at(self, unit: str, positions: list[int]) -> Iterator[Entry]:
        """The records at these offsets, ascending."""
        place, wanted = self._place(unit), deque(positions)
        if not wanted:
            return
        with consumer(
            self.settings, max_partition_fetch_bytes=SINGLE_FETCH_BYTES, fetch_max_wait_ms=10, check_crcs=False
        ) as reader:
            reader.assign([place])
            while wanted:
                reader.seek(place, wanted[0])
                for record in next(polled(reader, place, wanted[0] + 1, whole=True)):
                    while wanted and wanted[0] < record.offset:
                        wanted.popleft()  # there is no such record
                    if wanted and wanted[0] == record.offset:
                        wanted.popleft()
                        yield entry_of(record)

    def _place(self, unit: str) -> TopicPartition:
        return TopicPartition(self.name, number_of(unit))

    def _description(self) -> dict[str, Any]:
        with admin_client(self.settings) as admin:
            found: dict[str, Any] = admin.describe_topics([self.name])[0]
        if not found["partitions"]:
            raise ConfigurationError(
                "The journal does not exist.", where=self.name, next_step="tierstream topics apply"
            )
        return found


def entry_of(record: Any) -> Entry:  # noqa: ANN401 - likewise
    """A journal record of kafka-python's."""
    if record.key is None or record.value is None:
        raise ConfigurationError(
            "The journal holds a record without key or value: something else writes to it.",
            where=f"{record.topic}[{record.partition}] at offset {record.offset}",
        )
    return Entry(record.key, record.value, record.partition, record.offset, record.timestamp)
