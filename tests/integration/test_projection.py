"""The projection on real servers: Redis becomes what the topic says, also when the projection is killed."""

import logging
import random
import time
from pathlib import Path

import pytest
import redis

from agents.embedded import EmbeddedValkey
from agents.profiles.metrics import ProjectionMetrics
from agents.profiles.run import projecting
from tests.integration.profile_stream import Watch, streaming
from tests.integration.redis_state import ProjectionProcess, client_of, seconds_until_equal
from tests.profiles import ProfileTopic

pytestmark = pytest.mark.kafka


def test_redis_becomes_what_the_topic_says(
    topic: ProfileTopic, valkey: EmbeddedValkey, client: redis.Redis, tmp_path: Path
) -> None:
    """Profiles, moves between tiers and bands, erasures and the lives after them."""
    for number in range(200):
        topic.publish(f"c{number}")
    for number in range(0, 200, 2):
        topic.publish(f"c{number}")
    for number in range(0, 200, 5):
        topic.erase(f"c{number}")
    topic.flush()
    projection = ProjectionProcess(topic.settings(valkey.port or 0), tmp_path)
    seconds_until_equal(topic, client)

    topic.publish("c0", 1, as_of=1_800_000_000_000)  # erased above: a new life counts from 1
    topic.publish("c1", tier=None, band=None)
    topic.publish("{odd}:id*", 7)
    topic.erase("c2")
    topic.publish("customer-anna")
    topic.flush()
    seconds_until_equal(topic, client)
    topic.send_raw("customer-anna", b"no profile")
    topic.flush()

    seconds_until_equal(topic, client)
    assert projection.stop() == 0
    assert "a record is no profile" in projection.said
    assert not any(name in projection.said for name in ("anna", "odd"))


def test_a_killed_projection_goes_on_where_redis_stands(
    topic: ProfileTopic, embedded_valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    """SIGKILL at random moments of a stream: nothing is missing, nothing is older, nobody's erasure is undone."""
    client = client_of(embedded_valkey.port or 0)
    projection = ProjectionProcess(topic.settings(embedded_valkey.port or 0), tmp_path)
    dice = random.Random(7)
    topic.publish("first")
    topic.flush()
    seconds_until_equal(topic, client)
    with Watch(embedded_valkey.port or 0) as watch, streaming(topic):
        for _ in range(3):
            time.sleep(0.5 + dice.random())
            projection.kill_and_start()

    seconds_until_equal(topic, client)
    assert projection.stop() == 0
    assert watch.falls == []
    assert watch.looks > 10


def test_the_first_assignment_has_the_partitions_in_it(
    topic: ProfileTopic, valkey: EmbeddedValkey, caplog: pytest.LogCaptureFixture
) -> None:
    """A leader that does not know the topic yet assigns nothing; the second join that this costs was seen to hang."""
    caplog.set_level(logging.WARNING, "kafka.coordinator")
    metrics = ProjectionMetrics()
    with projecting(topic.settings(valkey.port or 0), metrics) as step:
        deadline = time.monotonic() + 60
        while not metrics.level and time.monotonic() < deadline:
            step()
    assert metrics.level
    assert [record.getMessage() for record in caplog.records if "No partition metadata" in record.getMessage()] == []
