"""A worker process with one small stage: its argument is CONFIG.json. What tests need of a stage, no more.

The stage echoes every record of its sources to `out` and counts records per key; so `out` must equal the sources, and
the changelog the counts, exactly.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.logging_setup import configure_logging
from agents.runtime.engine import Engine
from agents.runtime.engine_settings import EngineSettings, Pace, ProgressSettings
from agents.runtime.run import run
from agents.runtime.stage import Batch, OutputRecord, Record, StateRecord
from agents.settings import LogSettings

POISON = b"poison"


@dataclass
class Echo:
    """The stage; the fields beyond the names are what can be made to go wrong."""

    sources: tuple[str, ...]
    out: str
    slow_s: float = 0.0
    """How long a record takes to fold."""
    restore_s: float = 0.0
    """How long restoring a partition takes."""
    name: str = "echo"
    made: list["EchoPartition"] = field(default_factory=list)

    def partition(self, number: int) -> "EchoPartition":
        """Make a partition and remember it, for the tests that look inside."""
        made = EchoPartition(self, number)
        self.made.append(made)
        return made


class EchoPartition:
    """Counts per key, and the records to echo."""

    def __init__(self, stage: Echo, number: int) -> None:
        self.stage, self.number = stage, number
        self.counts: dict[bytes, int] = {}
        self.touched: dict[bytes, int] = {}
        self.echoes: list[OutputRecord] = []
        self.polled: list[tuple[int | None, int]] = []
        """Each watermark that was given, and how many records were folded by then."""
        self.commits = 0

    def restore(self, records: Iterable[StateRecord]) -> None:
        """Take the counts back."""
        self.counts.update((key, int(value)) for key, value in records if value is not None)

    def ready(self) -> None:
        """Take the time that a larger state would take."""
        if self.stage.restore_s:
            sys.stderr.write("a slow restore has begun\n")
            time.sleep(self.stage.restore_s)

    def fold(self, records: Sequence[Record], deadline: float) -> int:
        """Echo and count."""
        for taken, record in enumerate(records, 1):
            assert record.key is not None
            if record.value == POISON:
                raise ValueError("poison")
            self.counts[record.key] = self.touched[record.key] = self.counts.get(record.key, 0) + 1
            self.echoes.append((record.key, record.value, [("from", record.topic.encode())]))
            if self.stage.slow_s:
                time.sleep(self.stage.slow_s)
            if time.perf_counter() > deadline:
                return taken
        return len(records)

    def work(self, deadline: float) -> bool:
        """Have nothing else to do."""
        del deadline
        return False

    def poll(self, watermark_ms: int | None) -> None:
        """Remember the watermark."""
        self.polled.append((watermark_ms, sum(self.counts.values())))

    def drain(self) -> Batch:
        """Hand over counts and echoes."""
        states: list[StateRecord] = [(key, b"%d" % count) for key, count in self.touched.items()]
        outputs = {(self.stage.out, self.number): self.echoes} if self.echoes else {}
        self.touched, self.echoes = {}, []
        return Batch(states, outputs)

    def committed(self) -> None:
        """Count commits."""
        self.commits += 1


def make_engine(config: dict[str, Any]) -> tuple[Engine, Echo]:
    """Wire the stage into an engine; needs a running event loop."""
    app = config["application"]
    stage = Echo(tuple(config["sources"]), f"{app}-out", config.get("slow_s", 0.0), config.get("restore_s", 0.0))
    progress = ProgressSettings(f"{app}-progress", "echo", stage.sources) if config.get("progress") else None
    settings = EngineSettings(
        application=app,
        bootstrap=config["bootstrap"],
        partitions=config["partitions"],
        data_dir=Path(config["data_dir"]),
        instance_id=config.get("instance_id"),
        session_timeout_s=config.get("session_timeout_s", 6),
        pace=Pace(stalled_after_s=config.get("stalled_after_s", 30.0)),
        accepted_topics=frozenset(config.get("accepted_topics", ())),
        progress=progress,
    )
    return Engine(settings, [stage]), stage


async def main(config: dict[str, Any]) -> int:
    """Run until a signal or a failure; returns the exit code."""
    failure = await run(make_engine(config)[0])
    if failure is not None:
        sys.stderr.write(f"{failure}\n")
    return failure.exit_code if failure else 0


def begin(arguments: Sequence[str]) -> None:
    """Be the process."""
    configure_logging(LogSettings(format="json"))
    sys.exit(asyncio.run(main(json.loads(Path(arguments[0]).read_text()))))
