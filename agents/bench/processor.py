"""Processor time of other processes and of the whole machine, where the kernel tells it (Linux)."""

import os
from pathlib import Path

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
