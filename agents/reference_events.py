"""The page of events: what each type tells, where it belongs, and what becomes of it in this version."""

from collections.abc import Callable

from schemas.events import EVENT_CLASSES, TOPIC_OF
from streams.hearing import BEARINGS, bearing_of

_INTRODUCTION = """\
What you send. Each type has a JSON Schema (`schemas/jsonschema/`) and examples (`schemas/examples/`);
`tierstream schemas check FILE` judges a file of yours. The contract has more types than this version acts upon, so that
producers need not change when it does: what is only kept will count when the journal is folded again by a version that
hears it. What is refused lies in `dead-letters` with the reason `unsupported`: see
[personal data](../how-to/personal-data.md).
"""


def events_page(note: str, cell: Callable[[str], str]) -> str:
    """The page's text; `cell` makes a text fit for a table."""
    lines = ["# Events", "", note, _INTRODUCTION, "| type | topic | what it tells | what becomes of it |"]
    lines.append("|---|---|---|---|")
    for name, cls in EVENT_CLASSES.items():
        told = cell((cls.__doc__ or "").split("\n")[0])
        lines.append(f"| `{name}` | `{TOPIC_OF[name]}` | {told} | {BEARINGS[bearing_of(cls)]} |")
    return "\n".join([*lines, ""])
