"""`tierstream dlq`: dead letters, what they hold, and how they are sent again."""

import getpass
import json as json_text
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.dead_letter_view import grouped, lines_of, row_of, value_text, whole
from agents.dead_letters import Progress as Told
from agents.dead_letters import Selection, Status, letters, settled
from agents.errors import ConfigurationError
from agents.redrive import Deed, Outcome, perform, rehearse, with_fields
from agents.settings import Settings
from agents.user_files import unreadable
from schemas.catalog import TOPICS
from schemas.clock import parse_instant
from schemas.dead_letters import DeadLetter
from schemas.rejections import RefusalReason

app = App(
    name="dlq",
    help="Look at dead letters, and send them again.",
    default_parameter=Parameter(negative="", show_default=False),
)

NOT_FOUND_EXIT_CODE = 1
ROWS_DEFAULT = 50
RANGE = "Only these offsets of dead-letters: PARTITION, PARTITION:OFFSET or PARTITION:FIRST-LAST."
SET = "Set a member of the JSON first: PATH=VALUE, as total_minor=2750 or data.currency=USD."
DRY_RUN = "Say what would be done, and do nothing."
All = Annotated[bool, Parameter(name="--all", help="Every letter that is not settled.")]
UNSETTLED: frozenset[Status] = frozenset({"open", "parked"})


@Parameter(name="*")
@dataclass(frozen=True)
class Filters:
    """Which letters are meant."""

    reason: Annotated[tuple[RefusalReason, ...], Parameter(help="Only these reasons.")] = ()
    topic: Annotated[tuple[str, ...], Parameter(help="Only originals of these topics.")] = ()
    since: Annotated[str | None, Parameter(help="Only letters that arrived at or after this instant.")] = None
    until: Annotated[str | None, Parameter(help="Only letters that arrived before this instant.")] = None
    range: Annotated[tuple[str, ...], Parameter(help=RANGE)] = ()


@Parameter(name="*")
@dataclass(frozen=True)
class Sending:
    """How letters are sent."""

    rate: Annotated[float | None, Parameter(help="Letters per second at most.")] = None
    edit: Annotated[Path | None, Parameter(help="Send this file's bytes in place of the one letter meant.")] = None
    set: Annotated[tuple[str, ...], Parameter(help=SET)] = ()
    force: Annotated[bool, Parameter(help="Parked letters too.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Extent:
    """How much is done, and for whose account."""

    every: All = False
    limit: Annotated[int | None, Parameter(help="At most so many letters.")] = None
    dry_run: Annotated[bool, Parameter(help=DRY_RUN)] = False
    who: Annotated[str | None, Parameter(help="Who does it, for the audit; by default this machine's user.")] = None


Letters = Annotated[str, Parameter(help="PARTITION-OFFSET in dead-letters, or TOPIC-PARTITION-OFFSET of an original.")]


@app.command(name="list")
def list_letters(
    *,
    filters: Filters = Filters(),
    records: Annotated[bool, Parameter(help="The letters, not counts.")] = False,
    limit: Annotated[int, Parameter(help="With --records: at most so many.", show_default=True)] = ROWS_DEFAULT,
    settled_too: Annotated[bool, Parameter(name="--all", help="Redriven and dropped ones too.")] = False,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Count dead letters by reason and topic, or list them; without personal data.

    Example: tierstream dlq list --reason schema --since 2026-11-01T00:00:00Z
    """
    settings = settings_of(config)
    with _progress() as told:
        found = _found(settings, _selection(settings, filters), told, settled_too=settled_too)
        if records:
            rows = [row_of(*each) for each in islice(found, limit)]
        else:
            groups = grouped(found)
    if json:
        print_json({"letters": rows} if records else {"groups": groups})
    elif records:
        columns = ("letter", "status", "reason", "stage", "original", "attempts", "arrived")
        print_table(columns, ([str(row[column]) for column in columns] for row in rows))
        say("" if len(rows) < limit else f"The first {limit}; --limit shows more.")
    elif groups:
        cells = ((g.status, g.reason, g.topic, f"{g.letters:,}", g.first, g.last) for g in groups)
        print_table(("status", "reason", "original topic", "letters", "first", "last"), cells)
        say("\nSee some: tierstream dlq list --records; one with its content: tierstream dlq show LETTER")
    else:
        say("There are no such dead letters.")


@app.command
def show(letter: Letters, /, *, config: ConfigPath = None, json: AsJson = False) -> int:
    """Show one dead letter with everything in it, personal data included; exit code 1 when there is none.

    Example: tierstream dlq show 3-17
    """
    settings = settings_of(config)
    found = next(_found(settings, Selection(places=frozenset({letter})), None, settled_too=True), None)
    if found is None:
        say(f"There is no dead letter {letter}: its name is the one of `tierstream dlq list --records`.")
        return NOT_FOUND_EXIT_CODE
    if json:
        print_json(whole(*found))
        return 0
    print_table(("", ""), lines_of(*found))
    say("\n" + value_text(found[0].value))
    return 0


@app.command
def redrive(
    *letter: Letters,
    filters: Filters = Filters(),
    sending: Sending = Sending(),
    extent: Extent = Extent(),
    why: Annotated[str, Parameter(help="Why, for the audit.")] = "",
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Send dead letters again to where they came from. A letter is sent once, whatever happens to this command.

    A letter that was refused three times is parked. Letters that still cannot be used come back as new ones, and many
    of them in a row stop a worker (intake.breaker_ratio): try a few first.

    Example: tierstream dlq redrive --reason schema --set currency=USD --limit 10
    """
    settings = settings_of(config)
    selection = _meant(settings, letter, filters, every=extent.every)
    changes = dict(_assignment(text) for text in sending.set)
    if sending.edit is not None and changes:
        raise ConfigurationError("--edit and --set exclude each other.", next_step="tierstream dlq redrive --help")
    edit = with_fields(changes) if changes else None
    if sending.edit is not None:
        edit = _replaced(settings, selection, sending.edit)
    deed = Deed(
        selection=selection,
        who=extent.who or getpass.getuser(),
        why=why,
        edit=edit,
        edited="replaced" if sending.edit else ", ".join(sorted(changes)),
        force=sending.force,
        limit=extent.limit,
        per_s=sending.rate,
    )
    _report(settings, deed, dry_run=extent.dry_run, as_json=json, word="redriven")


@app.command
def drop(
    *letter: Letters,
    filters: Filters = Filters(),
    extent: Extent = Extent(),
    why: Annotated[str, Parameter(help="Why, for the audit.")],
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Settle dead letters without sending them. No bytes are deleted: they go when the topic's retention ends.

    Example: tierstream dlq drop --reason unknown_type --why "events of the old loyalty tool"
    """
    settings = settings_of(config)
    selection = _meant(settings, letter, filters, every=extent.every)
    who = extent.who or getpass.getuser()
    deed = Deed(selection=selection, who=who, why=why, send=False, limit=extent.limit)
    _report(settings, deed, dry_run=extent.dry_run, as_json=json, word="dropped")


def _found(
    settings: Settings, selection: Selection, told: Told | None, *, settled_too: bool
) -> Iterator[tuple[DeadLetter, Status]]:
    known = settled(settings)
    for letter in letters(settings, selection, told):
        status = known.status(letter)
        if settled_too or status in UNSETTLED:
            yield letter, status


def _meant(settings: Settings, named: tuple[str, ...], filters: Filters, *, every: bool) -> Selection:
    """The letters that a command is to touch: some choice must have been made."""
    if not (named or every or filters != Filters()):
        raise ConfigurationError(
            "Which letters?", next_step="name some, or filter (--reason, --topic, --since, ...), or say --all"
        )
    return _selection(settings, filters, frozenset(named))


def _selection(settings: Settings, filters: Filters, places: frozenset[str] = frozenset()) -> Selection:
    return Selection(
        places=places,
        reasons=frozenset(reason.value for reason in filters.reason),
        topics=frozenset(settings.topic(name) if name in TOPICS else name for name in filters.topic),
        since=_instant("--since", filters.since),
        until=_instant("--until", filters.until),
        ranges=tuple(_range(text) for text in filters.range),
    )


def _instant(option: str, text: str | None) -> int | None:
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise ConfigurationError(f"{option} {text} is no instant.", why=str(error)) from error


def _range(text: str) -> tuple[int, int, int]:
    partition, _, offsets = text.partition(":")
    first, _, last = offsets.partition("-")
    try:
        return int(partition), int(first or 0), int(last or first or sys.maxsize)
    except ValueError as error:
        raise ConfigurationError(f"--range {text} is none.", next_step="as 3, 3:17 or 3:100-200") from error


def _assignment(text: str) -> tuple[str, Any]:
    """`a.b=VALUE`: VALUE is JSON, and what is none is text."""
    path, equals, value = text.partition("=")
    if not (path and equals):
        raise ConfigurationError(f"--set {text} is no assignment.", next_step="--set total_minor=2750")
    try:
        return path, json_text.loads(value)
    except ValueError:
        return path, value


def _replaced(settings: Settings, selection: Selection, file: Path) -> Callable[[bytes | None], bytes | None]:
    """An edit that puts a file in place of the one letter that is meant."""
    meant = sum(1 for _ in islice(letters(settings, selection), 2))
    if meant != 1:
        raise ConfigurationError(
            "--edit replaces exactly one letter.",
            why="none is meant" if meant == 0 else "several are meant",
            next_step="tierstream dlq redrive LETTER --edit FILE",
        )
    try:
        content = file.read_bytes()
    except OSError as error:
        raise unreadable(file, "The replacement", error) from error
    return lambda _: content


@contextmanager
def _progress() -> Iterator[Told]:
    """A bar over the topic, on a terminal."""
    columns = (TextColumn("dead letters"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _report(settings: Settings, deed: Deed, *, dry_run: bool, as_json: bool, word: str) -> None:
    with _progress() as told:
        outcome = (rehearse if dry_run else perform)(settings, deed, told)
    if as_json:
        print_json({"dry_run": dry_run, word: outcome.done, **_counts(outcome)})
        return
    say(f"{outcome.done:,} {'would be ' if dry_run else ''}{word}.")
    print_table(("reason", "letters"), ((name, f"{count:,}") for name, count in outcome.by_reason.most_common()))
    for topic, count in outcome.by_topic.items():
        say(f"  to {topic}: {count:,}")
    for count, account in (
        (outcome.settled, "were redriven or dropped before"),
        (outcome.parked, "are parked after three attempts (--force sends them)"),
        (outcome.unedited, "are no JSON object with such members"),
        (outcome.unroutable.total(), f"came from what intake no longer reads: {', '.join(outcome.unroutable)}"),
    ):
        if count:
            say(f"  left alone: {count:,} {account}")
    if outcome.backfill:
        say(f"  {outcome.backfill:,} are part of a history: their partitions load one again until tierstream go-live")


def _counts(outcome: Outcome) -> dict[str, object]:
    names = ("by_reason", "by_topic", "backfill", "settled", "parked", "unedited", "unroutable")
    return {name: getattr(outcome, name) for name in names}
