"""Every example in the contract is executed: by our reader and by the published JSON Schema, and both must agree."""

import json
from pathlib import Path

import msgspec
import pytest

from schemas.cloudevents import decode_input, decode_output
from schemas.events import EVENT_CLASSES, type_of
from schemas.journal import decode_journal, encode_journal
from schemas.publishing import OUTPUT_CLASSES
from schemas.rejections import Rejected
from tests.contracts.corpus import (
    CONTROL_DEFINITIONS,
    EXAMPLES,
    invalid_files,
    kind_of,
    name_of,
    read_invalid,
    read_valid,
    valid_files,
    validator_of,
)


def encoded(message: object) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()


@pytest.mark.parametrize("path", valid_files(), ids=name_of)
def test_a_valid_example_passes_the_published_schema(path: Path) -> None:
    """What the documents show is allowed by the documents."""
    message = read_valid(path)

    errors = [str(error) for error in validator_of(path.parent.name, message).iter_errors(message)]

    assert errors == []


@pytest.mark.parametrize("path", valid_files(), ids=name_of)
def test_a_valid_example_is_read(path: Path) -> None:
    """Our reader takes what the documents show, and reads it as the type that the folder is named after."""
    name, value = path.parent.name, path.read_bytes()
    match kind_of(path):
        case "input":
            event = decode_input(value)
            assert not isinstance(event, Rejected), event
            assert type_of(event) == name
            assert decode_journal(encode_journal(event)) == event
        case "control":
            record = decode_journal(value)
            assert decode_journal(encode_journal(record)) == record
            assert record.__struct_config__.tag == name
        case _:
            assert decode_output(value).type == f"tierstream.{name}.v1"


@pytest.mark.parametrize("path", invalid_files(), ids=name_of)
def test_an_invalid_example_fails_the_published_schema(path: Path) -> None:
    """What the reader refuses, the published schema refuses too."""
    message = read_invalid(path).message

    assert not validator_of(path.parent.name, message).is_valid(message)


@pytest.mark.parametrize("path", invalid_files(), ids=name_of)
def test_an_invalid_example_is_refused_as_it_claims(path: Path) -> None:
    """The refusal has the reason and the place that the example names."""
    example = read_invalid(path)
    value = encoded(example.message)
    if kind_of(path) == "input":
        refusal = decode_input(value)
        assert isinstance(refusal, Rejected)
        assert (refusal.reason.value, refusal.stage) == (example.reason, "decode")
        assert refusal.detail.startswith(f"{example.path}:"), refusal.detail
        return
    decode = decode_journal if kind_of(path) == "control" else decode_output
    with pytest.raises(msgspec.ValidationError) as refused:
        decode(value)
    assert example.path == "$" or f"`{example.path}`" in str(refused.value)


def test_every_type_has_examples_of_both_kinds() -> None:
    """No type can be added without showing what it looks like and what it is not."""
    outputs = {name.removeprefix("tierstream.").removesuffix(".v1") for name in OUTPUT_CLASSES}
    types = {*EVENT_CLASSES, *CONTROL_DEFINITIONS, *outputs}

    assert {path.parent.name for path in valid_files()} == types
    assert {path.parent.name for path in invalid_files()} == types
    assert {path.name for path in EXAMPLES.iterdir()} == types


def test_every_input_type_is_shown_as_a_cloudevent() -> None:
    """Both ways of sending an event are shown for each type."""
    shown = {path.parent.name for path in valid_files() if path.stem == "valid-cloudevent"}

    assert shown == set(EVENT_CLASSES)
