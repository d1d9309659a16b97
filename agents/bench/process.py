"""The worker process as the benchmark sees it: started under a guardian, followed by its samples, stopped."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

import agents.embedded.guardian
from agents.bench.worker import Sample
from agents.errors import TierstreamError
from agents.settings import Settings

GUARDIAN = Path(agents.embedded.guardian.__file__)
POLL_S = 0.05
STOP_TIMEOUT_S = 25.0
LOG_TAIL_LINES = 3

_decode = msgspec.json.Decoder(Sample).decode


class WorkerProcess:
    """One worker, running while the block runs; it does not outlive this process, however that ends."""

    def __init__(self, settings: Settings, folder: Path, stages: Sequence[str]) -> None:
        number = sum(1 for _ in folder.glob("worker-*.log")) + 1
        self._log, self._samples_path = folder / f"worker-{number}.log", folder / f"samples-{number}.jsonl"
        settings_path = folder / f"settings-{number}.json"
        settings_path.write_bytes(msgspec.json.encode(settings))
        self._command = [
            *(sys.executable, "-m", "agents.bench.worker"),
            *(str(settings_path), str(self._samples_path), ",".join(stages)),
        ]
        self.samples: list[Sample] = []
        """All so far, oldest first."""
        self.started_s = 0.0
        self._read = self._examined = 0

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._guardian = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-S", "-E", str(GUARDIAN), "owned", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._guardian.stdout is not None  # noqa: S101 - opened above
        self.pid = int(self._guardian.stdout.readline())
        self.started_s = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        guardian = self._guardian
        guardian.terminate()
        try:
            guardian.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            guardian.kill()  # the kernel ends the worker with its guardian
            guardian.wait()
        for pipe in (guardian.stdin, guardian.stdout):
            if pipe:
                pipe.close()

    def wait(self, reached: Callable[[Sample], bool], within_s: float, what: str) -> Sample:
        """Return the first sample that has reached it; TierstreamError when the worker ends or the time is over."""
        deadline = time.monotonic() + within_s
        while True:
            self._read_samples()
            while self._examined < len(self.samples):
                self._examined += 1
                if reached(sample := self.samples[self._examined - 1]):
                    return sample
            if (code := self._guardian.poll()) is not None:
                raise self._failed(f"The worker ended with exit code {code}.")
            if time.monotonic() > deadline:
                raise self._failed(f"{what} did not come within {within_s:.0f} s.")
            time.sleep(POLL_S)

    def _read_samples(self) -> None:
        if not self._samples_path.exists():
            return
        with self._samples_path.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + bool(whole)
        self.samples += [_decode(line) for line in whole.splitlines()]

    def _failed(self, what: str) -> TierstreamError:
        lines = self._log.read_text(errors="replace").splitlines()
        said = " / ".join(line.strip() for line in lines[-LOG_TAIL_LINES:]) or "it said nothing"
        return TierstreamError(what, where="the worker under measurement", why=said, next_step="tierstream bench")
