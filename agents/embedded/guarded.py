"""What the servers on this machine share: a free port, a locked folder, and a guardian that ends them in any case."""

import fcntl
import socket
import subprocess
import sys
from pathlib import Path

HOST = "127.0.0.1"

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
