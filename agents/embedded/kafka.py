"""One Kafka node (KRaft, broker and controller in one) on the loopback interface, in one folder."""

import signal
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.embedded.guarded import HOST, GuardedServer, free_port
from agents.embedded.jars import Progress, class_path
from agents.embedded.java import find_java
from agents.errors import EmbeddedServerError

START_TIMEOUT_S = 60
LOG_BYTES_MAX = 10_000_000
"""A log larger than this is set aside at the next start."""
CLUSTER_ID = "tierstreamEmbedded0000"
"""22 characters of base64, as Kafka wants it; the storage tool refuses ids that begin with a dash."""
QUICK_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Compiling with C1 only costs a third of the processor time at the start and in the first half million records;
after a million, C2 would be level with it."""
JVM = (
    *QUICK_JVM,
    "-Xmx768m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory",
)
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
listeners={listeners},CONTROLLER://{host}:{controller}
advertised.listeners={advertised}
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=33554432
log.segment.delete.delay.ms=1000
# A killed node is registered again only when its old session is over: 9 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# How long the coordinator of transactions waits for a lost answer to its markers, and ends no transaction meanwhile:
# 30 s by default. A broker that has just started can owe that answer for ever (docs/explanation/recovery.md).
request.timeout.ms=5000
"""


@dataclass(frozen=True)
class Listener:
    """One more way to reach the broker, for tests of TLS and log-ins."""

    name: str
    protocol: str
    """As Kafka names it."""
    properties: Mapping[str, str]
    """Its own properties, without `listener.name.<name>.` in front."""
    advertised_host: str = HOST
    """What it tells clients to use."""


class EmbeddedKafka(GuardedServer):
    """A broker. `port` and `proxied_port` are free ports when not given; `restart` keeps them.

    With `proxied_port` set, the broker also listens on `behind_proxy` and tells clients that come that way to use
    127.0.0.1:proxied_port, where a test's own proxy listens. `listeners` are opened besides, and `properties` end the
    broker's settings.
    """

    name = "Kafka"
    other_port = "name another in kafka.bootstrap of the settings, or: tierstream broker start --port 0"
    start_timeout_s = START_TIMEOUT_S

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int | None = None,
        proxied_port: int | None = None,
        detached: bool = False,
        listeners: Sequence[Listener] = (),
        properties: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(data_dir, port=port, detached=detached)
        self.proxied_port = proxied_port
        self.listeners = tuple(listeners)
        self.properties = dict(properties or {})
        self.ports: dict[str, int] = {}
        """Where each of `listeners` listens, by name; kept over a restart."""
        self.behind_proxy: str | None = None
        """Where a proxy forwards to (only with `proxied_port`)."""
        self.progress = progress
        """Told of downloads."""
        self._java = self._jars = ""

    @property
    def bootstrap(self) -> str:
        """host:port for clients; only while started."""
        return self.address

    def before_start(self) -> None:
        """Find Java and the jars, downloaded if need be."""
        self._java, self._jars = find_java(), class_path(self.progress)

    def command(self) -> list[str]:
        """See GuardedServer."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES_MAX:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        self._configure()
        self._format()
        return [self._java, *JVM, "-cp", self._jars, "kafka.Kafka", str(self._properties)]

    def ready(self) -> bool:
        """See GuardedServer."""
        return bool(self.port) and _answers(self.port or 0)

    def gave_up(self) -> EmbeddedServerError:
        """See GuardedServer."""
        return self._failed("Kafka on this machine did not start.")

    def wait(self) -> bool:
        """Return when the broker has ended: True when it was told to."""
        return self._guardian is not None and self._guardian.wait() in {0, 128 + signal.SIGTERM}

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _configure(self) -> None:
        listeners = advertised = f"PLAINTEXT://{self.bootstrap}"
        if self.proxied_port:
            self.behind_proxy = f"{HOST}:{free_port()}"
            listeners += f",PROXIED://{self.behind_proxy}"
            advertised += f",PROXIED://{HOST}:{self.proxied_port}"
        protocols, more = "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT", dict(self.properties)
        for extra in self.listeners:
            port = self.ports.setdefault(extra.name, free_port())
            listeners += f",{extra.name}://{HOST}:{port}"
            advertised += f",{extra.name}://{extra.advertised_host}:{port}"
            protocols += f",{extra.name}:{extra.protocol}"
            more |= {f"listener.name.{extra.name.lower()}.{key}": value for key, value in extra.properties.items()}
        text = PROPERTIES.format(
            host=HOST,
            controller=free_port(),
            listeners=listeners,
            advertised=advertised,
            protocols=protocols,
            folder=self.folder,
        )
        self._properties.write_text(text + "".join(f"{key}={value}\n" for key, value in more.items()))

    def _format(self) -> None:
        """Write the node's identity and feature levels; once per folder."""
        if (self.folder / "data" / "meta.properties").exists():
            return
        tool = [self._java, *QUICK_JVM, "-cp", self._jars, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        with self.log_path.open("ab") as log:
            answer = subprocess.run(  # noqa: S603 - our own command
                [*tool, "-t", CLUSTER_ID, "-c", str(self._properties)], stdout=log, stderr=log, check=False
            )
        if answer.returncode:
            raise self._failed("Kafka could not prepare its data folder.")

    def _failed(self, what: str) -> EmbeddedServerError:
        lines = self.log_path.read_text(errors="replace").splitlines() if self.log_path.exists() else []
        why = next((line for line in reversed(lines) if "Exception" in line or "ERROR" in line), "see its log")
        return EmbeddedServerError(
            what, where=str(self.log_path), why=why.strip(), next_step=f"read {self.log_path}, or use another folder"
        )


def _answers(port: int) -> bool:
    """Whether the broker serves requests: it answers ApiVersions (key 18, version 0) only once it does."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.settimeout(START_TIMEOUT_S)
            connection.sendall(struct.pack(">i", len(request)) + request)
            return bool(connection.recv(4))
    except OSError:
        return False
