"""`tierstream map`: what a mapping file makes of another system's records, before anything is sent."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from agents.cli.options import AsJson, out, print_json, say
from agents.mapped_file import Judged, open_mapped
from schemas.events import type_of
from schemas.formats.record import Skipped
from schemas.journal import encode_journal
from schemas.rejections import Rejected

app = App(name="map", help="See what a mapping file makes of another system's records.")

REFUSED_EXIT_CODE = 1

FILE = "One record per line, as its value or as `kcat -J` prints it; with a mapping for csv, a table."
MAP = "Mapping file; the word `segment` for Segment's calls, which need none."


@app.command(name="test")
def try_out(
    file: Annotated[Path, Parameter(help=FILE)],
    /,
    *,
    mapping: Annotated[Path, Parameter(name="--map", help=MAP)],
    json: AsJson = False,
) -> int:
    """Show the events that each line or order gives, or why it gives none. Nothing is sent, no broker is asked.

    Exits with 1 when something is refused, with 2 when the mapping file has mistakes, all of which are listed.

    Example: tierstream map test sample.csv --map till.toml
    """
    counts: Counter[str] = Counter()
    with open_mapped(file, mapping) as records:
        for judged in records.judged():
            counts.update(_account(judged))
            if json:
                print_json(_as_json(judged))
            else:
                _print(judged)
    if not json:
        say(", ".join(f"{count:,} {what}" for what, count in counts.items()) or "nothing in the file")
    return REFUSED_EXIT_CODE if counts["refused"] else 0


def _account(judged: Judged) -> list[str]:
    if isinstance(judged.decoded, Skipped):
        return ["skipped"]
    return ["refused" if isinstance(event, Rejected) else type_of(event) for event in judged.decoded]


def _as_json(judged: Judged) -> dict[str, Any]:
    found: dict[str, Any] = {"line": judged.line, "events": [], "refused": []}
    if isinstance(judged.decoded, Skipped):
        return found | {"skipped": judged.decoded.cause.value, "detail": judged.decoded.detail}
    for event in judged.decoded:
        if isinstance(event, Rejected):
            found["refused"].append({"reason": event.reason.value, "detail": event.detail})
        else:
            found["events"].append(msgspec.Raw(encode_journal(event)))
    return found


def _print(judged: Judged) -> None:
    line = f"{judged.line:>6}  "
    if isinstance(judged.decoded, Skipped):
        say(f"{line}skipped  {judged.decoded.cause.value}: {judged.decoded.detail}")
        return
    for event in judged.decoded:
        if isinstance(event, Rejected):
            say(f"{line}refused  {event.reason.value}: {event.detail}")
        else:
            out.file.write(f"{line}{encode_journal(event).decode()}\n")
