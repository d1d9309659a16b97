"""Workers as operating-system processes: started, killed, stopped, continued and terminated like a user's.

Each deployment has its own application id, topic prefix and settings files; each life of a worker has its own log. The
folder is printed when a test fails. A worker may be started under `forked_worker.py`, which ends it at a named point.
They begin with everything imported (`tests.prepared`), or from nothing where a test asks for it.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from tests.crash import forked_worker
from tests.crash.feeder import RECONNECT_MS_MAX
from tests.prepared import Prepared, command

CHECKOUT = Path(__file__).parents[2]
ADVANCE_S = 15.0  # every partition with input must commit within this time
SEVERAL_FAULTS_S = 30.0  # likewise, when several come at once, the start of a process among them
JOINED_WITHIN_S = 60.0  # patience with a busy machine: a process that starts has promised nothing yet
PARTITIONS = 6
ENDED_WITHIN_S = 30.0
OPENED = '"partition ready"'  # what a worker's log says of every partition that it has taken over
Place = tuple[str, int]
"""A topic and the number of a partition."""


class StandstillError(AssertionError):
    """A partition had input and did not commit in time."""


class Deployment:
    """One application on one broker: its settings, its topics, its workers."""

    def __init__(self, bootstrap: str, name: str, folder: Path, **settings: dict[str, Any]) -> None:
        self.bootstrap = bootstrap
        self.name = name
        self.prefix = f"{name}."
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.settings = settings
        self.partitions = int(settings.get("kafka", {}).get("partitions", PARTITIONS))
        self.workers: dict[str, Worker] = {}

    def config(self, instance: str) -> Path:
        """Write the settings file of one worker."""
        sections: dict[str, dict[str, Any]] = {
            "kafka": {
                "bootstrap": self.bootstrap,
                "application_id": self.name,
                "topic_prefix": self.prefix,
                "partitions": self.partitions,
            },
            "worker": {"instance_id": instance, "data_dir": str(self.folder / "data" / instance)},
            "policy": {"preset": "default", "currency": "USD", "time_zone": "UTC"},
            "metrics": {"port": 0},
        }
        for section, values in self.settings.items():
            sections.setdefault(section, {}).update(values)
            sections[section] = {key: value for key, value in sections[section].items() if value is not None}
        path = self.folder / f"{instance}.toml"
        path.write_text(toml(sections))
        return path

    def run(self, *arguments: str, within_s: float = JOINED_WITHIN_S) -> None:
        """Run a `tierstream` command with this deployment's settings; it must succeed."""
        code = self.spawn(*arguments).wait(within_s)
        assert code == 0, f"{arguments}: {code}\n{self.log_of(arguments[0]).read_text(errors='replace')}"

    def spawn(self, *arguments: str) -> Prepared:
        """Start a `tierstream` command with this deployment's settings; its words go to a log in the folder."""
        return Prepared(command, [*arguments, "--config", str(self.config("admin"))], self.log_of(arguments[0]))

    def log_of(self, group: str) -> Path:
        """The log of the commands of a group."""
        return self.folder / f"{group}.log"

    def create_topics(self) -> Self:
        """Create all topics and activate the policy, as a user would."""
        self.run("topics", "apply")
        return self

    def worker(self, name: str = "w1") -> "Worker":
        """The worker of that name, new or known."""
        if name not in self.workers:
            self.workers[name] = Worker(self, name)
        return self.workers[name]

    def start(self, *names: str, from_nothing: bool = False) -> None:
        """Start the named workers."""
        for name in names:
            self.worker(name).start(from_nothing=from_nothing)

    def join(self, *names: str) -> None:
        """Start the named workers, and wait until each has partitions."""
        before = {name: self.worker(name).openings() for name in names}
        self.start(*names)
        for name, openings in before.items():
            self.worker(name).wait_for_partitions(openings)

    def terminate(self) -> dict[str, int]:
        """SIGTERM to all workers at once; returns the exit codes of those that ran."""
        alive = [worker for worker in self.workers.values() if worker.alive()]
        for worker in alive:
            worker.wanted = False
            worker.signal(signal.SIGTERM)
        return {worker.name: worker.wait(ENDED_WITHIN_S) for worker in alive}

    def revive(self, say: Callable[[str], None] = print) -> None:
        """Start again each worker that has ended, as a supervisor would."""
        for worker in self.workers.values():
            if worker.wanted and not worker.alive():
                say(f"{worker.name} exited {worker.returncode}, starts again")
                worker.start()

    def close(self) -> None:
        """End all workers."""
        for worker in self.workers.values():
            worker.kill()


class Worker:
    """One `tierstream worker`, over all its lives."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self.deployment = deployment
        self.name = name
        self.lives = 0
        self.wanted = False
        self.crash_at: str | None = None
        self.process: Prepared | subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The log of the current life."""
        return self.deployment.folder / f"{self.name}-{self.lives}.log"

    @property
    def returncode(self) -> int | None:
        """How the last life ended; None while it runs."""
        return self.process.poll() if self.process else None

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def start(
        self,
        crash_at: str | None = None,
        nth: int = 1,
        *,
        arguments: tuple[str, ...] = (),
        from_nothing: bool = False,
    ) -> Self:
        """Start a new life; `crash_at` names a point of `forked_worker.POINTS` at which it ends the nth time.

        One that starts from nothing is what a user types; any other is forked with everything imported.
        """
        assert not self.alive(), f"{self.name} already runs"
        assert not (crash_at and from_nothing)
        self.lives += 1
        self.wanted, self.crash_at = True, crash_at
        words = ["worker", "--config", str(self.deployment.config(self.name)), *arguments]
        if from_nothing:
            self.process = self._from_nothing(words)
        elif crash_at:
            self.process = Prepared(forked_worker.begin_to_fail, [crash_at, str(nth), *words], self.log)
        else:
            self.process = Prepared(forked_worker.begin, words, self.log)
        return self

    def _from_nothing(self, words: list[str]) -> subprocess.Popen[bytes]:
        typed = [sys.executable, "-m", "agents.cli", *words]
        with self.log.open("wb") as log:
            return subprocess.Popen(typed, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=CHECKOUT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the running process."""
        if self.process is not None and self.alive():
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.wanted = False
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def terminate(self, timeout_s: float = ENDED_WITHIN_S) -> int:
        """SIGTERM, and wait for the end; returns the exit code."""
        self.wanted = False
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float) -> int:
        """Wait until it ends by itself; returns the exit code."""
        assert self.process is not None
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout_s} s; log {self.log}") from None

    def openings(self) -> int:
        """How many partitions it has opened, over all its lives."""
        logs = self.deployment.folder.glob(f"{self.name}-*.log")
        return sum(log.read_text(errors="replace").count(OPENED) for log in logs)

    def wait_for_partitions(self, openings: int) -> None:
        """Wait until it has opened more partitions than it had."""
        wait_until(lambda: self.openings() > openings, JOINED_WITHIN_S, f"a partition for {self.name}, log {self.log},")

    def output(self) -> str:
        """What the current life has written."""
        return self.log.read_text(errors="replace")


def toml(sections: dict[str, dict[str, Any]]) -> str:
    """Settings as TOML; a list of tables stands under its section's name."""
    lines: list[str] = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        tables = {key: value for key, value in values.items() if isinstance(value, list)}
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if key not in tables]
        for key, entries in tables.items():
            for entry in entries:
                lines.append(f"[[{section}.{key}]]")
                lines += [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
    return "\n".join(lines) + "\n"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


class Ends:
    """Ends of partitions, read again and again over the same connections."""

    def __init__(self, bootstrap: str) -> None:
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap, reconnect_backoff_max_ms=RECONNECT_MS_MAX)

    def of(self, topics: Iterable[str], partitions: int, *, committed: bool = True) -> dict[Place, int]:
        """The end of each partition of topics: of committed records, or of all that were written.

        A commit is answered before its markers are written; until then the one is behind the other.
        """
        places = {TopicPartition(topic, n): OffsetSpec.LATEST for topic in topics for n in range(partitions)}
        isolation = "read_committed" if committed else "read_uncommitted"
        ends = self.admin.list_partition_offsets(places, isolation_level=isolation)
        return {(place.topic, place.partition): end.offset for place, end in ends.items()}

    def lag(self, group: str, ends: Mapping[Place, int]) -> int:
        """What a lag tool shows: how far the group's committed offsets are behind these ends."""
        try:
            committed = self.admin.list_group_offsets(group)[group]
        except KafkaError:  # the broker has not made its offsets topic yet
            return 1
        offsets = {(place.topic, place.partition): entry.offset for place, entry in committed.items()}
        return sum(max(0, end - max(0, offsets.get(place, 0))) for place, end in ends.items())

    def close(self) -> None:
        """Close the connections."""
        self.admin.close()


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str, pause_s: float = 0.25) -> float:
    """Wait for a condition; returns the seconds it took, raises AssertionError naming `what` if it never came."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout_s:
            raise AssertionError(f"{what} did not happen within {timeout_s} s")
        time.sleep(pause_s)
    return time.monotonic() - started
