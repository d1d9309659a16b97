"""`tierstream schemas`: the contract on the command line: write its files, list its types, check a file of events."""

import json
import sys
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from agents.feed_file import open_events
from schemas.cloudevents import OUTPUT_CLASSES
from schemas.events import EVENT_CLASSES, TOPIC_OF, type_of
from schemas.rejections import Rejected
from schemas.strictness import unknown_members
from streams.hearing import BEARINGS, bearing_of
from streams.intake import understood

app: Final = App(name="schemas", help="The contract: JSON Schemas, AsyncAPI, and checks of your own events.")

_SHOWN_MAX: Final = 20
_FAILED: Final = 1

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON document instead of text.")]


@app.command
def generate(*, out: Path | None = None, check: bool = False) -> int:
    """Write the JSON Schemas and the AsyncAPI document that follow from the types.

    Example: tierstream schemas generate --out ./contract

    Parameters
    ----------
    out
        Folder to write into; the installed package's own by default.
    check
        Write nothing; name the files that differ and exit with 1.
    """
    from schemas.generate import published_files

    folder = out or Path(str(resources.files("schemas")))
    files = published_files()
    differing = [name for name, text in files.items() if not _holds(folder / name, text)]
    for name in differing:
        _say(f"differs: {folder / name}" if check else f"written: {folder / name}")
    if check:
        return _FAILED if differing else 0
    for name in differing:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(files[name], encoding="utf-8")
    _say(f"{len(files)} files in {folder}, {len(differing)} of them new or changed")
    return 0


@app.command(name="list")
def list_types(*, as_json: Json = False) -> None:
    """List every event type with the topic it belongs on and whether it moves anything, and every output type.

    Example: tierstream schemas list
    """
    from schemas.catalog import TOPICS

    topic_of_output = {name: topic for topic, spec in TOPICS.items() for name in spec.types}
    outputs = {name: topic_of_output[name.split(".", 1)[1].rsplit(".", 1)[0]] for name in OUTPUT_CLASSES}
    bearings = {name: bearing_of(cls) for name, cls in EVENT_CLASSES.items()}
    if as_json:
        _say(json.dumps({"inputs": dict(TOPIC_OF), "bearings": bearings, "outputs": outputs}))
        return
    _say("Events you send:")
    for name, topic in TOPIC_OF.items():
        bearing = bearings[name]
        _say(f"  {name:<42} {topic:<12}{'' if bearing == 'heard' else BEARINGS[bearing]}".rstrip())
    _say("Events you get:")
    for name, topic in outputs.items():
        _say(f"  {name:<42} {topic}")


@app.command
def check(file: Path, /, *, as_json: Json = False) -> int:
    """Check a file of events as the intake would: `.json` is one event, anything else one event per line.

    Exits with 1 when an event would be refused. Members that nobody reads, often misspelt ones, are named too.

    Example: tierstream schemas check orders.jsonl

    Parameters
    ----------
    file
        The file to check; nothing is sent anywhere.
    """
    accepted: Counter[str] = Counter()
    refused: list[dict[str, object]] = []
    ignored: Counter[str] = Counter()
    for line, value in _values(file):
        event = understood(value)
        if isinstance(event, Rejected):
            refused.append({"line": line, "reason": event.reason.value, "detail": event.detail})
            continue
        accepted[type_of(event)] += 1
        ignored.update(f"{type_of(event)}: {path}" for path in unknown_members(value))
    if as_json:
        _say(json.dumps({"accepted": accepted, "refused": refused, "ignored_members": ignored}))
    else:
        _report(file, accepted, refused, ignored)
    return _FAILED if refused else 0


def _report(file: Path, accepted: Counter[str], refused: list[dict[str, object]], ignored: Counter[str]) -> None:
    for name, count in accepted.most_common():
        _say(f"{count:>9,} {name}")
    for member, count in ignored.most_common(_SHOWN_MAX):
        _say(f"{count:>9,} x ignored, not part of {member}")
    for refusal in refused[:_SHOWN_MAX]:
        _say(f"{file}:{refusal['line']}: {refusal['reason']}: {refusal['detail']}")
    if len(refused) > _SHOWN_MAX:
        _say(f"... and {len(refused) - _SHOWN_MAX:,} more refusals; --json names all")
    _say(f"{accepted.total():,} accepted, {len(refused):,} refused")


def _values(file: Path) -> Iterator[tuple[int, bytes]]:
    """Line number and bytes of every event in a file."""
    with open_events(file) as events:
        if file.suffix == ".json":
            yield 1, b"".join(events.raw_lines()).removeprefix(BOM_UTF8).strip()
        else:
            yield from events.lines()


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
