"""The ground a demo stands on: one folder with its settings, logs and, unless an own one is named, its broker."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from kafka.errors import KafkaError

from agents.embedded import EmbeddedKafka
from agents.embedded.jars import Progress
from agents.errors import TierstreamError
from agents.kafka_clients import admin_client
from agents.settings import Settings
from agents.settings_reader import load_settings

CURRENCY = "USD"
TIME_ZONE = "America/New_York"
"""CDNOW sold from Pennsylvania: a day of a customer's year begins at midnight there."""

SETTINGS_FILE = "tierstream.toml"
_SETTINGS = """\
# Written by `tierstream demo`. While it runs, other commands can look at it: --config {path}
[kafka]
bootstrap = "{bootstrap}"
allow_plaintext = true  # the purchases are public
application_id = "{application_id}"
topic_prefix = "{topic_prefix}"
partitions = {partitions}

[intake]
clock = "event"

[policy]
preset = "default"
currency = "{currency}"
time_zone = "{time_zone}"

[log]
format = "json"
"""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    out: Path | None = None
    """Folder for what the topics hold at the end."""
    live: bool = True
    """A screen and a pace for eyes; else as fast as it goes."""
    purchases_only: bool = False
    simulated_customers: int = 0
    """Customers of a made-up shop, instead of the real ones; 0 for the real ones."""
    chaos: bool = False
    partitions: int = 4
    workers: int = 2
    days_per_s: float = 6.0
    """Simulated days per second, when live."""
    bootstrap: str | None = None
    """An own broker."""
    data_dir: Path | None = None
    """Folder to keep; a temporary one, removed at the end, when not given."""


class Ground:
    """Folder, settings and broker of one demo. `close` takes back whatever of them is there."""

    def __init__(self, options: Options, downloaded: Progress) -> None:
        """`downloaded` is told how many of how many files of Kafka are there, on a machine that never ran it."""
        self._options, self._downloaded = options, downloaded
        self._broker: EmbeddedKafka | None = None
        self.folder = options.data_dir or Path(tempfile.mkdtemp(prefix="tierstream-demo-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = Settings()

    @property
    def settings_path(self) -> Path:
        """The settings file that the workers read."""
        return self.folder / SETTINGS_FILE

    def open(self) -> None:
        """Start a broker, unless an own one is named, and write the settings."""
        bootstrap, name, prefix = self._options.bootstrap, "tierstream-demo", ""
        kafka_folder = self.folder / "kafka"
        if bootstrap is not None or kafka_folder.exists():  # others, or earlier demos, have their topics there
            name += f"-{secrets.token_hex(3)}"
            prefix = f"{name}."
        if bootstrap is None:
            broker = EmbeddedKafka(kafka_folder, progress=self._downloaded)
            bootstrap = broker.start()
            self._broker = broker
        self.settings_path.write_text(
            _SETTINGS.format(
                path=self.settings_path,
                bootstrap=bootstrap,
                application_id=name,
                topic_prefix=prefix,
                partitions=self._options.partitions,
                currency=CURRENCY,
                time_zone=TIME_ZONE,
            ),
            encoding="utf-8",
        )
        self.settings = load_settings(self.settings_path, {})

    def worker_environment(self, name: str) -> Mapping[str, str]:
        """This process's environment without the user's own settings, and with what tells one worker from another."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIERSTREAM_")}
        data_dir = self.folder / "workers" / name
        return {**inherited, "TIERSTREAM_WORKER_INSTANCE_ID": name, "TIERSTREAM_WORKER_DATA_DIR": str(data_dir)}

    def close(self, *, keep: bool) -> None:
        """Stop our broker, or clear the user's of our topics; remove the folder if it is ours and not to be kept."""
        if self._broker is not None:
            self._broker.stop()
        elif self.settings.kafka.topic_prefix:
            self._delete_topics()
        if self._options.data_dir is None and not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _delete_topics(self) -> None:
        prefixes = (self.settings.kafka.topic_prefix, f"{self.settings.kafka.application_id}-")
        with suppress(TierstreamError, KafkaError), admin_client(self.settings) as admin:
            admin.delete_topics([topic for topic in admin.list_topics() if topic.startswith(prefixes)])
