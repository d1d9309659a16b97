"""A simulation straight into Kafka: all of it, once, on the way that `feed` takes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.intake import IntakeStage
from agents.kafka_clients import admin_client
from agents.settings import Settings
from agents.settings_reader import load_settings
from agents.topics import create_and_align
from schemas.catalog import RAW_TOPICS, TOPICS
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import TOPIC_OF
from schemas.journal import decode_journal, is_control_key
from streams.intake import Limits
from tests.integration.processes import eventually

pytestmark = pytest.mark.kafka
PARTITIONS = 3
CUSTOMERS, DAYS = 60, 100
START = format_instant(int(time.time() * 1000) - (DAYS + 2) * MS_PER_DAY)[:10]
ARGUMENTS = ["simulate", "--kafka", "--customers", str(CUSTOMERS), "--days", str(DAYS), "--start", START, "--json"]


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


def records(settings: Settings, topic: str) -> list[Any]:
    """What a topic holds, partition by partition."""
    reader = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap)
    places = [TopicPartition(settings.topic(topic), number) for number in range(PARTITIONS)]
    reader.assign(places)
    reader.seek_to_beginning(*places)
    ends = reader.end_offsets(places)
    found = []
    while any(reader.position(place) < ends[place] for place in places):
        for batch in reader.poll(1_000).values():
            found += batch
    reader.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def accepted(settings: Settings, topics: tuple[str, ...]) -> tuple[list[bytes], int]:
    """What the real intake stage makes of the topics: values for the journal, and how many dead letters."""
    stage = IntakeStage(
        tuple(settings.sources()),
        settings.topic("imports"),
        {name: settings.topic(name) for name in TOPICS},
        PARTITIONS,
        limits=Limits(event_clock=settings.intake.clock == "event"),
        breaker=(1.0, 1000),
        counts=Counter(),
    )
    journal, refused = list[bytes](), 0
    arrived = [record for topic in topics for record in records(settings, topic)]
    for number in range(PARTITIONS):
        partition = stage.partition(number)
        partition.fold([record for record in arrived if record.partition == number], float("inf"))
        for (name, _), written in partition.drain().outputs.items():
            if name == settings.topic("customer-events"):
                journal += [value for key, value, _ in written if value and not is_control_key(key)]
            elif name == settings.topic("dead-letters"):
                refused += len(written)
    return journal, refused


def test_all_of_it_arrives_on_the_topics_of_its_types(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal to the file of the same options, taken by intake without a refusal; sent again it changes nothing."""
    target = ["--config", str(config), "--out", str(tmp_path / "out")]
    assert run([*ARGUMENTS, *target]) == 0
    said = json.loads(capsys.readouterr().out)
    run([*(word for word in ARGUMENTS if word != "--kafka"), "--out", str(tmp_path / "file")])
    lines = (tmp_path / "file" / "events.jsonl").read_bytes().splitlines()

    settings = load_settings(config, {})
    found = {topic: [record.value for record in records(settings, topic)] for topic in RAW_TOPICS}
    assert said["events"] == len(lines)
    assert sorted(value for values in found.values() for value in values) == sorted(lines)
    assert all(TOPIC_OF[json.loads(value)["type"]] == topic for topic, values in found.items() for value in values)
    assert (tmp_path / "out" / "truth.jsonl").read_bytes() == (tmp_path / "file" / "truth.jsonl").read_bytes()

    assert run([*ARGUMENTS, *target]) == 0
    journal, refused = accepted(settings, tuple(RAW_TOPICS))
    assert (len(journal), refused) == (len(lines), 0)
    assert len({getattr(decode_journal(value), "id", "") for value in journal}) == len(lines)


def test_an_event_clock_gets_it_in_order_of_time(config: Path, tmp_path: Path) -> None:
    """To the one topic, with its midnights; the clock closes at the end of the last day."""
    assert run([*ARGUMENTS, "--config", str(config), "--out", str(tmp_path / "out")]) == 0

    settings = load_settings(config, {})
    for number in range(PARTITIONS):
        values = [json.loads(r.value) for r in records(settings, "imports") if r.partition == number]
        times = [value.get("time") or value["instant"] for value in values]
        assert times == sorted(times)
        assert [value["type"] for value in values].count("clock.advanced") >= DAYS - 1
        assert values[-1]["type"] == "clock.closed"
    journal, refused = accepted(settings, ("imports",))
    assert len(journal) > CUSTOMERS
    assert refused == 0


def test_ctrl_c_ends_in_order(config: Path, tmp_path: Path) -> None:
    """Said how far it came, no stack trace, nothing left but the truth; the same command sends the rest."""
    arguments = [*ARGUMENTS, "--config", str(config), "--out", str(tmp_path / "out")]
    settings = load_settings(config, {})
    command = [sys.executable, "-m", "agents.cli", *arguments, "--rate", "100"]
    sending = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert eventually(lambda: len(records(settings, "browsing")) > 20, 60)
        sending.send_signal(signal.SIGINT)
        _, said = sending.communicate(timeout=60)
    finally:
        sending.kill()
        sending.wait()
    assert sending.returncode == 130
    assert "Stopped after" in said
    assert "Traceback" not in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["truth.jsonl"]

    run(arguments)
    journal, refused = accepted(settings, tuple(RAW_TOPICS))
    run([*(word for word in ARGUMENTS if word != "--kafka"), "--out", str(tmp_path / "file")])
    whole = (tmp_path / "file" / "events.jsonl").read_bytes().splitlines()
    assert (len(journal), refused) == (len(whole), 0)
