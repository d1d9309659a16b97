"""Whatever happens to Redis under a stream of profiles: it is level with the topic soon after, and no revision fell."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from agents.embedded import EmbeddedKafka, EmbeddedValkey
from tests.integration.profile_stream import Watch, streaming
from tests.integration.redis_state import ProjectionProcess, client_of, seconds_until_equal
from tests.profiles import ProfileTopic

pytestmark = pytest.mark.kafka

LEVEL_WITHIN_S = 60
"""The promise, from the moment of Redis' return."""


class Ground:
    """One projection, its topic and its Redis, for all tests of this file: an outage may follow an outage."""

    def __init__(self, kafka: EmbeddedKafka, folder: Path) -> None:
        self.topic = ProfileTopic(kafka.bootstrap, "outages")
        self.server = EmbeddedValkey(folder / "redis")
        self.server.start()
        self.client = client_of(self.server.port or 0)
        self.projection = ProjectionProcess(self.topic.settings(self.server.port or 0, timeout_s=1), folder)

    def close(self) -> None:
        """End everything; the projection must end in order."""
        code = self.projection.stop()
        self.server.stop()
        self.client.close()
        self.topic.close()
        assert code == 0


@pytest.fixture(scope="module")
def ground(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(kafka, tmp_path_factory.mktemp("outages"))
    yield made
    made.close()


def _freeze(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    server.signal(signal.SIGSTOP)
    return lambda: server.signal(signal.SIGCONT)


def _kill(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    server.kill()
    return server.start


def _flush(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    client.flushall()
    return lambda: None


def _unload(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    client.function_flush()
    return lambda: None


def _fill(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    return lambda: client.config_set("maxmemory", 0)


def _demote(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    client.replicaof("127.0.0.1", 1)  # nobody there: a replica that keeps what it has and refuses writes
    return lambda: client.replicaof("NO", "ONE")


def _slow(server: EmbeddedValkey, client: redis.Redis) -> Callable[[], object]:
    client.client_pause(1_600)
    return lambda: None


OUTAGES = {
    "frozen": (_freeze, 2.0, '"reason": "slow"'),
    "killed": (_kill, 1.5, '"reason": "absent"'),
    "flushed": (_flush, 0.5, "the marker is gone"),
    "full": (_fill, 1.0, '"reason": "full"'),
    "replica": (_demote, 1.0, '"reason": "readonly"'),
    "without functions": (_unload, 0.5, '"reason": "unavailable"'),
    "slow": (_slow, 2.0, '"reason": "slow"'),
}
"""What is done to Redis, for how many seconds, and by what word the projection notices it."""


@pytest.mark.parametrize("outage", OUTAGES)
def test_redis_is_level_again_after(outage: str, ground: Ground) -> None:
    """An outage of some seconds under a stream: level within a minute of its end, nothing older over anything newer."""
    begin, away_s, notice = OUTAGES[outage]
    ground.topic.publish("first")
    ground.topic.flush()
    seconds_until_equal(ground.topic, ground.client)
    heard = len(ground.projection.said)
    with Watch(ground.server.port or 0) as watch:
        with streaming(ground.topic):
            time.sleep(0.5)
            end = begin(ground.server, ground.client)
            time.sleep(away_s)
            end()
            returned = time.monotonic()
            time.sleep(0.5)
        seconds_until_equal(ground.topic, ground.client, LEVEL_WITHIN_S)
        took_s = time.monotonic() - returned

    assert took_s < LEVEL_WITHIN_S
    assert watch.falls == []
    assert notice in ground.projection.said[heard:]
