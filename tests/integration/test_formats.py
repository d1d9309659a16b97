"""Topics and files in other formats on a real broker with a real worker: bound, translated, refused, and fed twice."""

import base64
import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import NewTopic

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.kafka_clients import admin_client
from agents.settings import Settings
from agents.settings_reader import load_settings
from schemas.clock import format_instant
from tests.contracts.format_corpus import EXAMPLES
from tests.integration.committed import records_of
from tests.integration.toy import wait_until
from tests.prepared import Prepared, command

pytestmark = pytest.mark.kafka
PARTITIONS = 2
WITHIN_S = 60
CDC = "formats-shop-orders"


@pytest.fixture(scope="module")
def config(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings that bind a table's changes, and Segment's calls on our raw topic for visits; a worker runs by them."""
    folder = tmp_path_factory.mktemp("formats")
    shutil.copy(EXAMPLES / "debezium" / "orders.toml", folder)
    path = folder / "tierstream.toml"
    path.write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "formats"\ntopic_prefix = "formats."\n'
        f'partitions = {PARTITIONS}\n[policy]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\n'
        f'[[intake.source]]\ntopic = "{CDC}"\nformat = "debezium"\nmap = "orders.toml"\n'
        '[[intake.source]]\ntopic = "browsing"\nformat = "segment"\n'
    )
    settings = load_settings(path, {})
    with admin_client(settings) as admin:
        admin.create_topics([NewTopic(CDC, PARTITIONS, 1)])
        admin.wait_for_topics([CDC])
    assert run(["topics", "apply", "--config", str(path)]) == 0
    process = Prepared(command, ["worker", "--config", str(path)], folder / "worker.log")
    yield path
    process.send_signal(signal.SIGTERM)
    assert process.wait(WITHIN_S) == 0, (folder / "worker.log").read_text()


@pytest.fixture
def shop(config: Path) -> Settings:
    return load_settings(config, {})


def _bytes_of(minor: int) -> str:
    return base64.b64encode(minor.to_bytes(4, "big", signed=True)).decode()


def _change(number: int, lsn: int, *, total: int, refunded: int = 0, **row: Any) -> bytes:  # noqa: ANN401 - any JSON
    after = {
        "id": number,
        "customer_id": "anna",
        "state": "PAID",
        "currency": "CNY",
        "total": _bytes_of(total),
        "refunded": _bytes_of(refunded),
        "updated_at": time.time_ns() // 1000,
    } | row
    payload = {"before": None, "after": after, "op": "u", "ts_ms": 1, "source": {"lsn": lsn, "table": "orders"}}
    return json.dumps({"schema": {"type": "struct"}, "payload": payload}).encode()


def _records(settings: Settings, topic: str) -> list[Any]:
    """All committed records of a topic of ours."""
    found = records_of(settings.kafka.bootstrap, settings.topic(topic), PARTITIONS)
    return [record for number in sorted(found) for record in found[number]]


def _await_events(settings: Settings, source: str, count: int) -> list[dict[str, Any]]:
    """The journal's events of a source once there are so many."""
    deadline = time.monotonic() + WITHIN_S
    events: list[dict[str, Any]] = []
    while len(events) < count and time.monotonic() < deadline:
        values = [json.loads(record.value) for record in _records(settings, "customer-events")]
        events = [value for value in values if value.get("source") == source]
        time.sleep(0.3)
    return events


def test_bound_topics_are_read_in_their_formats(
    config: Path, shop: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """An order's changes, a refund within them, a tombstone, a hostile record, calls with a meaning and without."""
    now = format_instant(time.time_ns() // 1_000_000)
    page = {"type": "page", "messageId": "m1", "userId": "anna", "timestamp": now, "properties": {"path": "/"}}
    producer = KafkaProducer(bootstrap_servers=shop.kafka.bootstrap)
    for value in (
        _change(1, 10, total=50_000),
        _change(2, 20, total=30_000),
        _change(1, 30, total=50_000, refunded=20_000),
        None,
        b"\xff not a change",
    ):
        producer.send(CDC, value, key=b'{"id":1}', partition=0)
    for call in (page, {**page, "type": "track", "event": "Footer Hovered", "messageId": "m2"}):
        producer.send(shop.topic("browsing"), json.dumps(call).encode(), partition=1)
    producer.flush()
    producer.close()

    orders, visits = _await_events(shop, "shopdb", 3), _await_events(shop, "segment", 1)

    assert [event["type"] for event in orders] == ["order.state"] * 3
    assert [event["action"] for event in visits] == ["page_view"]
    wait_until(
        lambda: bool(_records(shop, "dead-letters")), WITHIN_S
    )  # it lies behind the others, maybe in a later commit
    [letter] = _records(shop, "dead-letters")
    assert letter.value == b"\xff not a change"
    assert dict(letter.headers)["tierstream-dlq-topic"] == CDC.encode()
    assert _spend(config, "anna", capsys, 60_000) == 60_000


def test_a_table_that_is_fed_twice_changes_nothing(
    config: Path, shop: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The report says by line what was sent, what repeats a line or an earlier feed, and what was refused."""
    today = time.strftime("%Y-%m-%d 00:00:00", time.gmtime())
    text = (EXAMPLES / "csv" / "till.csv").read_bytes().decode("gbk", "ignore")
    lines = [";".join([*line.split(";")[:4], today, *line.split(";")[5:]]) for line in text.splitlines()[1:4]]
    rows = [text.splitlines()[0], *lines, "销售;r-9;;;x;1,00", lines[0]]
    file = tmp_path / "till.csv"
    file.write_bytes("\n".join(rows).encode("gbk"))
    arguments = ["feed", str(file), "--map", str(EXAMPLES / "csv" / "till.toml"), "--config", str(config), "--json"]

    reports = []
    for _ in range(2):
        capsys.readouterr()
        assert run(arguments) == 1
        reports.append(json.loads(capsys.readouterr().out))
        assert _spend(config, "13800", capsys, 99_900) == 99_900

    first, second = reports
    assert (first["sent"], second["sent"]) == (3, 0)
    assert [(line["line"], line["cause"]) for line in first["passed"]] == [(6, "duplicate")]
    assert [(line["line"], line["cause"]) for line in second["passed"]] == [(n, "duplicate") for n in (2, 3, 4, 6)]
    for report in reports:
        assert [(line["line"], line["reason"]) for line in report["refused"]] == [(5, "bad_time")]
    assert len(_await_events(shop, "till-7", 3)) == len(_records(shop, "purchases")) == 3


def _spend(config: Path, customer: str, capsys: pytest.CaptureFixture[str], wanted: int) -> int:
    """The spend of a customer's life, once it is what is wanted or time is over."""
    deadline, spend = time.monotonic() + WITHIN_S, -1
    while spend != wanted and time.monotonic() < deadline:
        capsys.readouterr()
        if run(["customer", "show", customer, "--config", str(config), "--json"]) == 0:
            aggregates = json.loads(capsys.readouterr().out)["data"]["aggregates"]
            spend = aggregates["spend_lifetime_minor"]
        time.sleep(0.3)
    return spend
