"""A whole journal folded on all processors, with the event files, the snapshots and the counts that come of it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from agents.processes import in_processes, processors
from agents.replay.event_files import FILES, JOURNAL
from agents.replay.runs import write_files
from agents.replay.unit import Journal, Options, Share, Tally, replay_units

RUNS: Final = ".runs"

Progress = Callable[[int, int], None]
"""Is told how many positions have been passed, of how many."""


class Replay(msgspec.Struct, frozen=True):
    """What a replay was."""

    tally: Tally
    seconds: float
    processes: int
    lines: int
    """Of the event files."""


def replay(journal: Journal, options: Options, *, out: Path | None, jobs: int | None, told: Progress) -> Replay:
    """Fold a journal; with `out`, write the event files there. `jobs` processes, one per processor by default."""
    begun = time.perf_counter()
    units = journal.units(jobs or processors())
    count = min(len(units), jobs or processors())
    if out is not None:
        options = msgspec.structs.replace(options, runs=str(out / RUNS))
    total = sum(end - begin for begin, end in map(journal.span, units))
    shares = [Share(journal, units[first::count], options) for first in range(count)]
    whole = Tally()
    for tally in in_processes(replay_units, shares, lambda done: told(done, total)):
        whole.add(tally)
    lines = 0
    if out is not None:
        lines = write_files(out, whole.runs, [topic for topic in FILES if topic != JOURNAL or options.journal_lines])
        (out / RUNS).rmdir()
    return Replay(whole, time.perf_counter() - begun, count, lines)
