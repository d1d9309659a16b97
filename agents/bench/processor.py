"""What the machine had to give: others' processor time, where the kernel tells it (Linux), and how fast a core was.

The same work costs up to twice the processor time when the other half of a core, or another guest of the machine, is
busy. Without a measure of that, two runs cannot be compared.
"""

import os
import threading
import time
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """Seconds of processor time so far."""

    broker_s: float | None
    """Of the broker, when it is ours."""
    others_s: float
    """Of everything but the worker and the broker."""


def usage(worker_pid: int, broker_pid: int | None) -> Usage | None:
    """Read the kernel's accounts; None on a system that keeps them elsewhere."""
    try:
        broker_s = None if broker_pid is None else _of(broker_pid)
        return Usage(broker_s, _busy() - _of(worker_pid) - (broker_s or 0.0))
    except OSError:
        return None


def _of(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _busy() -> float:
    """Time in which any core was not idle; time that the hypervisor gave to others included."""
    user, nice, system, _idle, _waiting, irq, soft, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + soft + stolen) / os.sysconf("SC_CLK_TCK")


STEPS = 100_000
BEAT_EVERY_S = 0.5


class Pulse:
    """Measures the pace of a core while the block runs: a short loop of plain Python now and then, in a thread."""

    def __init__(self) -> None:
        self._beats: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    @property
    def step_ns(self) -> float:
        """Processor time of one step of the loop, the median over all beats so far; nanoseconds."""
        return median(self._beats) if self._beats else _beat_ns()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_EVERY_S):
            self._beats.append(_beat_ns())


def _beat_ns() -> float:
    begin = time.thread_time_ns()
    total = 0
    for step in range(STEPS):
        total += step & 7
    return (time.thread_time_ns() - begin) / STEPS
