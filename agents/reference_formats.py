"""The reference page of foreign formats and mapping files: words from the code, examples from the executed ones."""

import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final, get_args

from schemas.fields import LIST_LENGTH_MAX
from schemas.formats.debezium import OPERATIONS
from schemas.formats.mapping import MS_PER_UNIT, Kind, Test
from schemas.formats.record import SkipCause
from schemas.formats.segment import ACTIONS
from schemas.formats.table import ENCODINGS, GROUP_ROWS_MAX, QUOTED_LINES_MAX
from streams.mappings.fields import OPTIONS
from streams.mappings.parse import DEFAULT_OPERATIONS, ROOTS

EXAMPLES = Path(str(resources.files("schemas"))) / "formats" / "examples"

FORMATS: Final[Mapping[str, str]] = {
    "tierstream": "CloudEvents, structured or binary, or flat JSON of our event types; nothing to declare",
    "segment": "calls as Segment's Kafka destinations write them; needs no mapping",
    "json": "any JSON object, by a mapping file",
    "debezium": "change events of a table, with or without the `schema`/`payload` wrapper, by a mapping file",
    "outbox": "messages of Debezium's outbox event router, by a mapping file",
    "csv": "a table in a file, by a mapping file: for `tierstream feed`, not for topics",
}
ORDERS: Final[Mapping[str, str]] = {
    "Order Completed": "`order.completed`; `total`, else `revenue`, is what was paid",
    "Order Refunded": "`order.refunded`; `total`, else `revenue`, else all its products together; `refund_id`, else"
    " `messageId`, names the refund",
    "Order Cancelled": "`order.cancelled`",
    "Order Updated": "`order.state`: the whole order as it is now, refunds that came before included; the later"
    " `timestamp` holds; `status` cancelled, refunded, open, pending or unpaid, else it is paid",
}
CALLS: Final[Mapping[str, str]] = {
    "page": "`browse.activity`, `page_view`",
    "screen": "`browse.activity`, `page_view`, channel `app`",
    "identify": "`identity.identified`, and `identity.linked` where the call has both ids; of the traits only birthday"
    " without its year, gender, country, city, industry, size and `createdAt`",
    "alias": "`identity.linked` where `previousId` is the call's `anonymousId`, else `identity.merged`",
}
CAUSES: Final[Mapping[SkipCause, str]] = {
    SkipCause.TOMBSTONE: "a null value",
    SkipCause.NO_MEANING: "Segment: `group`, and track events that are not in the list; Debezium: truncated tables,"
    " log messages, deletes that no rule is `on`",
    SkipCause.NO_RULE: 'no `[[event]]` takes it, and the mapping says `otherwise = "skip"`',
}
TESTS: Final[Mapping[str, str]] = {
    "equals": "is this word; 1 and true are words too",
    "one_of": "is one of these",
    "not_one_of": "is none of these, or nothing is there",
    "starts_with": "begins with this",
    "not_starts_with": "does not begin with this, or nothing is there",
    "given": "true: something is there; false: nothing is",
    "above": "is a number greater than this",
    "below": "is a number less than this",
}
WORDS: Final[Mapping[str, str]] = {
    "path": "where the value stands; a field that is only a text is a path",
    "first_of": "several paths: the first where something stands",
    "constant": "the value itself",
    "values": "foreign word to ours; a word that is not there is refused, unless there is an `other`",
    "other": "our word for all that `values` does not have",
    "strip_prefix": "taken away in front",
    "strip_suffix": "taken away at the end",
    "money": '`"decimal"`: 27.50, by the currency\'s own number of decimals; `"minor"`: 2750. Never guessed',
    "scale": "the text is base64 of the unscaled bytes, as Debezium writes decimals, with so many decimals",
    "negate": "the sign is turned: for refunds that are written as negative amounts",
    "sum": "path within the items of `over`: they are added up",
    "over": "the list of a `sum`",
    "times": "path of what it is multiplied with, such as a quantity",
    "round": '`"half_up"`: every product is rounded to whole minor units; without it, what is finer is refused',
    "where": "conditions for the items that count",
    "epoch": f"a number since 1970 in {', '.join(MS_PER_UNIT)}; with a `zone` of its own it is a wall clock time there",
    "pattern": 'text, as strptime has it: `"%d.%m.%Y %H:%M"`; without it, RFC 3339 or ISO 8601',
    "zone": "IANA zone of times without an offset; `time_zone` of `[mapping]` otherwise",
    "each": "path of a list: one part of ours for each of its items; paths in `fields` begin at the item",
    "first": f"at most so many items are kept; more than {LIST_LENGTH_MAX} are refused without it",
    "fields": "the fields of the part",
}
MAPPING: Final[Mapping[str, str]] = {
    "format": "`json`, `debezium`, `outbox` or `csv`",
    "source": "the events' `source`: ids are unique within it",
    "time_zone": "IANA zone of times without an offset",
    "money": "`decimal` or `minor`, for all amounts that do not say it",
    "otherwise": "what becomes of records that no `[[event]]` takes: `refuse` (the default: dead letters,"
    " `unknown_type`) or `skip` (counted)",
}
CSV: Final[Mapping[str, str]] = {
    "delimiter": "one character, `,` by default",
    "encoding": f"{', '.join(ENCODINGS)}; `utf-8` by default, with or without a byte order mark",
    "quote": f"one character, or empty for none; a quoted cell may go over {QUOTED_LINES_MAX} lines",
    "decimal": "`,` where numbers have a decimal comma",
    "thousands": "what stands between thousands, such as `.`",
    "header": "names of the columns, where the first line holds data",
    "group_by": f"columns: rows that agree in them, at most {GROUP_ROWS_MAX:,}, wherever they stand, are one record."
    " `@rows` are its rows, fields and conditions are read from the first",
}
KINDS: Final[Mapping[Kind, str]] = {
    "text": "text, ids and words",
    "flag": "true or false",
    "instant": "times",
    "integer": "whole numbers",
    "number": "other numbers",
    "money": "amounts (`..._minor`)",
    "list": "lists, such as `products`",
    "table": "parts, such as `campaign`: a table of fields",
}


def formats_page(note: str) -> str:
    """The whole page."""
    text = (Path(__file__).parent / "reference_formats.txt").read_text(encoding="utf-8")
    parts = {
        "note": note,
        "formats": _rows(("format", "what it is"), FORMATS),
        "segment": _rows(("Segment", "event"), {**ORDERS, **_actions(), **CALLS}),
        "causes": _rows(("cause", "what it is"), {cause.value: words for cause, words in CAUSES.items()}),
        "mapping": _rows(("[mapping]", "meaning"), MAPPING),
        "roots": _rows(("format", "what an `@` may name"), _roots()),
        "tests": _rows(("test", "holds where the value"), {test: TESTS[test] for test in get_args(Test)}),
        "kinds": _rows(("field", "options"), {KINDS[kind]: _codes(OPTIONS[kind]) or "-" for kind in KINDS}),
        "words": _rows(("option", "meaning"), WORDS),
        "operations": ", ".join(f"`{word}` ({code})" for word, code in OPERATIONS.items()),
        "default_operations": _codes(DEFAULT_OPERATIONS),
        "csv": _rows(("[csv]", "meaning"), CSV),
        "json_example": _record_example("json", "shop.toml", "valid-order-and-points"),
        "debezium_example": _record_example("debezium", "orders.toml", "valid-update"),
        "outbox_example": _record_example("outbox", "orders.toml", "valid-order"),
        "retail": _fenced("toml", _read("csv", "retail.toml")),
        "till": _fenced("toml", _read("csv", "till.toml")),
    }
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    return text


def _actions() -> dict[str, str]:
    names: dict[str, list[str]] = {}
    for name, action in ACTIONS.items():
        names.setdefault(action, []).append(name.title().replace(" To ", " to "))
    return {", ".join(shown): f"`browse.activity`, `{action}`" for action, shown in names.items()}


def _roots() -> dict[str, str]:
    return {name: _codes("@" + root for root in roots) for name, roots in ROOTS.items()}


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _rows(heads: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    lines += [f"| {_name(name)} | {meaning} |" for name, meaning in rows.items()]
    return "\n".join(lines)


def _name(name: str) -> str:
    return f"`{name}`" if name.replace("_", "").isalpha() and name.islower() else name


def _record_example(folder: str, mapping: str, record: str) -> str:
    example = json.loads(_read(folder, record + ".json"))
    value = json.dumps(example["value"], ensure_ascii=False)
    events = "\n".join(json.dumps(event, ensure_ascii=False) for event in example["events"])
    blocks = [_fenced("toml", _read(folder, mapping)), "makes of", _fenced("json", value)]
    return "\n\n".join([*blocks, "the events", _fenced("json", events)])


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```"


def _read(folder: str, name: str) -> str:
    return (EXAMPLES / folder / name).read_text(encoding="utf-8")
