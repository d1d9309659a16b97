"""The doctor on a real cluster: a healthy one, a broken one, and producers of all kinds."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from agents.cli import run
from agents.doctor.findings import Level
from agents.embedded import EmbeddedKafka
from agents.kafka_clients import admin_client, producer
from agents.partitioning import home_of
from agents.policy_activation import activate_first
from agents.policy_files import configured_policy
from agents.settings import KafkaSettings, PolicySettings, Settings
from agents.topics import create_and_align, found_topics
from schemas.clock import MS_PER_DAY, format_instant
from schemas.rejections import RefusalReason, Rejected, dead_letter_headers

pytestmark = pytest.mark.kafka
PARTITIONS = 4


@contextmanager
def _deployment(kafka: EmbeddedKafka, name: str) -> Iterator[Settings]:
    """A shop's topics, as they should be; removed afterwards."""
    chosen = Settings(
        kafka=KafkaSettings(
            bootstrap=kafka.bootstrap, application_id=f"{name}-app", topic_prefix=f"{name}.", partitions=PARTITIONS
        ),
        policy=PolicySettings(currency="USD", time_zone="UTC"),
    )
    with admin_client(chosen) as admin:
        create_and_align(admin, chosen)
    yield chosen
    with admin_client(chosen) as admin:
        admin.delete_topics([topic for topic in admin.list_topics() if topic.startswith(name)])


@pytest.fixture(scope="module")
def healthy(kafka: EmbeddedKafka) -> Iterator[Settings]:
    """Nothing is wrong with it but what producers send."""
    with _deployment(kafka, "healthy") as settings:
        activate_first(settings, configured_policy(settings))
        _send_keys(settings, "engagement", lambda key: home_of(key, PARTITIONS))
        _plant(settings)
        yield settings


@pytest.fixture
def here(healthy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Its settings file lies in the working folder."""
    _settle_in(healthy, tmp_path, monkeypatch)
    return healthy


def _settle_in(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = settings.kafka
    (folder / "tierstream.toml").write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "{kafka.application_id}"\n'
        f'topic_prefix = "{kafka.topic_prefix}"\npartitions = {PARTITIONS}\n'
        '[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n'
    )
    monkeypatch.chdir(folder)


def _examined(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit code, and the findings by check."""
    capsys.readouterr()
    code = run(["doctor", "--json"])
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(capsys.readouterr().out)["findings"]:
        found.setdefault(finding["check"], []).append(finding)
    return code, found


def _send_keys(settings: Settings, topic: str, place: Any) -> None:  # noqa: ANN401 - a partitioner
    writer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap)
    for number in range(60):
        key = f"customer-{number}".encode()
        writer.send(settings.topic(topic), b"{}", key=key, partition=place(key))
    writer.flush()
    writer.close()


def test_a_healthy_cluster_has_no_errors(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The broker answers, the topics are right, the producers agree; what is left are hints."""
    code, found = _examined(capsys)

    assert code == 0, found
    for check in ("broker", "broker-version", "request-timeout", "topic-missing", "partitioner", "policy", "python"):
        assert [finding["level"] for finding in found[check]] == ["ok"] * len(found[check]), found[check]
    assert "warning" not in {finding["level"] for findings in found.values() for finding in findings}
    assert found["model"][0]["level"] == Level.HINT
    assert found["clock-skew"][0]["level"] == Level.HINT  # no worker runs


def test_a_clock_is_compared_with_a_workers_progress(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """As a worker does, something is appended every so often while the doctor listens."""
    ended = threading.Event()

    def tell() -> None:
        with producer(here) as writer:
            while not ended.wait(0.2):
                writer.send(here.topic("intake-progress"), b"{}", key=b"p", partition=1)
                writer.flush()

    telling = threading.Thread(target=tell)
    telling.start()
    try:
        _, found = _examined(capsys)
    finally:
        ended.set()
        telling.join()

    assert [(finding["level"]) for finding in found["clock-skew"]] == ["ok"]


def test_a_broken_cluster_is_told_thing_by_thing(
    kafka: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong timestamp type, a short journal, another partition count, a missing topic, a foreign partitioner."""
    with _deployment(kafka, "broken") as settings:
        _settle_in(settings, tmp_path, monkeypatch)
        _break(settings)
        code, found = _examined(capsys)
        run(["doctor"])
        shown = capsys.readouterr().out
    name = settings.topic

    def told(check: str, level: str) -> list[str]:
        return [finding["where"] for finding in found.get(check, []) if finding["level"] == level]

    assert code == 1
    assert told("topic-missing", "error") == [name("churn-risk")]
    assert told("topic-partitions", "error") == [name("support")]
    assert name("purchases") in told("timestamp-type", "error")
    assert told("cleanup-policy", "error") == [name("customer-profiles")]
    assert name("customer-events") in told("journal-retention", "error")[0]
    assert name("browsing") in told("partitioner", "hint")[0]
    assert f"          where: {name('churn-risk')}" in shown
    assert "          next:  tierstream topics apply" in shown
    assert "          see:   tierstream docs reference/doctor#topic-missing" in shown


def _break(settings: Settings) -> None:
    name = settings.topic
    with admin_client(settings) as admin:
        admin.delete_topics([name("support"), name("churn-risk")])
        while found_topics(admin, [name("support"), name("churn-risk")]):
            time.sleep(0.1)
        admin.create_topics([NewTopic(name("support"), PARTITIONS + 2, 1)])
        admin.wait_for_topics([name("support")])
        changes = {
            name("purchases"): {"message.timestamp.type": "CreateTime"},
            name("customer-events"): {"retention.ms": str(394 * MS_PER_DAY)},
            name("customer-profiles"): {"cleanup.policy": "delete"},
        }
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, c) for topic, c in changes.items()])
        while not _known(admin, changes):
            time.sleep(0.1)
    _send_keys(settings, "browsing", lambda key: sum(key) % PARTITIONS)


def _known(admin: Any, changes: dict[str, dict[str, str]]) -> bool:  # noqa: ANN401 - kafka-python is untyped
    """Whether the broker knows of the changes: it hears of them a little later."""
    found = found_topics(admin, list(changes))
    return all(found[topic].config[key] == value for topic, wanted in changes.items() for key, value in wanted.items())


def test_no_broker_ends_in_words(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERSTREAM_KAFKA_BOOTSTRAP", "127.0.0.1:1")

    code, found = _examined(capsys)

    assert code == 1
    assert found["broker"][0]["level"] == "error"
    assert found["broker"][0]["remedy"].endswith("tierstream broker start")


def test_wrong_settings_are_a_finding(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERSTREAM_KAFKA_PARTITIONS", "none")

    code, found = _examined(capsys)

    assert code == 1
    assert set(found) == {"settings"}
    assert "TIERSTREAM_KAFKA_PARTITIONS" in found["settings"][0]["why"]


def _order(number: int, age_s: float, **other: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(
        {
            "type": "order.completed",
            "id": f"e{number}",
            "time": format_instant(int((time.time() - age_s) * 1000)),
            "customer_id": f"c{number}",
            "order_id": f"o{number}",
            "currency": "USD",
            "total_minor": 100,
            **other,
        }
    ).encode()


def _plant(settings: Settings) -> None:
    """40 punctual orders, 10 an hour late, 5 repeats, 4 from a clock ahead, 3 refused; two dead letters."""
    orders = [_order(number, 1, channel="web") for number in range(40)]
    orders += [_order(number, 3600) for number in range(40, 50)]
    orders += orders[:5]
    orders += [_order(number, -60) for number in range(50, 54)]
    orders += [b"no json", b"no json either", _order(60, 1, total_minor=-1)]
    with producer(settings) as writer:
        for order in orders:
            writer.send(settings.topic("purchases"), order)
        for reason in (RefusalReason.LATE, RefusalReason.CONFLICT):
            headers = dead_letter_headers(
                Rejected(reason, "intake", "planted"),
                topic="t",
                partition=0,
                offset=1,
                timestamp=2,
                attempts=1,
                app_version="1",
            )
            writer.send(settings.topic("dead-letters"), b"x", headers=headers)
        writer.flush()


def test_what_producers_send_is_measured(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    assert run(["doctor", "data", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    [orders] = report["types"]
    assert (orders["topic"], orders["type"]) == (here.topic("purchases"), "order.completed")
    assert (orders["records"], orders["repeated"]) == (59, 5)
    assert 0.5 < orders["lateness_p50_s"] < 60
    assert 3599 < orders["lateness_p99_s"] < 3700
    assert orders["ahead_share"] == pytest.approx(4 / 59)
    assert orders["missing_shares"]["channel"] == pytest.approx(14 / 59)
    assert orders["last_arrival_age_s"] < 300
    assert report["refused"][here.topic("purchases")] == {"not_json": 2, "bad_amount": 1}
    assert report["dead_letters"] == {"late": 1, "conflict": 1}
    assert here.topic("browsing") in report["silent"]
    assert report["complete"] is True


def test_a_sample_and_an_instant_bound_the_look(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest records count; nobody's group remembers the look."""
    capsys.readouterr()

    assert run(["doctor", "data", "--json", "--sample", "8"]) == 0
    few = json.loads(capsys.readouterr().out)
    assert run(["doctor", "data", "--json", "--since", "2100-01-01T00:00:00Z"]) == 0
    none = json.loads(capsys.readouterr().out)
    assert run(["doctor", "data"]) == 0
    shown = capsys.readouterr().out
    assert run(["doctor", "data", "--since", "yesterday"]) == 2

    seen = sum(one["records"] for one in few["types"]) + sum(few["refused"].get(here.topic("purchases"), {}).values())
    assert 0 < seen <= 8
    assert (none["types"], none["refused"], none["dead_letters"]) == ([], {}, {})
    assert "2 not_json" in shown
    assert "nothing in: " in shown
