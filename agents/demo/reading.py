"""Reads whole topics with kafka-python, a client that shares no code with the workers' (aiokafka under Faust)."""

from collections.abc import Container, Iterator
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

from agents.errors import BrokerUnreachableError

_POLL_RECORDS = 20_000
_FETCH_BYTES = 8_000_000
_QUIET_S_MAX = 30.0


class Held(NamedTuple):
    """A committed record as the topic holds it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def consumer(bootstrap: str) -> KafkaConsumer:
    """A consumer of committed records outside of any group."""
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        check_crcs=False,
        fetch_max_bytes=_FETCH_BYTES * 4,
        max_partition_fetch_bytes=_FETCH_BYTES,
        max_poll_records=_POLL_RECORDS,
    )


def partitions_of(reader: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic in order; none if it does not exist."""
    return [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]


def read_all(bootstrap: str, topic: str, numbers: Container[int] | None = None) -> Iterator[Held]:
    """Every committed record that the topic holds now, in the order of each partition; the partitions interleave.

    With `numbers`, of these partitions only.
    """
    reader = consumer(bootstrap)
    try:
        partitions = [tp for tp in partitions_of(reader, topic) if numbers is None or tp.partition in numbers]
        reader.assign(partitions)
        ends = reader.end_offsets(partitions)
        for partition, begin in reader.beginning_offsets(partitions).items():
            reader.seek(partition, begin)
        left = {partition for partition in partitions if reader.position(partition) < ends[partition]}
        while left:
            found = reader.poll(timeout_ms=int(_QUIET_S_MAX * 1000))
            for records in found.values():
                for r in records:
                    yield Held(r.partition, r.offset, r.key, r.value, r.headers)
            done = {partition for partition in left if reader.position(partition) >= ends[partition]}
            if not found and not done:
                raise BrokerUnreachableError(
                    f"The topic {topic} could not be read to its end.",
                    where=bootstrap,
                    why=f"nothing came for {_QUIET_S_MAX:.0f} s",
                    next_step="look whether the broker still runs, then start the demo again",
                )
            left -= done
    finally:
        reader.close()
