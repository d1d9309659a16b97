"""How far intake has taken a file already: told from its changelog, so that the report of a second feed can say so.

What was taken need not be sent again. What is still on its way is sent again, and intake recognises it.
"""

import time
from collections.abc import Mapping

from kafka import TopicPartition

from agents.errors import BrokerUnreachableError
from agents.intake import FEED_PREFIX, STAGE
from agents.kafka_clients import consumer
from agents.lookup import FETCH_BYTES, QUIET_S_MAX
from agents.runtime.names import changelog
from agents.settings import Settings

Taken = Mapping[tuple[str, int], int]
"""Raw topic, by its name on the cluster, and partition, to the highest place of the file that was taken."""


def taken_places(settings: Settings, feed_id: str) -> Taken:
    """The places of one feed; none when no worker has run yet. Takes as long as reading intake's changelog."""
    name, wanted = changelog(settings.kafka.application_id, STAGE), b":" + feed_id.encode()
    places: dict[tuple[str, int], int] = {}
    with consumer(
        settings, fetch_max_bytes=FETCH_BYTES, max_partition_fetch_bytes=FETCH_BYTES, max_poll_records=20_000
    ) as reader:
        partitions = [TopicPartition(name, number) for number in reader.partitions_for_topic(name) or ()]
        reader.assign(partitions)
        ends, starts = reader.end_offsets(partitions), reader.beginning_offsets(partitions)
        for partition in partitions:
            reader.seek(partition, starts[partition])
        heard = time.monotonic()
        while any(reader.position(partition) < ends[partition] for partition in partitions):
            found = reader.poll(timeout_ms=1_000)
            for partition, records in found.items():
                for record in records:
                    if record.key.startswith(FEED_PREFIX) and record.key.endswith(wanted):
                        topic = record.key[len(FEED_PREFIX) : -len(wanted)].decode()
                        places[topic, partition.partition] = int(record.value) if record.value is not None else -1
            if found:
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                raise BrokerUnreachableError("Intake's changelog could not be read to its end.", where=name)
    return places
