"""What the servers on this machine share: a free port, a locked folder, and a guardian that ends them in any case."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from agents.embedded.running import LOCK_FILE, STATE_FILE, RunningBroker, write_state
from agents.errors import EmbeddedServerError

HOST = "127.0.0.1"
READY_POLL_S = 0.02

Guardian = subprocess.Popen[bytes]


def start_guarded(command: list[str], lock_fd: int, log_path: Path, *, detached: bool) -> tuple[Guardian, int]:
    """Start guardian and server; returns the guardian and the server's process id.

    The guardian inherits the folder's lock, so the lock is held while it lives.
    """
    guardian = [sys.executable, "-S", "-E", str(Path(__file__).with_name("guardian.py"))]
    with log_path.open("ab") as log:
        started = subprocess.Popen(  # noqa: S603 - our own command
            [*guardian, "detached" if detached else "owned", *command],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=(lock_fd,),
            start_new_session=True,  # Ctrl-C is for the owner; the owner then stops the server
        )
    assert started.stdout is not None  # noqa: S101 - opened above
    return started, int(started.stdout.readline())


def reap(guardian: Guardian) -> None:
    """Wait for a guardian and close its pipes."""
    guardian.wait()
    for pipe in (guardian.stdin, guardian.stdout):
        if pipe:
            pipe.close()


def take(lock_fd: int) -> bool:
    """Lock a folder; False when another guardian holds it."""
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def free_port() -> int:
    """A port that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def somebody_listens(port: int) -> bool:
    """Whether a port is taken."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


class GuardedServer(ABC):
    """A server in a folder of its own that lives while this object's process lives, or until `running.stop_running`.

    It is safe to SIGKILL the owner: the guardian stops the server then. `port` is a free one when not given, and
    `restart` keeps it.
    """

    name: ClassVar[str]
    """What people call it; the log is named after it."""
    other_port: ClassVar[str]
    """What to do when its port is taken."""
    start_timeout_s: ClassVar[float]

    def __init__(self, folder: Path | str, *, port: int | None, detached: bool) -> None:
        self.folder = Path(folder).absolute()
        self.port = port
        self.detached = detached
        self._guardian: Guardian | None = None
        self.server_pid = 0

    @property
    def address(self) -> str:
        """host:port for clients; only while started."""
        return f"{HOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        """Where the server's own words go."""
        return self.folder / f"{self.name.lower()}.log"

    @abstractmethod
    def command(self) -> list[str]:
        """The command line for the present `port`; what it needs in the folder is written."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it serves clients now."""

    @abstractmethod
    def gave_up(self) -> EmbeddedServerError:
        """What its log says about a start that failed."""

    @abstractmethod
    def before_start(self) -> None:
        """Do what may fail or take long, before anything of the folder is touched."""

    def stop(self) -> None:
        """End the server in order; returns when it is gone. Does nothing when it is not running."""
        if self._guardian:
            self._guardian.terminate()
            self._reap()

    def kill(self) -> None:
        """End the server as a power cut of the process would (SIGKILL)."""
        if self._guardian:
            self.signal(signal.SIGKILL)
            self._reap()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server itself, such as SIGSTOP."""
        if self._guardian and self._guardian.poll() is None:  # while the guardian lives, the id is its server's
            with suppress(ProcessLookupError):
                os.kill(self.server_pid, number)

    def start(self) -> str:
        """Start and wait until it serves; returns its address. EmbeddedServerError with the remedy otherwise."""
        self.before_start()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK_FILE).open("w") as lock:
            if not take(lock.fileno()):
                raise EmbeddedServerError(
                    f"A {self.name} runs in this folder already.",
                    where=str(self.folder),
                    next_step="tierstream broker status   (then: tierstream broker stop)",
                )
            chosen = self.port
            if chosen and somebody_listens(chosen):  # the server itself may take a minute to give up
                raise EmbeddedServerError(f"Port {chosen} is taken.", where=HOST, next_step=self.other_port)
            for tries_left in (2, 1, 0):  # a free port may be taken by somebody else before the server binds it
                self.port = chosen or free_port()
                command = self.command()
                self._guardian, self.server_pid = start_guarded(
                    command, lock.fileno(), self.log_path, detached=self.detached
                )
                if self._wait_until_ready(last_try=chosen is not None or not tries_left):
                    break
        pid = self._guardian.pid if self._guardian else 0
        write_state(self.folder, RunningBroker(pid, self.server_pid, self.address))
        return self.address

    def restart(self) -> str:
        """Stop, if it still runs, and start again in the same folder on the same port."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.signal(signal.SIGCONT)  # one that is frozen cannot stop
        self.stop()

    def _wait_until_ready(self, *, last_try: bool) -> bool:
        deadline = time.monotonic() + self.start_timeout_s
        while self._guardian and self._guardian.poll() is None and time.monotonic() < deadline:
            if self.ready():
                return True
            time.sleep(READY_POLL_S)
        self.kill()
        if last_try:
            raise self.gave_up()
        return False

    def _reap(self) -> None:
        """Wait for the guardian and forget it. The guardian ends only after the server did."""
        guardian, self._guardian = self._guardian, None
        if guardian:
            reap(guardian)
            (self.folder / STATE_FILE).unlink(missing_ok=True)
