"""A deployment with topics of its own and real workers, for tests of commands from end to end."""

import json
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from agents.kafka_clients import producer
from agents.settings import Settings
from agents.settings_reader import load_settings
from schemas.clock import MS_PER_DAY, format_instant
from tests.integration.committed import records_of
from tests.journal import Published
from tests.prepared import Prepared, command

PARTITIONS = 2
WITHIN_S = 90
LOOK_EVERY_S = 0.1
"""Reading topics without a pause would take the processor from the worker that is waited for."""


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
        self._worker: Prepared | None = None
        assert run(["topics", "apply", "--config", str(self.config)]) == 0

    @property
    def settings(self) -> Settings:
        """As commands read them."""
        return load_settings(self.config, {})

    def start(self) -> None:
        """Start a worker."""
        self._worker = Prepared(command, ["worker", "--config", str(self.config)], self._log)

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
            assert self._worker.wait(WITHIN_S) == 0, self._log.read_text()[-3_000:]

    def send(self, events: Iterable[dict[str, Any]], topic: str = "purchases") -> None:
        """Send events as a producer does, without looking at them."""
        with producer(self.settings) as writer:
            for event in events:
                key = str(event.get("customer_id")).encode()
                writer.send(self.settings.topic(topic), json.dumps(event).encode(), key=key)
            writer.flush()

    def records(self, topic: str) -> list[Published]:
        """Every committed record of a topic up to now, each partition in its order; every answered commit is in it."""
        found = records_of(self.settings.kafka.bootstrap, self.settings.topic(topic), PARTITIONS)
        return [Published(r.key, r.value, r.headers) for number in sorted(found) for r in found[number]]

    def profiles(self) -> dict[str, dict[str, Any]]:
        """The newest profile of every customer."""
        return {record.data["customer_id"]: record.data for record in self.records("customer-profiles")}

    def command(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
        """Run a command that must succeed, with --json; its answer."""
        capsys.readouterr()
        assert run([*arguments, "--json", "--config", str(self.config)]) == 0, capsys.readouterr().err
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer


def days_ago(days: int) -> str:
    """Ten o'clock of a day in the past, as an event says it."""
    today = int(time.time() * 1000) // MS_PER_DAY
    return format_instant((today - days) * MS_PER_DAY + 36_000_000)


def eventually(what: Callable[[], bool], why: str, log: Callable[[], str] = str) -> None:
    """Wait until it is true; when it never is, `log` tells what was going on."""
    deadline = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {why}\n{log()}"
        time.sleep(LOOK_EVERY_S)
        time.sleep(0.2)
