"""What the commands of `tierstream customer` find in the journal: the past, one customer's timeline, and the index."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from agents.cli.options import print_json, print_table, progress_bar, say
from agents.errors import ConfigurationError
from agents.policy_files import policy_from_file
from agents.processes import Told, in_processes, processors
from agents.replay.explaining import explanation_at
from agents.replay.history import History, history_of, newest_policy, standing_at, steps
from agents.replay.index import CustomerIndex
from agents.replay.journal_file import JournalFile
from agents.replay.journal_topic import JournalTopic
from agents.replay.words import Row, now_words, rows_of
from agents.settings import Settings
from schemas.decisions import Profile
from streams.explain.report import Explanation
from streams.policy.model import Policy
from streams.standing.profile import profile

INDEX = "journal-index"
NOW = "now"
SLOW_RECORDS = 200_000
"""Records read one by one above which the index is worth a word."""
UNKNOWN_EXIT_CODE = 1

InputFile = Annotated[
    Path | None, Parameter(name="--input", help="Journal in a file, JSONL or Parquet; Kafka's by default.")
]
IndexFolder = Annotated[
    Path | None, Parameter(name="--index", help="Folder of the journal's index; by default in worker.data_dir.")
]
PolicyOption = Annotated[
    str | None, Parameter(help="Judge by this policy from the first event on: a file, or `now` for the newest one.")
]


class PastOptions(msgspec.Struct, frozen=True):
    """What the commands have in common."""

    policy: str | None
    journal: Path | None
    index: Path | None
    json: bool


class _Part(msgspec.Struct, frozen=True):
    """A unit of the journal to be indexed by a process."""

    journal: JournalFile | JournalTopic
    units: list[str]
    folder: str


def profile_at(settings: Settings, customer: bytes, at: int, options: PastOptions) -> Profile | None:
    """The customer's profile as it was, or would have been, at an instant."""
    history = _history(settings, customer, options)
    policy = _policy(options.policy, settings, history)
    found = standing_at(history, at, dedupe=settings.intake.dedupe, policy=policy)
    return profile(found.state, found.regime, customer.decode()) if found else None


def explain_at(settings: Settings, customer: bytes, at: int | None, options: PastOptions) -> Explanation | None:
    """Why the customer stood where they stood at an instant; None when nothing was known of them."""
    history = _history(settings, customer, options)
    policy = _policy(options.policy, settings, history)
    return explanation_at(history, at, dedupe=settings.intake.dedupe, policy=policy)


def tell_timeline(settings: Settings, customer: bytes, options: PastOptions) -> int:
    """Print a customer's timeline; the exit code."""
    history = _history(settings, customer, options)
    policy = _policy(options.policy, settings, history)
    rows = [row for step in steps(history, dedupe=settings.intake.dedupe, policy=policy) for row in rows_of(step)]
    if options.json:
        print_json({"customer_id": customer.decode(), "scanned": history.scanned, "timeline": rows})
    elif not rows:
        say(f"The journal holds nothing of {customer.decode()!r}.")
    else:
        print_table(("when", "", "what"), ((row.at, _mark(row), row.words) for row in rows))
        say("")
        say(now_words(history.time))
    return 0 if rows else UNKNOWN_EXIT_CODE


def extend_index(settings: Settings, options: PastOptions) -> None:
    """Bring the index up to the journal's present end, on all processors."""
    journal, folder = _journal(settings, options), _folder(settings, options)
    if not journal.seekable:
        raise ConfigurationError(
            "Single records of a Parquet file cannot be read.",
            where=journal.name,
            next_step="replay it as it is, or write it as JSONL",
        )
    units = journal.units(1)
    count = min(len(units), processors())
    total = sum(_left(CustomerIndex(folder, journal, unit), journal, unit) for unit in units)
    parts = [_Part(journal, units[first::count], str(folder)) for first in range(count)]
    with progress_bar("Indexing the journal") as told:
        in_processes(_extend, parts, lambda done: told(done, total))
    segments = [s.head for unit in units for s in CustomerIndex(folder, journal, unit).segments()]
    entries = sum(head.entries for head in segments)
    if options.json:
        print_json({"folder": str(folder), "segments": len(segments), "entries": entries})
    else:
        say(f"{entries:,} entries in {len(segments)} segments under {folder}")


def _extend(part: _Part, told: Told) -> None:
    done = 0
    for unit in part.units:
        for amount in CustomerIndex(Path(part.folder), part.journal, unit).extend():
            done += amount
            told(done)


def _left(index: CustomerIndex, journal: JournalFile | JournalTopic, unit: str) -> int:
    begin, end = journal.span(unit)
    segments = index.segments()
    return end - (segments[-1].head.end if segments else begin)


def _history(settings: Settings, customer: bytes, options: PastOptions) -> History:
    with progress_bar("Reading the journal") as told:
        history = history_of(_journal(settings, options), customer, _folder(settings, options), told)
    if history.scanned > SLOW_RECORDS and not options.json:
        say(f"{history.scanned:,} records were read one by one. To find customers at once: tierstream customer index")
    return history


def _journal(settings: Settings, options: PastOptions) -> JournalFile | JournalTopic:
    journal = JournalFile(str(options.journal)) if options.journal else JournalTopic(settings)
    journal.check()
    return journal


def _folder(settings: Settings, options: PastOptions) -> Path:
    return options.index or Path(settings.worker.data_dir) / INDEX


def _policy(chosen: str | None, settings: Settings, history: History) -> Policy | None:
    if chosen is None:
        return None
    return newest_policy(history) if chosen == NOW else policy_from_file(Path(chosen), settings)


def _mark(row: Row) -> str:
    return {"event": "", "decision": "→", "refused": "✗"}[row.kind]
