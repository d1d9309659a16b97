"""Reading topics with kafka-python alone: committed records, from the first to the end, as plain entries."""

from typing import Final

from kafka import KafkaConsumer, TopicPartition

from tests.crash.evidence import Entry

FETCH_BYTES: Final = 16_000_000
IDLE_S_MAX: Final = 40.0
"""An end that is not reached in this time is held back by a transaction that nobody ends: a coordinator takes 20 s."""


class UnreadableTopicError(AssertionError):
    """The end of a topic was not reached."""


class Reader:
    """Reads whole topics from one broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def read(self, topic: str) -> list[Entry]:
        """All committed records of a topic in (partition, offset) order; none when the topic does not exist.

        Whatever was written until now is waited for: a commit is answered before a reader of committed records sees it.
        """
        ends = self._ends(topic)
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            check_crcs=False,  # computed in Python by this client; what we test is not the wire
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=FETCH_BYTES,
            max_poll_records=20_000,
            metrics_enabled=False,
        )
        try:
            return _read(consumer, ends)
        finally:
            consumer.close()

    def _ends(self, topic: str) -> dict[TopicPartition, int]:
        """The end of each partition, open transactions included."""
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap, metrics_enabled=False)
        try:
            numbers = sorted(consumer.partitions_for_topic(topic) or ())
            return dict(consumer.end_offsets([TopicPartition(topic, number) for number in numbers]))
        finally:
            consumer.close()


def _read(consumer: KafkaConsumer, ends: dict[TopicPartition, int]) -> list[Entry]:
    places = sorted(ends)
    consumer.assign(places)
    for place, start in consumer.beginning_offsets(places).items():
        consumer.seek(place, start)
    found: dict[TopicPartition, list[Entry]] = {place: [] for place in places}
    idle_polls = 0
    open_places = set(places)
    while open_places:
        batches = consumer.poll(timeout_ms=500)
        idle_polls = 0 if batches else idle_polls + 1
        for place, records in batches.items():
            found[place] += [
                Entry(r.key, r.value, r.headers, r.partition, r.offset, r.timestamp)
                for r in records
                if r.offset < ends[place]
            ]
        for place in [place for place in open_places if consumer.position(place) >= ends[place]]:
            open_places.discard(place)
            consumer.pause(place)
        if idle_polls * 0.5 > IDLE_S_MAX:
            raise UnreadableTopicError(f"{sorted(open_places)} stand at {[consumer.position(p) for p in open_places]}")
    return [entry for place in places for entry in found[place]]
