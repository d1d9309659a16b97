"""Runs a simulation: customers into files of days, these into one sequence, and the truth into a file of its own."""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from agents.errors import ConfigurationError
from agents.simulator.day_files import DayFiles
from agents.simulator.shop import Options, Shop
from agents.user_files import unwritable
from schemas.clock import MS_PER_DAY
from schemas.events import type_of
from schemas.journal import encode_journal

TOLD_EVERY = 200

TRUTH_FILE, EVENTS_FILE = "truth.jsonl", "events.jsonl"

Told = Callable[[int], None]
"""Called now and then with how many customers or events are done; what it raises ends the run."""


class Simulated(msgspec.Struct):
    """A simulation whose customers are all made; its events are read once, in order."""

    events: Iterator[bytes]
    """One flat JSON object each."""
    counts: Counter[str]
    """Events by type."""
    customers: int
    alive: int
    """Customers who are still there at the end."""


def feed_id(options: Options) -> str:
    """Names what is simulated: the same again is recognised as such."""
    return "simulate-" + hashlib.sha256(msgspec.json.encode(options)).hexdigest()[:16]


def open_shop(options: Options) -> Shop:
    """The shop of the options; ConfigurationError for what cannot be simulated."""
    try:
        return Shop(options)
    except ValueError as error:
        raise ConfigurationError(
            "This cannot be simulated.", why=str(error), next_step="tierstream simulate --help"
        ) from error


@contextmanager
def simulated(
    options: Options, folder: Path, *, in_time_order: bool = False, told: Told | None = None
) -> Iterator[Simulated]:
    """Make all customers, write the truth about them to `folder`, and give their events, by arrival or by time.

    Days wait in a folder beside, which is gone when the block ends.
    """
    shop = open_shop(options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        parts = Path(tempfile.mkdtemp(prefix=".days-", dir=folder))
    except OSError as error:
        raise unwritable(folder, "The folder cannot be written.", error) from error
    try:
        days, counts = DayFiles(parts), Counter[str]()
        with finished_file(folder / TRUTH_FILE) as truth:
            alive = _make(shop, days, counts, truth.write, told, in_time_order=in_time_order)
        yield Simulated(days.in_order(), counts, options.customers, alive)
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _make(
    shop: Shop,
    days: DayFiles,
    counts: Counter[str],
    write_truth: Callable[[bytes], object],
    told: Told | None,
    *,
    in_time_order: bool,
) -> int:
    alive, begins_at = 0, shop.time.begins_at
    for number in range(1, shop.options.customers + 1):
        made = shop.customer(number)
        for place, (arrived_at, occurred_at, event) in enumerate(made.happenings):
            instant = occurred_at if in_time_order else arrived_at
            days.add((instant - begins_at) // MS_PER_DAY, instant, number, place, encode_journal(event))
            counts[type_of(event)] += 1
        write_truth(msgspec.json.encode(made.truth) + b"\n")
        alive += made.truth.alive_at_end
        if told is not None and number % TOLD_EVERY == 0:
            told(number)
    return alive


@contextmanager
def finished_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_events(simulation: Simulated, path: Path, told: Told | None = None) -> int:
    """Write the events, one a line; returns how many there are."""
    written = 0
    with finished_file(path) as file:
        for written, line in enumerate(simulation.events, 1):
            file.write(line + b"\n")
            if told is not None and written % TOLD_EVERY == 0:
                told(written)
    return written
