"""Runs one server and ends it when its owner is gone, however the owner ended. Run as a script; standard library only.

    python -S -E guardian.py owned|detached COMMAND...

`owned`: standard input is a pipe that the owner keeps open; its end, also by SIGKILL of the owner, stops the server.
`detached`: only SIGTERM stops it. The server's process id is printed first; its output goes to standard error.
A pipe is used rather than the parent-death signal, because that one fires when the parent's *thread* ends.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from types import FrameType

STOP_GRACE_S = 20
"""How long the server may take to stop by itself before it is killed."""
PR_SET_PDEATHSIG = 1


def _die_with_guardian() -> None:
    """In the server, before it starts: should the guardian be killed, Linux kills the server with it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _guard(mode: str, command: list[str]) -> int:
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the select below
    server = subprocess.Popen(  # noqa: S603 - the owner's own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        preexec_fn=_die_with_guardian,  # noqa: PLW1509 - this process has one thread
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.terminate()
        signal.alarm(STOP_GRACE_S)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGALRM, lambda *_: server.kill())
    print(server.pid, flush=True)  # noqa: T201 - the owner reads it
    watched = [wake_read, 0] if mode == "owned" else [wake_read]
    while server.poll() is None:
        ready, _, _ = select.select(watched, [], [])
        with suppress(BlockingIOError):
            os.read(wake_read, 512)
        if 0 in ready and not os.read(0, 512):
            watched = [wake_read]
            stop(signal.SIGTERM, None)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


if __name__ == "__main__":
    sys.exit(_guard(sys.argv[1], sys.argv[2:]))
