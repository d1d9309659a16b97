"""The demo's worker processes: started, watched, killed on request, started again. Knows processes, not what they do.

Each runs under the embedded servers' guardian, so that none outlives the demo, however the demo ends.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import agents.embedded.guardian
from agents.demo.board import Worker
from agents.errors import TierstreamError

GUARDIAN = Path(agents.embedded.guardian.__file__)
EnvironmentOf = Callable[[str], Mapping[str, str]]
"""The name of a worker to its environment variables."""

UNASKED_ENDS_MAX = 3
"""A worker that ends so often by itself has a fault that another start will not cure."""
STOP_TIMEOUT_S = 25.0
LOG_TAIL_LINES = 3


class WorkerProcess:
    """One worker: the process that runs under its name now, and what happened to those before it."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self.kills = 0
        self.unasked_ends = 0
        self._command = command
        self._environment = dict(environment)
        self._guardian: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._started_at = 0.0
        self._killed = False
        self._unasked_end = ""

    def start(self) -> None:
        """Start it; returns as soon as the process exists."""
        with self.log_path.open("ab") as log:
            self._guardian = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-S", "-E", str(GUARDIAN), "owned", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops its workers in order
            )
        assert self._guardian.stdout is not None  # noqa: S101 - opened above
        self._pid = int(self._guardian.stdout.readline())
        self._started_at = time.monotonic()
        self._killed = False

    def kill(self) -> bool:
        """SIGKILL it, as the kernel does when memory runs out; False if nothing ran."""
        if self._guardian is None or self._guardian.poll() is not None or self._killed:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._killed = True
        self.kills += 1
        return True

    def revive(self) -> None:
        """Start it again if it has ended. TierstreamError if it keeps ending by itself."""
        if self._guardian is None or (code := self._guardian.poll()) is None:
            return
        self._close()
        if not self._killed:
            self.unasked_ends += 1
            self._unasked_end = f"ended by itself, exit code {code}"
            if self.unasked_ends >= UNASKED_ENDS_MAX:
                raise TierstreamError(
                    f"{self.name} ended by itself {self.unasked_ends} times, the last time with exit code {code}.",
                    where=str(self.log_path),
                    why=self._last_words(),
                    next_step=f"read {self.log_path}",
                )
        self.start()

    def ask_to_stop(self) -> None:
        """SIGTERM: it finishes or aborts what is open and leaves."""
        if self._guardian is not None and self._guardian.poll() is None:
            self._guardian.terminate()

    def wait(self) -> None:
        """Until it is gone; killed if it takes too long."""
        if self._guardian is None:
            return
        try:
            self._guardian.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._guardian.kill()  # the kernel ends the worker with its guardian
            self._guardian.wait()
        self._close()

    def shown(self, ready_after_s: float) -> Worker:
        """As the board shows it; a fresh process counts as starting for a while."""
        if self._guardian is None:
            return Worker(self.name, state="stopped", kills=self.kills, unasked_end=self._unasked_end)
        up_s = time.monotonic() - self._started_at
        state = "killed" if self._killed else "working" if up_s >= ready_after_s else "starting"
        return Worker(self.name, self._pid, state, up_s, self.kills, self._unasked_end)  # type: ignore[arg-type]  # mypy widens the literal

    def _close(self) -> None:
        guardian, self._guardian = self._guardian, None
        for pipe in (guardian.stdin, guardian.stdout) if guardian else ():
            if pipe:
                pipe.close()

    def _last_words(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-LOG_TAIL_LINES:]) or "it said nothing"


class WorkerPool:
    """All workers of the demo."""

    def __init__(self, count: int, command: Sequence[str], log_folder: Path, environment: EnvironmentOf) -> None:
        log_folder.mkdir(parents=True, exist_ok=True)
        names = [f"worker-{number}" for number in range(1, count + 1)]
        self.workers = [WorkerProcess(n, command, environment(n), log_folder / f"{n}.log") for n in names]

    @property
    def kills(self) -> int:
        """How many were killed on request so far."""
        return sum(worker.kills for worker in self.workers)

    def start(self) -> None:
        """Start all."""
        for worker in self.workers:
            worker.start()

    def kill_one(self, dice: Random) -> str | None:
        """SIGKILL one of them; its name, or None if none ran."""
        for worker in sorted(self.workers, key=lambda _: dice.random()):
            if worker.kill():
                return worker.name
        return None

    def revive(self) -> None:
        """Start again whatever has ended; call it several times a second."""
        for worker in self.workers:
            worker.revive()

    def stop(self) -> None:
        """Stop all in order; returns when none is left."""
        for worker in self.workers:
            worker.ask_to_stop()
        for worker in self.workers:
            worker.wait()
