"""Reads a partition to its end, and finds the newest value of one key in a compacted topic: no worker has to run."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import TopicPartition

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.kafka_clients import consumer
from agents.partitioning import home_of
from agents.settings import Settings

QUIET_S_MAX = 30
"""A broker that sends nothing for so long in the middle of a topic has gone."""
FETCH_BYTES = 8_000_000
BULK: Mapping[str, Any] = {
    "fetch_max_bytes": FETCH_BYTES,
    "max_partition_fetch_bytes": FETCH_BYTES,
    "max_poll_records": 20_000,
    "check_crcs": False,  # computed in Python by this client, and the broker has checked them
}
"""Options of a consumer that reads much."""


def newest_value(settings: Settings, topic: str, key: bytes, *, partition: int | None = None) -> bytes | None:
    """The newest committed value of a key; None when there is none. `topic` is its name on the cluster.

    Looks in the key's home partition unless another is given. Takes as long as reading that partition.
    """
    number = home_of(key, settings.kafka.partitions) if partition is None else partition
    place = TopicPartition(topic, number)
    value: bytes | None = None
    with consumer(settings, **BULK) as reader:
        if number not in (reader.partitions_for_topic(topic) or ()):
            raise ConfigurationError(
                "The topic does not exist.", where=f"{topic}[{number}]", next_step="tierstream topics plan"
            )
        for record in whole(reader, place):
            if record.key == key:
                value = record.value
    return value


def whole(reader: Any, place: TopicPartition) -> Iterator[Any]:  # noqa: ANN401 - kafka-python is untyped
    """Every record of a partition, from its begin to its end as it is now; `reader` is left at that end."""
    reader.assign([place])
    end = reader.end_offsets([place])[place]
    reader.seek(place, reader.beginning_offsets([place])[place])
    for records in polled(reader, place, end):
        yield from records


def polled(reader: Any, place: TopicPartition, end: int, *, whole: bool = False) -> Iterator[list[Any]]:  # noqa: ANN401 - kafka-python is untyped
    """The records of one assigned partition before `end`, as they come; `whole` also those that come with them."""
    heard = time.monotonic()
    while reader.position(place) < end:
        records = reader.poll(timeout_ms=1_000).get(place, [])
        if records:
            heard = time.monotonic()
            yield [record for record in records if whole or record.offset < end]
        elif time.monotonic() - heard > QUIET_S_MAX:
            raise BrokerUnreachableError(
                "The topic could not be read to its end.", where=f"{place.topic}[{place.partition}]"
            )
