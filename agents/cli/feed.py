"""`tierstream feed`: sends a file of events."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.errors import ConfigurationError
from agents.feed import Report, Told, at_rate, at_speed, feed_history, feed_in_time, feed_lines, in_good_time
from agents.feed_file import EventFile, PassedLine, Ready, RefusedLine, open_events
from agents.mapped_file import MappedFile, open_mapped
from agents.settings import Settings
from schemas.clock import parse_instant
from schemas.rejections import RefusalReason

app = App(name="feed")

REFUSED_EXIT_CODE = 1
REFUSED_SHOWN_MAX = 20
TELL_EVERY = 500

BACKFILL = "Load a history, in order of time: every change carries cause = backfill, until `tierstream go-live`."
EVENT_CLOCK = "Send in order of time to the topic imports, and let the events tell the time: for histories."
MAP = "Mapping file that says what the lines or rows mean; the word `segment` for Segment's calls."
UNTIL = "With --event-clock: the instant at which the clock ends; the last event's time by default."


@app.default
def feed(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, Parameter(help="One event per line: CloudEvents or flat JSON; or any file with --map.")],
    /,
    *,
    mapping: Annotated[Path | None, Parameter(name="--map", help=MAP)] = None,
    backfill: Annotated[bool, Parameter(negative="", show_default=False, help=BACKFILL)] = False,
    event_clock: Annotated[bool, Parameter(negative="", show_default=False, help=EVENT_CLOCK)] = False,
    until: Annotated[str | None, Parameter(help=UNTIL)] = None,
    rate: Annotated[float | None, Parameter(help="Events per second at most.")] = None,
    speed: Annotated[float | None, Parameter(help="With --event-clock: simulated days per second at most.")] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Send a file of events, each to the topic of its type. Sent twice, it changes nothing.

    Lines that would be refused are not sent, but listed with their numbers; exit code 1 then.

    Example: tierstream feed till.csv --map till.toml
    """
    settings = settings_of(config)
    if not event_clock and (until or speed):
        raise ConfigurationError("--until and --speed need --event-clock.", next_step="tierstream feed --help")
    if backfill and event_clock:
        raise ConfigurationError(
            "--backfill and --event-clock exclude each other.",
            why="with an event clock everything is history, and nothing ever goes live",
            next_step="--backfill, with the broker's clock, for a history that live events follow",
        )
    opened = open_events(file) if mapping is None else open_mapped(file, mapping)
    with opened as events, _progress(events) as told:
        if backfill:
            report = _history(settings, events, rate, told)
        elif event_clock:
            report = _in_time(settings, events, _instant(until), speed, told)
        else:
            lines = in_good_time(events.in_file_order(), settings, int(time() * 1000))
            report = feed_lines(
                settings, at_rate(lines, rate) if rate else lines, feed_id=events.fingerprint, told=told
            )
    _print(report, as_json=json)
    if not json:
        _advise(report, mapped=mapping is not None)
    return REFUSED_EXIT_CODE if report.refused else 0


def _history(settings: Settings, events: EventFile | MappedFile, rate: float | None, told: Told) -> Report:
    rest, ordered = events.in_time_order()
    paced = at_rate(ordered, rate) if rate else ordered
    report = feed_history(settings, paced, feed_id=events.fingerprint, told=told)
    return _with_rest(report, rest)


def _in_time(
    settings: Settings, events: EventFile | MappedFile, until: int | None, speed: float | None, told: Told
) -> Report:
    rest, ordered = events.in_time_order()
    paced = at_speed(ordered, speed) if speed else ordered
    report = feed_in_time(settings, paced, feed_id=events.fingerprint, until=until, told=told)
    return _with_rest(report, rest)


def _with_rest(report: Report, rest: Iterable[RefusedLine | PassedLine]) -> Report:
    """What of the file was not sent."""
    lines = list(rest)
    report.refused = [line for line in lines if isinstance(line, RefusedLine)]
    report.passed = [line for line in lines if isinstance(line, PassedLine)]
    return report


def _advise(report: Report, *, mapped: bool) -> None:
    """What was probably meant, where a file was refused for a reason that every newcomer meets."""
    reasons = {line.reason for line in report.refused}
    if not report.sent and not mapped and reasons == {RefusalReason.NOT_JSON.value}:
        say("\nThis is no file of events. A table, or another system's export, needs --map: tierstream map --help")
    if RefusalReason.LATE.value in reasons:
        say("\nA history is loaded with --backfill, before live events: then no event is too old.")


def _instant(text: str | None) -> int | None:
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise ConfigurationError(f"--until {text} is no instant.", why=str(error)) from error


@contextmanager
def _progress(events: EventFile | MappedFile) -> Iterator[Told]:
    """A bar over the bytes of the file, on a terminal."""
    columns = (TextColumn("{task.fields[sent]:,} events"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task, sent, size = bar.add_task("", total=events.size, sent=0), 0, 0

        def told(event: Ready) -> None:
            nonlocal sent, size
            sent, size = sent + 1, size + len(event.value) + 1
            if sent % TELL_EVERY == 0:
                bar.update(task, completed=size, sent=sent)

        yield told


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        refused, passed = ([line._asdict() for line in lines] for lines in (report.refused, report.passed))
        print_json(
            {
                "sent": report.sent,
                "topics": report.topics,
                "refused": refused,
                "passed": passed,
                "seconds": round(report.seconds, 3),
                "closed_at": report.closed_at,
            }
        )
        return
    rate = report.sent / report.seconds if report.seconds else 0
    say(f"{report.sent:,} events sent in {report.seconds:.1f} s ({rate:,.0f} per second).")
    print_table(("topic", "events"), ((topic, f"{count:,}") for topic, count in sorted(report.topics.items())))
    if report.closed_at:
        say(f"The event clock stands at {report.closed_at} and is closed.")
    for cause, count in Counter(line.cause for line in report.passed).most_common():
        lines = [str(line.line) for line in report.passed if line.cause == cause]
        more = ", ..." if len(lines) > REFUSED_SHOWN_MAX else ""
        say(f"{count:,} not sent ({cause}): line {', '.join(lines[:REFUSED_SHOWN_MAX])}{more}")
    if report.refused:
        say(f"\n{len(report.refused):,} refused, and not sent:")
        shown = report.refused[:REFUSED_SHOWN_MAX]
        print_table(("line", "reason", "detail"), ((str(r.line), r.reason, r.detail) for r in shown))
        if len(report.refused) > len(shown):
            say(f"... and {len(report.refused) - len(shown):,} more: --json lists all")
