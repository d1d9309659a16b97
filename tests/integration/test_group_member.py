"""A consumer of a group goes on being one, whatever comes between its polls."""

import time
from typing import Any

import pytest
from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.admin import NewTopic

from agents.embedded import EmbeddedKafka
from agents.kafka_clients import admin_client, consumer
from agents.settings import KafkaSettings, Settings

pytestmark = pytest.mark.kafka
TOPIC = "group-member"


class _Heard(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """What the group gave and took."""

    def __init__(self) -> None:
        self.held: set[TopicPartition] = set()

    def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401
        self.held |= set(assigned)

    def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ANN401
        self.held -= set(revoked)


def test_a_join_that_outlasts_a_poll_is_not_forgotten(kafka: EmbeddedKafka) -> None:
    """New metadata has the leader join again; the answer comes when no poll waits for it."""
    settings = Settings(kafka=KafkaSettings(bootstrap=kafka.bootstrap))
    with admin_client(settings) as admin:
        admin.create_topics([NewTopic(TOPIC, num_partitions=2, replication_factor=1)])
    with consumer(settings, group_id="group-member", session_timeout_ms=6_000) as member:
        heard = _Heard()
        member.subscribe([TOPIC], listener=heard)
        _poll_until(member, lambda: len(heard.held) == 2, 200)
        member._coordinator._assignment_snapshot = {}  # as if the partitions had been others when they were given out

        member.poll(timeout_ms=1)
        time.sleep(1)

        _poll_until(member, lambda: len(heard.held) == 2, 50)
        member.poll(timeout_ms=0)
        assert not member._coordinator.rejoining
        assert heard.held == member.assignment()


def _poll_until(member: Any, condition: Any, timeout_ms: int) -> None:  # noqa: ANN401
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the group gave nothing"
        member.poll(timeout_ms=timeout_ms)
