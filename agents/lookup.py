"""The newest value of one key in a compacted topic, read from Kafka itself: no worker has to run."""

import time

from kafka import TopicPartition
from kafka.partitioner.default import murmur2

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.kafka_clients import consumer
from agents.settings import Settings

QUIET_S_MAX = 30
"""A broker that sends nothing for so long in the middle of a topic has gone."""
FETCH_BYTES = 8_000_000


def home_of(key: bytes, partitions: int) -> int:
    """The partition of a customer: Java's default partitioner over the id."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def newest_value(settings: Settings, topic: str, key: bytes, *, partition: int | None = None) -> bytes | None:
    """The newest committed value of a key; None when there is none. `topic` is its name on the cluster.

    Looks in the key's home partition unless another is given. Takes as long as reading that partition.
    """
    number = home_of(key, settings.kafka.partitions) if partition is None else partition
    place = TopicPartition(topic, number)
    value: bytes | None = None
    with consumer(
        settings, fetch_max_bytes=FETCH_BYTES, max_partition_fetch_bytes=FETCH_BYTES, max_poll_records=20_000
    ) as reader:
        if number not in (reader.partitions_for_topic(topic) or ()):
            raise ConfigurationError(
                "The topic does not exist.", where=f"{topic}[{number}]", next_step="tierstream topics plan"
            )
        reader.assign([place])
        end = reader.end_offsets([place])[place]
        reader.seek(place, reader.beginning_offsets([place])[place])
        heard = time.monotonic()
        while reader.position(place) < end:
            records = reader.poll(timeout_ms=1_000).get(place, [])
            for record in records:
                if record.key == key:
                    value = record.value
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                raise BrokerUnreachableError("The topic could not be read to its end.", where=f"{topic}[{number}]")
    return value
