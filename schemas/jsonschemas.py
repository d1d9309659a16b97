"""JSON Schemas (2020-12) of everything on a topic, made from the types. Closed: they say what a writer may send.

Readers are more tolerant on purpose: they ignore unknown members and take null for left out.
"""

import inspect
import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from schemas.events import Event, type_of
from schemas.faults import TYPE_PREFIX, TYPE_SUFFIX
from schemas.fields import (
    TEXT_LENGTH_MAX,
    AmountMinor,
    Count,
    Currency,
    CustomerId,
    CustomerKey,
    Id,
    Instant,
    OptionalCustomerId,
    OptionalId,
)
from schemas.inputs.base import STAMPED
from schemas.journal import ControlRecord, JournalRecord
from schemas.publishing import SEQUENCE_DIGITS
from schemas.reflection import Struct, field_docs, with_inner

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REF: Final = "#/$defs/{name}"
_ENVELOPE_FIELDS: Final = ("type", "id", "source", "time", *STAMPED)
_NO_DEFAULT: Final = object()
_EMPTY: Final[tuple[object, ...]] = ("", None, [], ())
_NULL: Final = {"type": "null"}
_KEYWORD_ORDER: Final = ("$ref", "description", "type", "const", "enum")
_KINDS: Final[Mapping[str, Any]] = {
    "Id": Id,
    "OptionalId": OptionalId,
    "CustomerId": CustomerId,
    "OptionalCustomerId": OptionalCustomerId,
    "CustomerKey": CustomerKey,
    "Instant": Instant,
    "Currency": Currency,
    "AmountMinor": AmountMinor,
    "Count": Count,
}
"""The kinds of field that are written once per document, under their name."""
# CloudEvents extension attributes, whatever they are: lower-case names, plain values.
_EXTENSIONS: Final = {"^(?!data$|data_base64$)[a-z0-9]{1,20}$": {"type": ["string", "integer", "boolean"]}}


def flat_schema(event_class: type[Event]) -> Schema:
    """What a producer sends as plain JSON."""
    event, definitions = _described(event_class, nullable=False)
    for name in STAMPED:
        del event["properties"][name]
    return _document(type_of(event_class), event | _about_somebody(event), definitions)


def cloudevent_schema(event_class: type[Event]) -> Schema:
    """What a producer sends as a structured CloudEvent; `subject` or `partitionkey` may name the customer."""
    data, definitions = _described(event_class, nullable=False)
    of_known_customers = "customer_id" in data["required"]
    for name in _ENVELOPE_FIELDS:
        data["properties"].pop(name, None)
    data["required"] = [name for name in data["required"] if name in data["properties"] and name != "customer_id"]
    ids_in_data = ["customer_id"] if of_known_customers else ["customer_id", "anonymous_id"]
    envelope = _envelope(type_of(event_class), data) | {
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "patternProperties": _EXTENSIONS,
        "anyOf": [
            *({"properties": {"data": _given(name)}} for name in ids_in_data),
            *(_given(name) for name in ("subject", "partitionkey")),
        ],
    }
    return _document(f"cloudevents:{type_of(event_class)}", envelope, definitions)


def output_schema(name: str, output_class: Struct) -> Schema:
    """What we publish: a structured CloudEvent with every attribute. `name` is the bare type, as `customer.profile`."""
    data, definitions = _described(output_class, nullable=True)
    envelope = _envelope(name, data)
    envelope["properties"]["sequence"] = {"type": "string", "pattern": f"^[0-9]{{{SEQUENCE_DIGITS},}}$"}
    del envelope["properties"]["dataschema"]
    return _document(name, envelope | {"required": list(envelope["properties"])}, definitions)


def journal_schema() -> Schema:
    """What the journal holds: events as the intake stamped them, and control records."""
    classes: list[Struct] = list(JournalRecord.__args__)
    definitions: Schema = {}
    for cls in classes:
        record, inner = _described(cls, nullable=False)
        if issubclass(cls, Event):
            record["properties"]["recordedtime"] = _field_schema(Instant)
            record["required"].append("recordedtime")
            record |= _about_somebody(record)
        definitions |= {cls.__name__: record, **inner}
    union = {
        "title": "JournalRecord",
        "description": inspect.cleandoc(sys.modules[ControlRecord.__args__[0].__module__].__doc__ or ""),
        "oneOf": [{"$ref": _REF.format(name=cls.__name__)} for cls in classes],
    }
    return _document("journal", union, dict(sorted(definitions.items())))


def _document(name: str, schema: Schema, definitions: Schema) -> Schema:
    head = {"$schema": _DIALECT, "$id": f"urn:tierstream:jsonschema:{name}{TYPE_SUFFIX}"}
    kinds = {kind: body for kind, body in _KIND_SCHEMAS.items() if _uses(kind, [schema, definitions])}
    return head | schema | {"$defs": dict(sorted((definitions | kinds).items()))}


def _uses(kind: str, part: object) -> bool:
    """Whether a schema refers to a kind of field."""
    if isinstance(part, Mapping):
        return part.get("$ref") == _REF.format(name=kind) or any(_uses(kind, inner) for inner in part.values())
    return isinstance(part, list) and any(_uses(kind, inner) for inner in part)


def _given(name: str) -> Schema:
    """That a member is there and not empty."""
    return {"required": [name], "properties": {name: {"minLength": 1}}}


def _about_somebody(event: Schema) -> Schema:
    """An event must concern somebody; where the customer is required anyway, nothing needs to be added."""
    if "customer_id" in event["required"]:
        return {}
    return {"anyOf": [_given("customer_id"), _given("anonymous_id")]}


def _envelope(name: str, data: Schema) -> Schema:
    """The CloudEvents attributes around `data`."""
    who = {"$ref": data["properties"]["customer_id"]["$ref"]}
    return {
        "title": data["title"],
        "description": data["description"],
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _field_schema(Id),
            "source": {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH_MAX, "format": "uri-reference"},
            "type": {"const": f"{TYPE_PREFIX}{name}{TYPE_SUFFIX}"},
            "subject": who,
            "partitionkey": who,
            "time": _field_schema(Instant),
            "datacontenttype": {"const": "application/json"},
            "dataschema": {"type": "string", "maxLength": TEXT_LENGTH_MAX, "format": "uri"},
            "data": {keyword: value for keyword, value in data.items() if keyword not in ("title", "description")},
        },
        "additionalProperties": False,
    }


def _described(struct: Struct, *, nullable: bool) -> tuple[Schema, Schema]:
    """The closed schema of a struct, and those of the structs inside it by name."""
    _, components = msgspec.json.schema_components([struct], ref_template=_REF)
    classes = with_inner(struct)
    definitions = {
        name: _object_schema(classes[name], schema, nullable=nullable) for name, schema in sorted(components.items())
    }
    return definitions.pop(struct.__name__), definitions


def _object_schema(struct: Struct, schema: Mapping[str, Any], *, nullable: bool) -> Schema:
    docs = field_docs(struct)
    properties = {}
    for name, written in schema["properties"].items():
        field = _tidy(written, nullable=nullable)
        properties[name] = field | ({"description": docs[name]} if name in docs else {})
    return {
        "title": schema["title"],
        "description": inspect.cleandoc(schema["description"]),
        "type": "object",
        "properties": properties,
        "required": list(schema.get("required", [])),
        "additionalProperties": False,
    }


def _tidy(field: Mapping[str, Any], *, nullable: bool) -> Schema:
    """A field's schema without what only says that it may be left out, and with its kind by name."""
    tidied = dict(field)
    if tidied.get("default", _NO_DEFAULT) in _EMPTY:
        del tidied["default"]
    options = tidied.get("anyOf")
    if options and not nullable and _NULL in options:
        del tidied["anyOf"]
        (only,) = (option for option in options if option != _NULL)
        tidied |= only
    elif options:
        tidied["anyOf"] = [_tidy(option, nullable=nullable) for option in options]
    if isinstance(tidied.get("items"), Mapping):
        tidied["items"] = _tidy(tidied["items"], nullable=nullable)
    if len(tidied.get("enum", ())) == 1:
        tidied["const"] = tidied.pop("enum")[0]
    for kind, body in _KIND_SCHEMAS.items():
        if body.items() <= tidied.items():
            rest = {keyword: value for keyword, value in tidied.items() if keyword not in body}
            tidied = {"$ref": _REF.format(name=kind)} | rest
    return {keyword: tidied[keyword] for keyword in (*_KEYWORD_ORDER, *tidied) if keyword in tidied}


_KIND_SCHEMAS: Final = {kind: msgspec.json.schema(annotation) for kind, annotation in _KINDS.items()}


def _field_schema(annotation: Any) -> Schema:  # noqa: ANN401 -- an Annotated alias has no type of its own
    return _tidy(msgspec.json.schema(annotation), nullable=False)
