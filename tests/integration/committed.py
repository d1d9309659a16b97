"""What topics hold for readers of committed records, once every commit that was answered shows.

A broker answers a commit before it has written that into every partition: who reads at once may still see the state
before, or one partition of a transaction and not the other.
"""

import time
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError

SHOWN_WITHIN_S = 30
ENDING = ("PrepareCommit", "PrepareAbort")


def records_of(
    bootstrap: str, topic: str, partitions: int, *, isolation: str = "read_committed"
) -> dict[int, list[Any]]:
    """All records of a topic up to now, by partition, each in its order."""
    await_commits(bootstrap)
    places = [TopicPartition(topic, number) for number in range(partitions)]
    reader = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        enable_auto_commit=False,
        max_partition_fetch_bytes=8_000_000,
        fetch_max_wait_ms=100,
    )
    try:
        reader.assign(places)
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
        for place in places:
            reader.seek(place, begins[place])
        found: dict[int, list[Any]] = {place.partition: [] for place in places}
        while any(reader.position(place) < ends[place] for place in places):
            for place, records in reader.poll(timeout_ms=500).items():
                found[place.partition] += [record for record in records if record.offset < ends[place]]
        return found
    finally:
        reader.close()


def await_commits(bootstrap: str) -> None:
    """Wait until every transaction shows whose end was answered before, and for none that is still open."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        deadline, ending = time.monotonic() + SHOWN_WITHIN_S, _ending(admin)
        while ending:
            assert time.monotonic() < deadline, f"answered, and not written within {SHOWN_WITHIN_S} s: {ending}"
            time.sleep(0.02)
            ending &= _ending(admin)  # a writer at work is in its next transaction by then, or between two
    finally:
        admin.close()


def _ending(admin: Any) -> set[str]:  # noqa: ANN401 - kafka-python is untyped
    """The transactions that have ended and are not written into all their partitions yet."""
    deadline = time.monotonic() + SHOWN_WITHIN_S
    while True:
        try:
            listed = admin.list_transactions(state_filters=ENDING)
        except (CoordinatorLoadInProgressError, CoordinatorNotAvailableError):  # it was just started
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            break
    return {each.transactional_id for of_broker in listed.values() for each in of_broker}
