"""The executed examples: where they lie, what an invalid one claims, and the published schema that judges a message."""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec

from schemas.events import EVENT_CLASSES
from schemas.generate import published_schemas

EXAMPLES = Path(str(resources.files("schemas"))) / "examples"
CONTROL_DEFINITIONS = {
    "clock.tick": "ClockTick",
    "clock.advanced": "ClockAdvanced",
    "clock.closed": "ClockClosed",
    "policy.activated": "PolicyActivated",
    "model.activated": "ModelActivated",
    "go-live": "GoLive",
    "counters.declared": "CountersDeclared",
    "customer.counters_restated": "CountersRestated",
}


class Invalid(msgspec.Struct, forbid_unknown_fields=True):
    """An invalid example: the refusal it must meet, at which path, and the message itself."""

    reason: str
    path: str
    message: dict[str, Any]


def valid_files() -> list[Path]:
    return sorted(EXAMPLES.glob("*/valid-*.json"))


def invalid_files() -> list[Path]:
    return sorted(EXAMPLES.glob("*/invalid-*.json"))


def name_of(path: Path) -> str:
    """How a file is called in a test's report."""
    return f"{path.parent.name}/{path.stem}"


def read_valid(path: Path) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return message


def read_invalid(path: Path) -> Invalid:
    return msgspec.json.decode(path.read_bytes(), type=Invalid)


def kind_of(path: Path) -> str:
    """`input`, `control` or `output`, by the type that the folder is named after."""
    name = path.parent.name
    return "input" if name in EVENT_CLASSES else "control" if name in CONTROL_DEFINITIONS else "output"


DOCUMENTS = published_schemas()


@cache
def validator(file: str) -> jsonschema_rs.Draft202012Validator:
    """A published schema, formats included, by its path below `schemas/jsonschema`."""
    return jsonschema_rs.Draft202012Validator(DOCUMENTS[file], validate_formats=True)


def validator_of(name: str, message: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """The published schema for a message of a type: a CloudEvent, a flat event or a journal record."""
    if name in CONTROL_DEFINITIONS:
        return validator("journal.v1.json")
    if name in EVENT_CLASSES and "specversion" in message:
        return validator(f"cloudevents/{name}.v1.json")
    return validator(f"{name}.v1.json")
