"""`tierstream broker`: a Kafka and a Redis on this machine, for trying things out."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from agents.cli.options import AsJson, ConfigPath, print_json, say, settings_of
from agents.embedded import EmbeddedKafka, EmbeddedValkey
from agents.embedded.guarded import somebody_listens
from agents.embedded.jars import Progress as Downloaded
from agents.embedded.running import running_broker, stop_running
from agents.embedded.valkey import SUBFOLDER
from agents.errors import EmbeddedServerError
from agents.kafka_security import is_loopback
from agents.settings import Settings

app = App(name="broker", help="Start, stop and look at a Kafka and a Redis on this machine: real, but for trying out.")

Folder = Annotated[Path, Parameter(name=("--dir", "-d"), help="Folder that holds everything the broker writes.")]
DEFAULT_FOLDER = Path(".tierstream/kafka")
DEFAULT_PORT = 9092
"""Where the default of `kafka.bootstrap` looks."""
DEFAULT_REDIS_PORT = 6379
"""Where the default of `redis.port` looks."""
NOT_RUNNING_EXIT_CODE = 1
PORT = "Port on the loopback interface; 0 takes a free one. That of kafka.bootstrap by default."
REDIS_PORT = (
    "Port of the Redis beside it; 0 takes a free one. redis.port where redis.host is set, else 6379 or a free one."
)


@app.command
def start(
    *,
    folder: Folder = DEFAULT_FOLDER,
    port: Annotated[int | None, Parameter(help=PORT)] = None,
    redis_port: Annotated[int | None, Parameter(help=REDIS_PORT)] = None,
    redis: Annotated[bool, Parameter(help="Start a Redis (Valkey) too.", negative="--no-redis")] = True,
    detach: Annotated[bool, Parameter(negative="", show_default=False, help="Return, and leave it running.")] = False,
    config: ConfigPath = None,
) -> None:
    """Start a broker and keep it until Ctrl-C; with --detach, until `tierstream broker stop`.

    The first start on a machine downloads Kafka. What is in the folder is there again at the next start; the Redis
    beside it begins empty, as `tierstream project redis` fills it again. Ports are those of the settings, where these
    name this machine.

    Example: tierstream broker start --detach
    """
    settings = settings_of(config)
    kafka_port = _kafka_port(settings) if port is None else port
    broker = EmbeddedKafka(folder, port=kafka_port or None, detached=detach)
    signal.signal(signal.SIGTERM, _interrupt)
    valkey: EmbeddedValkey | None = None
    try:
        with downloads_shown() as broker.progress:
            bootstrap = broker.start()
        if redis:
            valkey = EmbeddedValkey(folder / SUBFOLDER, port=_redis_port(redis_port, settings), detached=detach)
            valkey.start()
    except BaseException:  # nothing that was started stays behind, also after Ctrl-C
        broker.stop()
        raise
    say(f"Kafka answers at {bootstrap}; its files are in {folder}.")
    if valkey:
        told = f": TIERSTREAM_REDIS_HOST=127.0.0.1{_port_set(valkey.port)}" if settings.redis.host is None else "."
        say(f"Redis (Valkey) answers at {valkey.address}{told}")
    if detach:
        say("It runs on. To end it: tierstream broker stop" + ("" if folder == DEFAULT_FOLDER else f" --dir {folder}"))
        return
    _keep(broker, valkey)


def _keep(broker: EmbeddedKafka, valkey: EmbeddedValkey | None) -> None:
    """Wait for the end of Kafka, or for a signal to end both."""
    try:
        told = broker.wait()
    except KeyboardInterrupt:
        told = True
    if valkey:
        valkey.stop()
    broker.stop()
    if not told:
        raise EmbeddedServerError("Kafka has ended by itself.", where=str(broker.log_path), next_step="read its log")
    say("Kafka has stopped.")


@app.command
def stop(*, folder: Folder = DEFAULT_FOLDER) -> int:
    """End the broker of a folder, and the Redis beside it; what Kafka holds stays.

    Example: tierstream broker stop
    """
    stop_running(folder / SUBFOLDER)
    stopped = stop_running(folder)
    say("Kafka has stopped." if stopped else f"No broker runs in {folder}.")
    return 0 if stopped else NOT_RUNNING_EXIT_CODE


@app.command
def status(*, folder: Folder = DEFAULT_FOLDER, json: AsJson = False) -> int:
    """Tell whether the broker of a folder runs, and where it answers; exit code 1 when it does not run.

    Example: tierstream broker status --json
    """
    broker, valkey = running_broker(folder), running_broker(folder / SUBFOLDER)
    if json:
        where = {"bootstrap": broker and broker.bootstrap, "redis": valkey and valkey.bootstrap}
        print_json({"running": broker is not None, **where, "dir": str(folder)})
        return 0 if broker else NOT_RUNNING_EXIT_CODE
    if broker:
        say(f"Kafka answers at {broker.bootstrap}; process {broker.server_pid}, files in {folder}.")
    else:
        say(f"No broker runs in {folder}.")
    if valkey:
        say(f"Redis (Valkey) answers at {valkey.bootstrap}; process {valkey.server_pid}.")
    return 0 if broker else NOT_RUNNING_EXIT_CODE


def _kafka_port(settings: Settings) -> int:
    """The port that the settings look at, when it is this machine's."""
    host, _, port = settings.kafka.bootstrap.partition(",")[0].rpartition(":")
    return int(port) if is_loopback(host) else DEFAULT_PORT


def _redis_port(wanted: int | None, settings: Settings) -> int | None:
    """The port to bind; None for a free one."""
    if wanted is None and settings.redis.host is not None and is_loopback(settings.redis.host):
        return settings.redis.port
    if wanted is None:
        return None if somebody_listens(DEFAULT_REDIS_PORT) else DEFAULT_REDIS_PORT
    return wanted or None


def _port_set(port: int | None) -> str:
    return "" if port == DEFAULT_REDIS_PORT else f" TIERSTREAM_REDIS_PORT={port}"


@contextmanager
def downloads_shown() -> Iterator[Downloaded]:
    """A progress bar for the download of Kafka, when there is one to do and a terminal to show it on."""
    with Progress(
        TextColumn("Downloading Kafka, once on this machine"),
        *Progress.get_default_columns()[1:2],
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
