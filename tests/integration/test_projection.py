"""The projection on real servers: Redis ends level with the topic, whatever is killed, frozen, filled or flushed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from agents.embedded import EmbeddedKafka, EmbeddedValkey
from tests.integration.redis_state import ProjectionProcess, client_of, seconds_until_equal
from tests.profiles import ProfileTopic

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(kafka: EmbeddedKafka, request: pytest.FixtureRequest) -> Iterator[ProfileTopic]:
    name = request.node.name.removeprefix("test_").replace("[", "-").replace("]", "")[:40]
    made = ProfileTopic(kafka.bootstrap, name)
    yield made
    made.close()


def test_redis_becomes_what_the_topic_says(
    topic: ProfileTopic, valkey: EmbeddedValkey, client: redis.Redis, tmp_path: Path
) -> None:
    """Profiles, moves between tiers and bands, erasures and lives after them."""
    for number in range(200):
        topic.publish(f"c{number}")
    for number in range(0, 200, 2):
        topic.publish(f"c{number}")
    for number in range(0, 200, 5):
        topic.erase(f"c{number}")
    topic.flush()
    projection = ProjectionProcess(topic.settings(valkey.port or 0), tmp_path)

    print(seconds_until_equal(topic, client))

    topic.publish("c0", 1, as_of=1_800_000_000_000)  # erased above: a new life counts from 1
    topic.publish("c1", tier=None, band=None)
    topic.publish("{odd}:id*", 7)
    topic.erase("c2")
    topic.flush()
    print(seconds_until_equal(topic, client))
    assert projection.stop() == 0
    print(projection.said)
