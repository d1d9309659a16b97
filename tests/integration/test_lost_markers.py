"""Why the embedded broker waits 5 s for an answer, and not 30: a broker owes the answer to some requests for ever."""

from collections.abc import Iterator
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaTimeoutError, RequestTimedOutError
from kafka.protocol.producer.transaction import WriteTxnMarkersRequest

from agents.embedded import EmbeddedKafka

pytestmark = pytest.mark.kafka

NEVER_MS = 4_000
"""So long is waited for the answer that does not come."""
PATIENCE_MS = 60_000


@pytest.fixture
def admin(kafka: EmbeddedKafka, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client that gives up in time; the topic `there` exists, `missing` does not."""
    never = "never" in request.node.name
    client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap, request_timeout_ms=NEVER_MS if never else PATIENCE_MS)
    if "there" not in client.list_topics():
        client.create_topics([NewTopic("there", num_partitions=1, replication_factor=1)])
    yield client
    client.close()


def write_markers(admin: Any, *topics: str) -> Any:  # noqa: ANN401 - kafka-python is untyped
    """Send the end of one transaction for each topic, all in one request, as a coordinator does."""
    make = WriteTxnMarkersRequest.WritableTxnMarker
    markers = [
        make(
            producer_id=1_000_000 + number,
            producer_epoch=0,
            transaction_result=False,
            topics=[make.WritableTxnMarkerTopic(name=topic, partition_indexes=[0])],
            coordinator_epoch=0,
            transaction_version=0,
        )
        for number, topic in enumerate(topics)
    ]
    request = WriteTxnMarkersRequest(markers=markers)
    return admin._manager.run(admin._manager.send, request, 1)


def test_a_broker_answers_markers_that_it_can_or_cannot_write(admin: Any) -> None:  # noqa: ANN401
    """In this order, and alone."""
    for topics in (("there",), ("missing",), ("missing", "there")):
        assert len(write_markers(admin, *topics).markers) == len(topics)


def test_a_broker_never_answers_what_ends_with_a_marker_that_it_cannot_write(admin: Any) -> None:  # noqa: ANN401
    """If this fails, Kafka has been mended: `request.timeout.ms` of the embedded broker, and what the docs say, may go.

    A broker that starts after a kill has not opened all partitions when the coordinators send it their markers.
    """
    with pytest.raises((KafkaTimeoutError, RequestTimedOutError)):
        write_markers(admin, "there", "missing")
