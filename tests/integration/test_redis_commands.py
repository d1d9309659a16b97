"""The commands about Redis as a user types them: verify finds what is wrong, rebuild puts it right, show says where."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import structlog
from kafka import KafkaConsumer

from agents.cli import run
from agents.embedded import EmbeddedKafka, EmbeddedValkey
from agents.errors import StalledError
from agents.kafka_clients import consumer
from agents.profiles.run import group_of, topic_of
from agents.runtime.names import changelog
from streams.customer.record import encode_state
from streams.customer.state import CustomerState
from tests.integration.processes import Meanwhile, eventually
from tests.integration.redis_state import ProjectionProcess, client_of, found_state, seconds_until_equal, wanted_state
from tests.profiles import AT, PARTITIONS, ProfileTopic

pytestmark = pytest.mark.kafka
CUSTOMERS = 120


@pytest.fixture(autouse=True)
def _log_is_put_back() -> Iterator[None]:
    """Commands send their log to the standard error of the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def shop(
    topic: ProfileTopic, embedded_valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[redis.Redis]:
    """A folder with settings, a topic of profiles, and Redis level with it."""
    (tmp_path / "tierstream.toml").write_text(
        f'[kafka]\nbootstrap = "{topic.bootstrap}"\napplication_id = "{topic.name}"\npartitions = {PARTITIONS}\n'
        f'topic_prefix = "{topic.name}."\n'
        f'[redis]\nhost = "127.0.0.1"\nport = {embedded_valkey.port}\nshards = 2\n'
    )
    monkeypatch.chdir(tmp_path)
    for number in range(CUSTOMERS):
        topic.publish(f"c{number}")
    topic.flush()
    client = client_of(embedded_valkey.port or 0)
    yield client
    client.close()


def _verified(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, int], list[dict[str, str]]]:
    """Exit code, counts and examples of `redis verify`."""
    capsys.readouterr()
    code = run(["redis", "verify", "--json", "--ids"])
    said = json.loads(capsys.readouterr().out)
    return code, said["differences"], said["examples"]


def test_verify_finds_every_kind_of_difference_and_rebuild_repairs_it(
    shop: redis.Redis, topic: ProfileTopic, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken on trust: fields, revisions, strangers, index entries and their scores."""
    monkeypatch.setattr("agents.profiles.verify.ROUND_PAUSE_S", 0.05)
    assert run(["redis", "verify"]) == 1
    assert f"{CUSTOMERS} customers compared, {CUSTOMERS} differ" in capsys.readouterr().out
    assert run(["redis", "rebuild"]) == 0
    assert "3 partitions written again" in capsys.readouterr().out
    assert found_state(shop) == wanted_state(topic)
    assert _verified(capsys) == (0, {}, [])

    spend = int(shop.hget("tierstream:c:{c5}", "spend_365d_minor") or 0)
    shop.delete("tierstream:c:{c1}")
    shop.hset("tierstream:c:{c2}", "revision", "0")
    shop.hset("tierstream:c:{c3}", "revision", "9")
    shop.hset("tierstream:c:{c4}", "tier", "emperor")
    shop.hset("tierstream:c:{stranger}", mapping={"revision": "1", "_as_of": "1", "_in": "tier:gold:0"})
    index = next(key for key in shop.scan_iter("tierstream:churn:*") if shop.zscore(key, "c5") == spend)
    shop.zadd(index, {"c5": 12_345, "stranger": 1})
    code, kinds, named = _verified(capsys)

    assert code == 1
    assert kinds == {
        "missing": 1,
        "older": 1,
        "newer": 1,
        "different": 1,
        "surplus": 1,
        "index_missing": 1,
        "index_surplus": 1,
    }
    assert {(entry["kind"], entry["customer_id"]) for entry in named} == {
        ("missing", "c1"),
        ("older", "c2"),
        ("newer", "c3"),
        ("different", "c4"),
        ("surplus", "stranger"),
        ("index_surplus", "stranger"),
        ("index_missing", "c5"),
    }
    assert run(["redis", "rebuild", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["partitions"] == PARTITIONS
    assert _verified(capsys) == (0, {}, [])
    assert found_state(shop) == wanted_state(topic)


def test_a_rebuild_beside_a_running_projection_leaves_no_gap(
    shop: redis.Redis, topic: ProfileTopic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readers find every customer all the time; the projection goes on afterwards."""
    projection = ProjectionProcess(topic.settings(shop.connection_pool.connection_kwargs["port"]), tmp_path)
    seconds_until_equal(topic, shop)
    holes: list[int] = []
    ended = threading.Event()

    def look() -> None:
        keys = [f"tierstream:c:{{c{number}}}" for number in range(CUSTOMERS)]
        with client_of(shop.connection_pool.connection_kwargs["port"]) as reader:
            while not ended.wait(0.005):
                if (found := reader.exists(*keys)) != CUSTOMERS:
                    holes.append(int(found))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        assert run(["redis", "rebuild"]) == 0
    finally:
        ended.set()
        looking.join()

    topic.publish("c1")
    topic.flush()
    seconds_until_equal(topic, shop)
    assert projection.stop() == 0
    assert holes == []


class Idle(Meanwhile):
    """A member of the projection's group that projects nothing."""

    def __init__(self, reader: KafkaConsumer) -> None:
        super().__init__(0.05)
        self._reader = reader

    def step(self) -> None:
        """Stay in it."""
        self._reader.poll(timeout_ms=100)


def test_a_rebuild_that_nobody_carries_out_ends_with_what_to_do(
    shop: redis.Redis, topic: ProfileTopic, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else sits in the group and holds partitions: that is told, not waited for without end."""
    settings = topic.settings(shop.connection_pool.connection_kwargs["port"])
    monkeypatch.setattr("agents.profiles.rebuild.STALLED_S", 2.0)
    with consumer(settings, group_id=group_of(settings)) as reader:
        reader.subscribe([topic_of(settings)])
        assert eventually(lambda: bool(reader.poll(timeout_ms=100)) or bool(reader.assignment()))
        with Idle(reader):
            assert run(["redis", "rebuild"]) == StalledError.exit_code

    said = " ".join(capsys.readouterr().err.split())
    assert "Whoever projects these partitions does not write them again." in said
    assert group_of(settings) in said


def test_a_topic_that_was_made_again_is_read_from_its_begin(
    shop: redis.Redis, topic: ProfileTopic, tmp_path: Path
) -> None:
    """What the old one said is gone from Redis, though its revisions were higher and the projection was away."""
    projection = ProjectionProcess(topic.settings(shop.connection_pool.connection_kwargs["port"]), tmp_path)
    seconds_until_equal(topic, shop)
    assert projection.stop() == 0
    topic.delete()
    topic.newest.clear()
    topic.create_again()
    for number in range(5):
        topic.publish(f"c{number}", 1, as_of=AT)
    topic.flush()

    again = ProjectionProcess(topic.settings(shop.connection_pool.connection_kwargs["port"]), tmp_path)

    seconds_until_equal(topic, shop)
    assert again.stop() == 0


def test_show_says_where_it_was_read_and_as_of_when(
    shop: redis.Redis, topic: ProfileTopic, kafka: EmbeddedKafka, capsys: pytest.CaptureFixture[str]
) -> None:
    """Redis when one is configured, the topic or the state on demand; the same figures everywhere."""
    topic.publish("anna", 7, tier=2, band=1)
    topic.flush()
    assert run(["redis", "rebuild"]) == 0
    topic.send_state("anna", encode_state(CustomerState(clock=AT, revision=7, first_seen_at=AT)))
    shown = {}
    for place, options in {"redis": [], "topic": ["--from-topic"], "state": ["--from-state"]}.items():
        capsys.readouterr()
        assert run(["customer", "show", "anna", *options]) == 0
        shown[place] = " ".join(capsys.readouterr().out.split())

    assert "read from Redis 127.0.0.1:" in shown["redis"]
    assert "level with Kafka at 20" in shown["redis"]
    assert f"topic {topic.topic}" in shown["topic"]
    assert f"topic {changelog(topic.name, 'customers')} at 20" in shown["state"]
    assert "revision 7" in shown["state"]
    without_place = [re.sub("read from .* 30d", "30d", shown[place]) for place in ("redis", "topic")]
    assert without_place[0] == without_place[1]
    assert "Gold (rank 3 of standing) since" in shown["redis"]

    assert run(["customer", "show", "anna", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["read_from"], said["profile"]["tier"]) == ("redis", "gold")
    assert run(["customer", "show", "anna", "--json", "--from-state"]) == 0
    assert json.loads(capsys.readouterr().out)["state"][2] == 7
    assert run(["customer", "show", "nobody"]) == 1
    assert run(["customer", "show", "anna", "--from-state", "--from-topic"]) == 2


def test_without_redis_the_commands_say_so(
    topic: ProfileTopic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not configured, and configured but absent, are two different things."""
    (tmp_path / "tierstream.toml").write_text(
        f'[kafka]\nbootstrap = "{topic.bootstrap}"\ntopic_prefix = "{topic.name}."\npartitions = {PARTITIONS}\n'
    )
    monkeypatch.chdir(tmp_path)
    for command in (["project", "redis"], ["redis", "verify"], ["redis", "rebuild"]):
        assert run(command) == 2, command
        assert "No Redis is configured" in capsys.readouterr().err
    monkeypatch.setenv("TIERSTREAM_REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("TIERSTREAM_REDIS_PORT", "1")
    for command in (["redis", "verify"], ["redis", "rebuild"], ["customer", "show", "c1"]):
        assert run(command) == 18, command
        assert "127.0.0.1:1" in capsys.readouterr().err
