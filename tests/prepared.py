"""Processes that begin with everything imported: a server that has imported it forks them, in a tenth of the time.

From there on they are processes like any other: paused, killed and waited for. That a command also starts from nothing
is tried where it is typed into a shell: by the pages that tests follow, by the demo, by the first steps with commands;
and by the crash tests of an orderly end and of the broker's death.
"""

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType

from agents.cli import main

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["agents.app", "agents.cli.worker", "agents.cli.policy", "agents.cli.project"])


def prepare() -> None:
    """Have the server begin to import; who starts a process before it has done so waits for it."""
    forkserver.ensure_running()


class Prepared:
    """A running process. What it says goes to the end of a file."""

    def __init__(
        self,
        begin: Callable[[Sequence[str]], None],
        arguments: Sequence[str],
        log: Path,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`begin` gets the arguments, in the process; when it returns or exits, the process ends."""
        log.touch()
        where = dict(os.environ if environ is None else environ), str(Path.cwd()), str(log)
        self._process = _SERVER.Process(target=_run, args=(begin, tuple(arguments), *where))
        ours, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")  # else it would import pytest
        try:
            self._process.start()
        finally:
            sys.modules["__main__"] = ours
        atexit.register(self._process.kill)  # a test that fails on the way leaves nobody behind

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, None as long as it runs; the signal's number below zero when it was killed."""
        return self._process.exitcode

    def wait(self, within_s: float | None = None) -> int:
        """Wait for its end; the exit code. TimeoutExpired when it goes on."""
        self._process.join(within_s)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), within_s or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """To a process that runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()


def command(arguments: Sequence[str]) -> None:
    """A command of ours, as it is typed."""
    sys.argv = ["tierstream", *arguments]
    main()


def _run(
    begin: Callable[[Sequence[str]], None], arguments: Sequence[str], environ: dict[str, str], folder: str, log: str
) -> None:
    with Path(log).open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    begin(arguments)
