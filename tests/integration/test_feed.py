"""Feeding a file: everything arrives once at its customer's partition, and sent again it changes nothing."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.partitioner.default import murmur2

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.intake import IntakeStage
from agents.kafka_clients import admin_client
from agents.settings import Settings
from agents.settings_reader import load_settings
from agents.topics import create_and_align
from schemas.catalog import TOPICS
from schemas.clock import MS_PER_DAY, format_instant
from streams.intake import Limits

pytestmark = pytest.mark.kafka
PARTITIONS = 3
EVENTS = 60
TODAY = int(time.time() * 1000) // MS_PER_DAY


@pytest.fixture
def config(kafka: EmbeddedKafka, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A settings file with topics of its own."""
    path = tmp_path / "tierstream.toml"
    name = request.node.name.removeprefix("test_")[:40]
    path.write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "{name}"\ntopic_prefix = "{name}."\n'
        f'partitions = {PARTITIONS}\n[intake]\nclock = "{"event" if "clock" in name else "broker"}"\n'
    )
    settings = load_settings(path, {})
    with admin_client(settings) as admin:
        create_and_align(admin, settings)
    yield path
    with admin_client(settings) as admin:
        admin.delete_topics([topic for topic in admin.list_topics() if topic.startswith(name)])


def day(number: int) -> str:
    """A day of the file: its first ones lie a little back."""
    return format_instant((TODAY - 10 + number) * MS_PER_DAY)[:10]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Orders over three days and a few customers, newest first, and one line that is no event."""
    lines = [
        json.dumps(
            {
                "type": "order.completed",
                "id": f"e{number}",
                "time": f"{day(number * 3 // EVENTS)}T{number % 24:02}:00:00Z",
                "customer_id": f"c{number % 7}",
                "order_id": f"o{number}",
                "currency": "USD",
                "total_minor": 100,
            }
        )
        for number in reversed(range(EVENTS))
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([*lines[:30], "nonsense", *lines[30:]]) + "\n")
    return path


def _records(settings: Settings, topic: str) -> list[Any]:
    reader = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap)
    places = [TopicPartition(settings.topic(topic), number) for number in range(PARTITIONS)]
    reader.assign(places)
    reader.seek_to_beginning(*places)
    ends = reader.end_offsets(places)
    found = []
    while any(reader.position(place) < ends[place] for place in places):
        for records in reader.poll(1_000).values():
            found += records
    reader.close()
    return found


def _accepted(settings: Settings, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """What intake would write to the journal, over all partitions."""
    stage = IntakeStage(
        tuple(settings.sources()),
        settings.topic("imports"),
        {name: settings.topic(name) for name in TOPICS},
        PARTITIONS,
        limits=Limits(event_clock=settings.intake.clock == "event"),
        breaker=(1.0, 1000),
        counts=Counter(),
    )
    journal = []
    for number in range(PARTITIONS):
        partition = stage.partition(number)
        records = [record for record in _records(settings, topic) if record.partition == number]
        partition.fold(records, float("inf"))
        for (name, _), written in partition.drain().outputs.items():
            if name == settings.topic("customer-events"):
                journal += [(key, value) for key, value, _ in written]
    return journal


def test_every_event_arrives_at_its_customers_partition(
    config: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report counts what was sent and names the line that was not; exit code 1 says that there is one."""
    assert run(["feed", str(events), "--config", str(config), "--json"]) == 1

    report = json.loads(capsys.readouterr().out)
    records = _records(load_settings(config, {}), "purchases")
    assert (report["sent"], report["topics"]) == (EVENTS, {"purchases": EVENTS})
    assert [(line["line"], line["reason"]) for line in report["refused"]] == [(31, "not_json")]
    assert {json.loads(record.value)["id"] for record in records} == {f"e{number}" for number in range(EVENTS)}
    assert all(record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS for record in records)


def test_a_file_sent_twice_changes_nothing(config: Path, events: Path) -> None:
    """Intake sees each record twice and takes it once."""
    for _ in range(2):
        run(["feed", str(events), "--config", str(config), "--json"])

    settings = load_settings(config, {})
    assert len(_records(settings, "purchases")) == 2 * EVENTS
    assert len(_accepted(settings, "purchases")) == EVENTS


def test_the_event_clock_goes_by_days_and_closes(
    config: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every partition: events in order of time, a mark at each midnight between, and the same closing at the end."""
    arguments = ["feed", str(events), "--config", str(config), "--json"]
    run([*arguments, "--event-clock", "--until", f"{day(4)}T00:00:00Z"])

    assert json.loads(capsys.readouterr().out)["closed_at"] == f"{day(4)}T00:00:00.000Z"
    records = _records(load_settings(config, {}), "imports")
    for number in range(PARTITIONS):
        values = [json.loads(record.value) for record in records if record.partition == number]
        times = [(value.get("time") or value["instant"])[:19] for value in values]
        assert times == sorted(times)
        assert [(v["type"], v["instant"][:10]) for v in values if "instant" in v] == [
            ("clock.advanced", day(1)),
            ("clock.advanced", day(2)),
            ("clock.advanced", day(3)),
            ("clock.advanced", day(4)),
            ("clock.closed", day(4)),
        ]


def test_the_event_clock_fed_twice_changes_nothing(config: Path, events: Path) -> None:
    """The marks of the second feed are dropped like its events."""
    for _ in range(2):
        run(["feed", str(events), "--config", str(config), "--json", "--event-clock"])

    journal = _accepted(load_settings(config, {}), "imports")
    assert len([key for key, _ in journal if key and not key.startswith(b"\x00")]) == EVENTS
    assert len([key for key, _ in journal if key and key.startswith(b"\x00")]) == 3 * PARTITIONS


def test_the_clock_of_feed_and_application_have_to_agree(
    config: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event-clock application reads one topic alone: a feed to the others would lie there unread."""
    assert run(["feed", str(events), "--config", str(config)]) == 2
    assert "--event-clock" in capsys.readouterr().err
