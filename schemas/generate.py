"""The published files that are made from the types: JSON Schemas and the AsyncAPI document, as texts."""

import json
from typing import Any, Final

import yaml

from schemas.asyncapi import asyncapi_document
from schemas.events import EVENT_CLASSES
from schemas.faults import TYPE_PREFIX, TYPE_SUFFIX
from schemas.jsonschemas import cloudevent_schema, flat_schema, journal_schema, output_schema
from schemas.publishing import OUTPUT_CLASSES

_WIDTH: Final = 120
_HEAD: Final = "# Made from the types by `tierstream schemas generate`; edit those.\n"


def published_files() -> dict[str, str]:
    """Path below `schemas/` to the text that belongs there."""
    files = {f"jsonschema/{name}": _json(schema) for name, schema in published_schemas().items()}
    return files | {"asyncapi.yaml": _HEAD + _yaml(asyncapi_document())}


def published_schemas() -> dict[str, dict[str, Any]]:
    """Path below `schemas/jsonschema/` to the schema that belongs there."""
    schemas = {f"journal{TYPE_SUFFIX}.json": journal_schema()}
    for name, event_class in EVENT_CLASSES.items():
        schemas[f"{name}{TYPE_SUFFIX}.json"] = flat_schema(event_class)
        schemas[f"cloudevents/{name}{TYPE_SUFFIX}.json"] = cloudevent_schema(event_class)
    for full_name, output_class in OUTPUT_CLASSES.items():
        name = full_name.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
        schemas[f"{name}{TYPE_SUFFIX}.json"] = output_schema(name, output_class)
    return schemas


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=_WIDTH)
