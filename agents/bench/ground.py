"""What every measurement stands on: a broker of its own, a folder for everything else, deployments on it.

All of it is taken away at the end, however it ends.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn
from uuid import uuid4

import msgspec
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from agents.bench.workload import CURRENCY, TIME_ZONE
from agents.embedded import EmbeddedKafka
from agents.embedded.running import running_broker
from agents.errors import TierstreamError
from agents.kafka_clients import admin_client
from agents.policy_activation import activate_first
from agents.policy_files import configured_policy
from agents.settings import IntakeSettings, KafkaSettings, LogSettings, PolicySettings, Settings, SourceSettings
from agents.settings import WorkerSettings as Worker
from agents.topics import create_and_align


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    events: int
    """Raw events per throughput run."""
    customers: int
    partitions: int
    silent: int = 200_000
    """Customers who come due at once."""
    bootstrap: str | None = None
    """An own broker; one is started for the benchmark when not given."""


class Ground:
    """Broker and folder."""

    def __init__(self, bootstrap: str, folder: Path, partitions: int, embedded: EmbeddedKafka | None) -> None:
        self.bootstrap, self.folder, self.partitions, self.embedded = bootstrap, folder, partitions, embedded
        self.name = f"tierstream-bench-{uuid4().hex[:6]}"
        """In front of everything that is made on the broker."""
        self._deployments = 0

    @property
    def broker_pid(self) -> int | None:
        """The process id of our broker's server."""
        running = running_broker(self.embedded.folder) if self.embedded else None
        return running.server_pid if running else None

    def deployment(self, raw_topic: str) -> Settings:
        """Create the topics of a fresh deployment with the default policy in force, reading one bound raw topic."""
        self._deployments += 1
        name = f"{self.name}-{self._deployments}"
        settings = Settings(
            kafka=KafkaSettings(
                bootstrap=self.bootstrap,
                application_id=name,
                topic_prefix=f"{name}.",
                partitions=self.partitions,
                allow_plaintext=True,  # the customers are invented
            ),
            worker=Worker(data_dir=str(self.folder / "workers" / name)),
            intake=IntakeSettings(source=(SourceSettings(topic=raw_topic),)),
            policy=PolicySettings(currency=CURRENCY, time_zone=TIME_ZONE),
            log=LogSettings(format="json", level="warning"),
        )
        with admin_client(settings) as admin:
            create_and_align(admin, settings)
        activate_first(settings, configured_policy(settings))
        return settings

    def raw_topic(self, label: str, *, append_time: bool) -> str:
        """Create a topic of a producer's; unless `append_time`, records keep the stamps that they bring."""
        name = f"{self.name}-{label}"
        config = {
            "message.timestamp.type": "LogAppendTime" if append_time else "CreateTime",
            "retention.ms": "-1",
        }
        with admin_client(self._settings()) as admin:
            admin.create_topics([NewTopic(name, self.partitions, 1, topic_configs=config)])
            admin.wait_for_topics([name])
        return name

    def clear(self) -> None:
        """Delete all our topics: what was measured must not slow down what comes next."""
        with suppress(TierstreamError, KafkaError), admin_client(self._settings()) as admin:
            admin.delete_topics([topic for topic in admin.list_topics() if topic.startswith(self.name)])

    def _settings(self) -> Settings:
        return Settings(kafka=KafkaSettings(bootstrap=self.bootstrap, allow_plaintext=True))


@contextmanager
def prepared(options: Options) -> Iterator[Ground]:
    """The ground while the block runs; SIGTERM and SIGHUP end the block as Ctrl-C does."""
    folder = Path(tempfile.mkdtemp(prefix="tierstream-bench-"))
    embedded = None if options.bootstrap else EmbeddedKafka(folder / "kafka")
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        bootstrap = options.bootstrap or (embedded.start() if embedded else "")
        ground = Ground(bootstrap, folder, options.partitions, embedded)
        try:
            yield ground
        finally:
            if embedded is None:
                ground.clear()
    finally:
        if embedded is not None:
            embedded.stop()
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
