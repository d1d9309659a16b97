"""`tierstream broker`: a Kafka on this machine, for trying things out."""

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

from agents.cli.options import AsJson, print_json, say
from agents.embedded import EmbeddedKafka
from agents.embedded.jars import Progress as Downloaded
from agents.embedded.running import running_broker, stop_running
from agents.errors import EmbeddedServerError

app = App(name="broker", help="Start, stop and look at a Kafka on this machine: real, but for trying things out.")

Folder = Annotated[Path, Parameter(name=("--dir", "-d"), help="Folder that holds everything the broker writes.")]
DEFAULT_FOLDER = Path(".tierstream/kafka")
DEFAULT_PORT = 9092
"""Where the default of `kafka.bootstrap` looks."""
NOT_RUNNING_EXIT_CODE = 1


@app.command
def start(
    *,
    folder: Folder = DEFAULT_FOLDER,
    port: Annotated[int, Parameter(help="Port on the loopback interface; 0 takes a free one.")] = DEFAULT_PORT,
    detach: Annotated[bool, Parameter(negative="", show_default=False, help="Return, and leave it running.")] = False,
) -> None:
    """Start a broker and keep it until Ctrl-C; with --detach, until `tierstream broker stop`.

    The first start on a machine downloads Kafka. What is in the folder is there again at the next start.

    Example: tierstream broker start --detach
    """
    broker = EmbeddedKafka(folder, port=port or None, detached=detach)
    with downloads_shown() as downloaded:
        bootstrap = broker.start(downloaded)
    say(f"Kafka answers at {bootstrap}; its files are in {folder}.")
    if detach:
        say("It runs on. To end it: tierstream broker stop" + ("" if folder == DEFAULT_FOLDER else f" --dir {folder}"))
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        told = broker.wait()
    except KeyboardInterrupt:
        told = True
    broker.stop()
    if not told:
        raise EmbeddedServerError("Kafka has ended by itself.", where=str(broker.log_path), next_step="read its log")
    say("Kafka has stopped.")


@app.command
def stop(*, folder: Folder = DEFAULT_FOLDER) -> int:
    """End the broker of a folder; what it holds stays.

    Example: tierstream broker stop
    """
    stopped = stop_running(folder)
    say("Kafka has stopped." if stopped else f"No broker runs in {folder}.")
    return 0 if stopped else NOT_RUNNING_EXIT_CODE


@app.command
def status(*, folder: Folder = DEFAULT_FOLDER, json: AsJson = False) -> int:
    """Tell whether the broker of a folder runs, and where it answers; exit code 1 when it does not run.

    Example: tierstream broker status --json
    """
    broker = running_broker(folder)
    if json:
        print_json({"running": broker is not None, "bootstrap": broker and broker.bootstrap, "dir": str(folder)})
    elif broker:
        say(f"Kafka answers at {broker.bootstrap}; process {broker.server_pid}, files in {folder}.")
    else:
        say(f"No broker runs in {folder}.")
    return 0 if broker else NOT_RUNNING_EXIT_CODE


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
