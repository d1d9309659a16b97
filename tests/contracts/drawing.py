"""Hypothesis strategies that draw messages from the published JSON Schemas, and messages that are slightly wrong."""

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.contracts.corpus import DOCUMENTS

Json = Any
Schema = dict[str, Any]

DRAWN_LENGTH_MAX = 40
"""Three times that many characters, as many as composing can make of them, still fit into an id."""
DRAWN_ITEMS_MAX = 3

_CHARACTERS = st.characters(exclude_categories=["Cs"])
_OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))

INSTANTS = st.builds(
    lambda moment, zone, digits: moment.astimezone(zone).isoformat(timespec=digits),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- bounds must be naive
    _OFFSETS,
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
).map(lambda text: text.replace("+00:00", "Z"))

SCALARS = (
    st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
    | st.text(_CHARACTERS, max_size=DRAWN_LENGTH_MAX)
    | st.sampled_from(["", "anonymous:1", "a\u202eb", "x" * 129, "x" * 1_025, "cny", "CNY", "2026-11-22T10:00:00Z"])
)
"""Any JSON value that is no container and not null. Whole floats are left out: to JSON Schema 1.0 is an integer."""

ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=DRAWN_ITEMS_MAX) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@cache
def messages(file: str) -> st.SearchStrategy[dict[str, Json]]:
    """Messages that a published schema allows; `file` may point to a definition inside, after a `#`."""
    name, _, definition = file.partition("#")
    document = DOCUMENTS[name]
    return _drawn(document["$defs"][definition] if definition else document, document)


def _drawn(schema: Schema, document: Schema) -> st.SearchStrategy[Json]:
    if "$ref" in schema:
        return _drawn(document["$defs"][schema["$ref"].rpartition("/")[2]], document)
    fixed = [schema["const"]] if "const" in schema else schema.get("enum")
    if fixed is not None:
        return st.sampled_from(fixed)
    make = _MAKERS.get(schema.get("type", ""))
    return make(schema, document) if make else st.one_of([_drawn(option, document) for option in schema["anyOf"]])


def _objects(schema: Schema, document: Schema) -> st.SearchStrategy[dict[str, Json]]:
    fields = {name: _drawn(field, document) for name, field in schema["properties"].items()}

    def including(*chosen: str) -> st.SearchStrategy[dict[str, Json]]:
        required = {*schema["required"], *chosen}
        return st.fixed_dictionaries(
            {
                name: fields[name].filter(bool) if name in chosen else fields[name]
                for name in fields
                if name in required
            },
            optional={name: fields[name] for name in fields if name not in required},
        )

    options = [including(option["required"][0]) for option in schema.get("anyOf", ())]
    return st.one_of(options) if options else including()


def _arrays(schema: Schema, document: Schema) -> st.SearchStrategy[list[Json]]:
    if "prefixItems" in schema:
        return st.tuples(*(_drawn(item, document) for item in schema["prefixItems"])).map(list)
    return st.lists(_drawn(schema["items"], document), max_size=DRAWN_ITEMS_MAX)


def _texts(schema: Schema, _: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return INSTANTS
    if schema.get("format") == "uri-reference":
        return st.sampled_from(["/tierstream", "urn:shop:1", "https://shop.example/a?b=c#d"])
    if schema.get("pattern") == "^[0-9]{12,}$":
        return st.integers(0, 10**14).map(lambda number: f"{number:012d}")
    if schema.get("contentEncoding") == "base64":
        return st.binary(max_size=DRAWN_LENGTH_MAX).map(lambda content: b64encode(content).decode())
    least = schema.get("minLength", 0)
    texts = st.text(_CHARACTERS, min_size=least, max_size=min(schema.get("maxLength", 99), DRAWN_LENGTH_MAX))
    if "pattern" not in schema:
        return texts
    allowed = re.compile(schema["pattern"].replace("$", r"\Z"))
    clean = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=least, max_size=DRAWN_LENGTH_MAX)
    return (texts | clean).filter(lambda text: allowed.match(text) is not None)


_MAKERS: dict[str, Callable[[Schema, Schema], st.SearchStrategy[Json]]] = {
    "object": _objects,
    "array": _arrays,
    "string": _texts,
    "integer": lambda schema, _: st.integers(schema.get("minimum", -(2**53)), schema.get("maximum", 2**53)),
    "number": lambda schema, _: st.floats(schema.get("minimum", -1e9), schema.get("maximum", 1e9)),
    "boolean": lambda _, __: st.booleans(),
    "null": lambda _, __: st.none(),
}


def opened(schema: Json) -> Json:
    """The schema as a tolerant reader sees it: unknown members are no fault."""
    if isinstance(schema, dict):
        return {name: opened(part) for name, part in schema.items() if name != "additionalProperties"}
    return [opened(part) for part in schema] if isinstance(schema, list) else schema


@st.composite
def slightly_wrong(draw: st.DrawFn, message: dict[str, Json]) -> dict[str, Json]:
    """The message with one member, here or inside, replaced or taken away; `type` stays."""
    wrong = dict(message)
    name = draw(st.sampled_from(sorted(set(wrong) - {"type"})))
    inside = wrong[name]
    if isinstance(inside, dict) and inside and draw(st.booleans()):
        wrong[name] = draw(slightly_wrong(inside))
    elif isinstance(inside, list) and inside and isinstance(inside[0], dict) and draw(st.booleans()):
        wrong[name] = [draw(slightly_wrong(inside[0])), *inside[1:]]
    elif draw(st.booleans()):
        wrong[name] = draw(ANYTHING)
    else:
        del wrong[name]
    return wrong
