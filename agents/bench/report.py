"""What was measured, as rows with keys, units and targets: the same for the table and for JSON."""

import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from agents.bench.latency import Latency
from agents.bench.restore import Restore
from agents.bench.scoring import Scoring
from agents.bench.shoppers import StateBytes
from agents.bench.silence import Silence
from agents.bench.throughput import Throughput
from agents.build import version_text
from agents.embedded.jars import COORDINATES

Direction = Literal["<=", ">="]
LATENCY_TARGET_RATE = 5_000
ROUND_FROM = 1_000


class Target(msgspec.Struct, frozen=True):
    """What we want to reach on two shared cores with the broker beside."""

    direction: Direction
    value: float

    def met(self, measured: float) -> bool:
        """Whether it was reached."""
        return measured <= self.value if self.direction == "<=" else measured >= self.value


class Row(msgspec.Struct, frozen=True):
    """One figure."""

    key: str
    """Its name in JSON, with the unit in it."""
    label: str
    value: float
    unit: str
    target: Target | None = None


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured."""

    cores: int
    processor: str
    system: str
    python: str
    kafka: str
    tierstream: str


class Results(msgspec.Struct):
    """What was measured so far."""

    throughput: dict[str, Throughput] = msgspec.field(default_factory=dict)
    """By workload."""
    latency: list[Latency] = msgspec.field(default_factory=list)
    silence: Silence | None = None
    restore: Restore | None = None
    state: StateBytes | None = None
    churn: dict[str, Scoring] = msgspec.field(default_factory=dict)
    """By workload."""
    mechanisms: dict[str, float] = msgspec.field(default_factory=dict)
    """By mechanism, CPU of the fold in µs per event."""


def this_machine(*, own_broker: bool) -> Machine:
    """The machine that this process runs on."""
    kafka = "of the given broker" if own_broker else COORDINATES[0].rpartition(":")[2]
    return Machine(
        cores=_cores(),
        processor=_processor(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        kafka=kafka,
        tierstream=version_text(),
    )


def rows(results: Results) -> Iterator[Row]:
    """All figures in the order of the table."""
    for workload, throughput in results.throughput.items():
        yield from _of_throughput("" if workload == "mix" else f"{workload}_", workload, throughput)
    for latency in results.latency:
        yield from _of_latency(latency)
    if (silence := results.silence) is not None:
        yield from _of_silence(silence)
    if (restore := results.restore) is not None:
        yield Row("restore_1m_s", "restore of 1,000,000 customers", restore.seconds, "s", Target("<=", 5))
        yield Row("restore_1m_from_start_s", "  from the start of the process", restore.from_start_s, "s")
        yield Row("restore_1m_cpu_s", "  the worker's CPU", restore.cpu_s, "s")
        yield Row("restore_1m_mib", "  size of keys and states", restore.mebibytes, "MiB")
    if (state := results.state) is not None:
        yield Row("state_bytes_median", "state per customer, CDNOW, median", state.median, "B", Target("<=", 700))
        yield Row("state_bytes_p99", "state per customer, CDNOW, 99th percentile", state.p99, "B")
        yield Row(
            "state_bytes_daily_shopper",
            "state of a daily shopper, 365 active days",
            state.daily_shopper,
            "B",
            Target("<=", 6_144),
        )
    for workload, scoring in results.churn.items():
        prefix, target = ("", Target("<=", 5)) if workload == "mix" else (f"{workload}_", None)
        yield Row(
            f"{prefix}churn_us_per_event", f"{workload}: churn risk, CPU", scoring.purchases_us, "us/event", target
        )
        yield Row(
            f"{prefix}churn_every_layer_us_per_event",
            "  by a model with every layer",
            scoring.every_layer_us,
            "us/event",
        )
        yield Row(f"{prefix}fold_without_churn_us_per_event", "  the fold without it", scoring.fold_us, "us/event")
    for label, cost in results.mechanisms.items():
        yield Row(f"fold_us_{label.replace(' ', '_')}", f"fold, CPU: {label}", cost, "us/event")


def _of_throughput(prefix: str, workload: str, found: Throughput) -> Iterator[Row]:
    def row(key: str, label: str, value: float, unit: str, target: Target | None = None) -> Row:
        return Row(prefix + key, f"{workload}: {label}", value, unit, target if workload == "mix" else None)

    yield row("events_per_s", "both stages, one worker", found.events_per_s, "events/s", Target(">=", 40_000))
    yield row("cpu_us_per_event", "both stages, CPU", found.cpu_us_per_event, "us/event", Target("<=", 25))
    yield row("intake_cpu_us_per_event", "intake alone, CPU", found.intake_cpu_us_per_event, "us/event")
    yield row("customers_cpu_us_per_event", "customers alone, CPU", found.customers_cpu_us_per_event, "us/event")
    yield row("events_per_commit", "records per commit, both stages", found.events_per_commit, "")
    if found.broker_cpu_us_per_event is not None:
        yield row("broker_cpu_us_per_event", "the broker's CPU", found.broker_cpu_us_per_event, "us/event")
    if found.others_cores is not None:
        yield row("others_cores", "used by everything else", found.others_cores, "cores")
    yield row("step_ns", "a core's time for a step of a plain loop", found.step_ns, "ns")


def _of_latency(found: Latency) -> Iterator[Row]:
    at, rate = f"at_{found.rate}", f"{found.rate:,} events/s"
    target = Target("<=", 300) if found.rate == LATENCY_TARGET_RATE else None
    yield Row(f"p50_ms_{at}", f"event to output at {rate}, median", found.p50_ms, "ms")
    yield Row(f"p99_ms_{at}", f"event to output at {rate}, 99th percentile", found.p99_ms, "ms", target)
    yield Row(f"max_ms_{at}", "  longest", found.max_ms, "ms")
    yield Row(f"sent_per_s_{at}", "  really sent", found.sent_per_s, "events/s")
    yield Row(f"worker_cores_{at}", "  the worker's CPU", found.worker_cores, "cores")


def _of_silence(found: Silence) -> Iterator[Row]:
    crowd = f"while {found.customers:,} silent customers come due"
    yield Row("silence_p50_ms", f"event to output {crowd}, median", found.p50_ms, "ms")
    yield Row("silence_p99_ms", f"event to output {crowd}, 99th percentile", found.p99_ms, "ms", Target("<=", 500))
    yield Row("silence_max_ms", "  longest", found.max_ms, "ms")
    yield Row("silence_crossings_per_s", "  changes of band published", found.crossings_per_s, "events/s")


def rounded(value: float) -> float:
    """Four significant digits, and all digits of whole numbers: more would only look exact."""
    return round(value) if abs(value) >= ROUND_FROM else float(f"{value:.4g}")


def _cores() -> int:
    """Cores that this process may use."""
    usable: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
