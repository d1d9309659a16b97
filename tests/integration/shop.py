"""A deployment with topics of its own and real workers, for tests of commands from end to end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from agents.cli import run
from agents.kafka_clients import consumer, producer
from agents.settings import Settings
from agents.settings_reader import load_settings
from tests.journal import Published

PARTITIONS = 2
WITHIN_S = 90


class Shop:
    """A settings file, its topics, and a worker that can be killed."""

    def __init__(self, bootstrap: str, folder: Path, name: str, *, policy: str | None = None) -> None:
        """`policy` is the text of its policy file; the preset that ships by default."""
        self.config = folder / f"{name}.toml"
        named = ""
        if policy is not None:
            (folder / f"{name}-policy.toml").write_text(policy)
            named = f'file = "{folder}/{name}-policy.toml"\n'
        self.config.write_text(
            f'[kafka]\nbootstrap = "{bootstrap}"\napplication_id = "{name}"\ntopic_prefix = "{name}."\n'
            f'partitions = {PARTITIONS}\n[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n'
            f'{named}[worker]\ninstance_id = "{name}"\n'
        )
        self._log = folder / f"{name}.log"
        self._worker: subprocess.Popen[bytes] | None = None
        assert run(["topics", "apply", "--config", str(self.config)]) == 0

    @property
    def settings(self) -> Settings:
        """As commands read them."""
        return load_settings(self.config, {})

    def start(self) -> None:
        """Start a worker."""
        with self._log.open("ab") as log:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "agents.cli", "worker", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )

    def kill(self) -> None:
        """`kill -9`."""
        assert self._worker is not None
        self._worker.kill()
        self._worker.wait(30)

    def exit_code(self) -> int:
        """Wait for the worker to end by itself."""
        assert self._worker is not None
        return self._worker.wait(WITHIN_S)

    @property
    def log(self) -> str:
        """What its workers have said."""
        return self._log.read_text()

    def close(self) -> None:
        """End the worker in order, if it is still there."""
        if self._worker is not None and self._worker.poll() is None:
            self._worker.send_signal(signal.SIGTERM)
            assert self._worker.wait(30) == 0, self._log.read_text()[-3_000:]

    def send(self, events: Iterable[dict[str, Any]], topic: str = "purchases") -> None:
        """Send events as a producer does, without looking at them."""
        with producer(self.settings) as writer:
            for event in events:
                key = str(event.get("customer_id")).encode()
                writer.send(self.settings.topic(topic), json.dumps(event).encode(), key=key)
            writer.flush()

    def records(self, topic: str) -> list[Published]:
        """Every committed record of a topic up to now, each partition in its order."""
        name = self.settings.topic(topic)
        places = [TopicPartition(name, number) for number in range(PARTITIONS)]
        found: dict[int, list[Published]] = defaultdict(list)
        with consumer(self.settings) as reader:
            reader.assign(places)
            reader.seek_to_beginning(*places)
            ends = reader.end_offsets(places)
            while any(reader.position(place) < ends[place] for place in places):
                for place, records in reader.poll(500).items():
                    found[place.partition] += [Published(r.key, r.value, r.headers) for r in records]
        return [record for number in sorted(found) for record in found[number]]

    def profiles(self) -> dict[str, dict[str, Any]]:
        """The newest profile of every customer."""
        return {record.data["customer_id"]: record.data for record in self.records("customer-profiles")}

    def command(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
        """Run a command that must succeed, with --json; its answer."""
        capsys.readouterr()
        assert run([*arguments, "--json", "--config", str(self.config)]) == 0, capsys.readouterr().err
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer


def eventually(what: Callable[[], bool], why: str, log: Callable[[], str] = str) -> None:
    """Wait until it is true; when it never is, `log` tells what was going on."""
    deadline = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {why}\n{log()}"
        time.sleep(0.5)
