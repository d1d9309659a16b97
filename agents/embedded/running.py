"""A broker that some process started in a folder: whether it runs, where, and how to end it."""

import fcntl
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from agents.embedded.guardian import STOP_GRACE_S

STATE_FILE = "broker.json"
LOCK_FILE = "lock"


class RunningBroker(msgspec.Struct, frozen=True):
    """What the starter wrote down."""

    pid: int
    """The guardian's: ending it ends the broker."""
    server_pid: int
    bootstrap: str


def running_broker(folder: Path) -> RunningBroker | None:
    """The broker of this folder; None when none runs. The lock tells, not the file, which a killed starter leaves."""
    if not _locked(folder):
        return None
    with suppress(OSError, msgspec.DecodeError):  # it is starting this moment
        return msgspec.json.decode((folder / STATE_FILE).read_bytes(), type=RunningBroker)
    return None


def write_state(folder: Path, broker: RunningBroker) -> None:
    """Write down what `running_broker` reads."""
    (folder / STATE_FILE).write_text(json.dumps(msgspec.to_builtins(broker)))


def stop_running(folder: Path) -> bool:
    """End the broker of this folder, whoever started it; False when none runs."""
    broker = running_broker(folder)
    if broker is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(broker.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_GRACE_S + 5
    while _locked(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    (folder / STATE_FILE).unlink(missing_ok=True)
    return True


def _locked(folder: Path) -> bool:
    """Whether a guardian holds the folder's lock."""
    try:
        with (folder / LOCK_FILE).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
