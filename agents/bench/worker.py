"""The worker under measurement: run as `python -m agents.bench.worker SETTINGS SAMPLES STAGES`.

It is the product's own worker; beside it, in its event loop, its progress and its processor time are written down.
"""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
from prometheus_client import Counter

from agents.app import run_worker
from agents.runtime.engine import Engine
from agents.settings import Settings

SAMPLE_EVERY_S = 0.1


class Sample(msgspec.Struct, frozen=True):
    """Where the worker stood at one moment."""

    at_s: float
    """`time.monotonic()`, which all processes of a machine share."""
    cpu_s: float
    """User and system time of the process since it began, all threads."""
    committed: dict[str, int]
    """Input records folded and committed, by stage."""
    commits: dict[str, int]
    """Committed transactions, by stage."""
    opening: dict[str, int]
    """Partitions that are being restored, by stage."""
    ready: dict[str, int]
    """Partitions at work, by stage."""


def most(sample: Sample) -> int:
    """How many events the stage that is ahead has taken."""
    return max(sample.committed.values(), default=0)


def least(sample: Sample) -> int:
    """How many events the stage that is behind has taken."""
    return min(sample.committed.values(), default=0)


def take_sample(engine: Engine) -> Sample:
    """Look at the engine; call it from its event loop."""
    tenures = {table.stage.name: [task.tenure for task in table.tasks.values()] for table in engine.tables}
    return Sample(
        at_s=time.monotonic(),
        cpu_s=time.process_time(),
        committed={name: _value(engine.metrics.events.labels(name)) for name in tenures},
        commits={name: _value(engine.metrics.commits.labels(name)) for name in tenures},
        opening={name: found.count(None) for name, found in tenures.items()},
        ready={name: len(found) - found.count(None) for name, found in tenures.items()},
    )


def _value(counter: Counter) -> int:
    return int(next(iter(counter.collect())).samples[0].value)


def main(settings_path: str, samples_path: str, stages: str) -> int:
    """Run until SIGTERM; returns the worker's exit code."""
    settings = msgspec.json.decode(Path(settings_path).read_bytes(), type=Settings)
    with Path(samples_path).open("wb", buffering=0) as file:

        async def watch(engine: Engine) -> None:
            while True:
                file.write(msgspec.json.encode(take_sample(engine)) + b"\n")
                await asyncio.sleep(SAMPLE_EVERY_S)

        return run_worker(settings, stages=stages.split(","), watch=watch)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
