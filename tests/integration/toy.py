"""A deployment of toy workers on the test broker: topics, records, processes, and what the topics hold in the end."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from tests.integration import toy_worker
from tests.integration.committed import records_of
from tests.prepared import Prepared

RUNTIME_KEY = b"\x00runtime"
PATIENCE_S = 60.0
"""For what is promised without a time: a process starts within seconds, and later on a busy machine."""


class Toy:
    """One application of its own on a broker."""

    def __init__(self, bootstrap: str, name: str, folder: Path, *, partitions: int = 4, **config: Any) -> None:  # noqa: ANN401
        self.bootstrap, self.name, self.folder, self.partitions = bootstrap, name, folder, partitions
        self.sources = (f"{name}-a", f"{name}-b")
        self.config = config
        self.workers: list[ToyWorker] = []

    def create(self) -> Self:
        """Create the topics."""
        compact = {"cleanup.policy": "compact"}
        broker_time = {"message.timestamp.type": "LogAppendTime"}
        configs = dict.fromkeys(self.sources, broker_time) | {
            f"{self.name}-out": broker_time,
            f"{self.name}-echo-changelog": compact,
            f"{self.name}-progress": compact | broker_time,
        }
        self.create_topics(configs)
        return self

    def create_topics(self, configs: dict[str, dict[str, str]], partitions: int | None = None) -> None:
        """Create topics with settings of their own."""
        count = partitions or self.partitions
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        admin.create_topics(
            [NewTopic(n, num_partitions=count, replication_factor=1, topic_configs=c) for n, c in configs.items()]
        )
        admin.close()

    def feed(self, count: int, *, first: int = 0, values: Callable[[int], bytes] | None = None) -> list[bytes]:
        """Write `count` records over both sources and all partitions; returns the values."""
        made = values or (lambda number: b"%08d" % number)
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5, acks="all")
        written = []
        for number in range(first, first + count):
            written.append(made(number))
            topic, partition = self.sources[number % 2], (number // 2) % self.partitions
            producer.send(topic, key=b"k%03d" % (number % 97), value=written[-1], partition=partition)
        producer.flush()
        producer.close()
        return written

    def worker(self, **config: Any) -> "ToyWorker":  # noqa: ANN401
        """Start a worker; the keyword arguments override the deployment's configuration."""
        number = len(self.workers) + 1
        merged = {
            "application": self.name,
            "bootstrap": self.bootstrap,
            "sources": self.sources,
            "partitions": self.partitions,
            "data_dir": str(self.folder / f"data-{number}"),
            "instance_id": f"w{number}",
            **self.config,
            **config,
        }
        path = self.folder / f"{self.name}-{number}.json"
        path.write_text(json.dumps(merged))
        worker = ToyWorker(path)
        self.workers.append(worker)
        return worker

    def read(self, topic: str, isolation: str = "read_committed") -> dict[int, list[Any]]:
        """Return all records of a topic, by partition, once every answered commit shows."""
        return records_of(self.bootstrap, topic, self.partitions, isolation=isolation)

    def echoed(self) -> list[bytes]:
        """Return the values in `out`, in the order of each partition."""
        return [record.value for records in self.read(f"{self.name}-out").values() for record in records]

    def wait_echoed(self, count: int, within_s: float = PATIENCE_S) -> None:
        """Wait until at least so many records are in `out` for committed readers."""
        reader = KafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        seen, until = 0, time.monotonic() + within_s
        tps = [TopicPartition(f"{self.name}-out", number) for number in range(self.partitions)]
        reader.assign(tps)
        reader.seek_to_beginning(*tps)
        while seen < count:
            assert time.monotonic() < until, f"{seen} of {count} echoed\n{self.said()}"
            seen += sum(len(records) for records in reader.poll(timeout_ms=200, max_records=50_000).values())
        reader.close()

    def said(self) -> str:
        """The last words of the newest worker; nothing where workers live in the test's own process."""
        return self.workers[-1].output()[-2_000:] if self.workers else ""

    def check_exact(self) -> None:
        """Assert that `out` is the sources exactly once and in order, and the changelog the counts."""
        out, raw = self.read(f"{self.name}-out"), {topic: self.read(topic) for topic in self.sources}
        for partition, records in out.items():
            for topic, by_partition in raw.items():
                mine = [r.value for r in records if ("from", topic.encode()) in [*r.headers]]
                assert mine == [r.value for r in by_partition[partition]], f"{topic}-{partition}"
            counts: dict[bytes, int] = {}
            for record in records:
                counts[record.key] = counts.get(record.key, 0) + 1
            assert self.counts()[partition] == counts

    def check_prefix(self) -> None:
        """Assert that `out` holds, of every source partition, the first records exactly once and in order."""
        out = self.read(f"{self.name}-out")
        for topic in self.sources:
            for partition, raw in self.read(topic).items():
                mine = [r.value for r in out[partition] if ("from", topic.encode()) in [*r.headers]]
                assert mine == [r.value for r in raw][: len(mine)], f"{topic}-{partition}"

    def counts(self) -> dict[int, dict[bytes, int]]:
        """Return what the changelog says, by partition."""
        changelog = self.read(f"{self.name}-echo-changelog")
        return {
            partition: {r.key: int(r.value) for r in records if not r.key.startswith(RUNTIME_KEY)}
            for partition, records in changelog.items()
        }

    def members(self) -> set[str]:
        """The names of the group's members, as the broker knows them now."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        group = admin.describe_groups([self.name])[self.name]
        admin.close()
        return {member["group_instance_id"] for member in group["members"]}

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self.workers:
            worker.kill()


class ToyWorker:
    """One process."""

    def __init__(self, config: Path) -> None:
        self.log = config.with_suffix(f".{time.monotonic_ns()}.log")
        self.process = Prepared(toy_worker.begin, [str(config)], self.log)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def terminate(self, within_s: float = PATIENCE_S) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(within_s)

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Wait for the end; returns the exit code."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {within_s} s\n{self.output()[-2_000:]}") from None

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def output(self) -> str:
        """What it wrote."""
        return self.log.read_text(errors="replace")

    def wait_says(self, text: str, times: int = 1, within_s: float = PATIENCE_S) -> None:
        """Wait until a text stands in its log so many times."""
        wait_until(
            lambda: self.output().count(text) >= times, within_s, lambda: f"no {text!r} in:\n{self.output()[-2_000:]}"
        )


def wait_until(done: Callable[[], bool], within_s: float, tell: Callable[[], str] = str) -> None:
    """Wait for a condition; fails with what `tell` says."""
    until = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < until, tell()
        time.sleep(0.1)


def duplicates(values: Iterable[bytes]) -> int:
    """Return how many values are there more than once."""
    listed = list(values)
    return len(listed) - len(set(listed))
