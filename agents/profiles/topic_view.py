"""What the compacted topic says of every customer, kept short enough to hold all of them in memory."""

import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from kafka import TopicPartition

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.lookup import QUIET_S_MAX
from agents.profiles.layout import Layout, Place
from schemas.cloudevents import decode_output
from schemas.decisions import Profile

DIGEST_BYTES = 12

Progress = Callable[[int, int], None]
"""Called with how many of how many offsets were read."""


class Expected(NamedTuple):
    """What Redis should hold of a customer."""

    revision: int
    as_of_ms: int
    digest: bytes
    places: tuple[Place, ...]


class TopicView:
    """The newest profiles as of the last `read_on`. Needs a consumer without a group."""

    def __init__(self, reader: Any, topic: str, layout: Layout) -> None:  # noqa: ANN401 - kafka-python is untyped
        self.customers: dict[bytes, Expected] = {}
        self.unreadable: set[bytes] = set()
        """Customers whose newest record is no profile: Redis keeps what it had, whatever that was."""
        self._reader, self._layout = reader, layout
        numbers = reader.partitions_for_topic(topic)
        if not numbers:
            raise ConfigurationError("The topic does not exist.", where=topic, next_step="tierstream topics apply")
        self._places = [TopicPartition(topic, number) for number in sorted(numbers)]
        reader.assign(self._places)
        for place, begin in reader.beginning_offsets(self._places).items():
            reader.seek(place, begin)

    def read_on(self, progress: Progress = lambda _done, _total: None) -> None:
        """Read to the topic's present end."""
        ends: dict[TopicPartition, int] = self._reader.end_offsets(self._places)
        begins = {place: self._reader.position(place) for place in self._places}
        total, heard = sum(ends[place] - begins[place] for place in self._places), time.monotonic()
        while left := sum(max(0, ends[place] - self._reader.position(place)) for place in self._places):
            progress(total - left, total)
            polled = self._reader.poll(timeout_ms=500)
            for records in polled.values():
                self._take(records)
            if polled:
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                raise BrokerUnreachableError("The topic could not be read to its end.", where=self._places[0].topic)
        progress(total, total)

    def _take(self, records: Iterable[Any]) -> None:
        for record in records:
            if record.value is None:
                self.customers.pop(record.key, None)
                self.unreadable.discard(record.key)
                continue
            try:
                profile = decode_output(record.value).decision
                if not isinstance(profile, Profile) or profile.customer_id.encode() != record.key:
                    raise ValueError("not this customer's profile")  # noqa: TRY301 - as a text that is no instant
                entry = self._layout.entry(profile)
            except (msgspec.DecodeError, ValueError):
                self.customers.pop(record.key, None)
                self.unreadable.add(record.key)
                continue
            self.unreadable.discard(record.key)
            fields = ((name.encode(), value.encode()) for name, value in entry.fields.items())
            self.customers[record.key] = Expected(entry.revision, entry.as_of_ms, digest_of(fields), entry.places)


def digest_of(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A short name for what a hash says, without its bookkeeping."""
    said = sorted((name, value) for name, value in fields if not name.startswith(b"_"))
    return blake2b(msgspec.msgpack.encode(said), digest_size=DIGEST_BYTES).digest()
