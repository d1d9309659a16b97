"""The files beside the types: generated, complete, and understood by others than us."""

import json
from functools import cache
from typing import cast

import jsonschema_rs
import msgspec.yaml
import pytest

from schemas.catalog import RAW_TOPICS, TOPICS
from schemas.events import EVENT_CLASSES, TOPIC_OF
from schemas.generate import published_files, published_schemas
from tests.contracts.corpus import CONTROL_DEFINITIONS, EXAMPLES

SCHEMAS = EXAMPLES.parent
FILES = published_files()
DOCUMENTS = published_schemas()


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_published_file_follows_from_the_types(name: str) -> None:
    """No published file was edited by hand, and none was forgotten after a change of the types."""
    assert (SCHEMAS / name).read_text(encoding="utf-8") == FILES[name], "run: tierstream schemas generate"


def test_no_published_schema_is_left_over() -> None:
    """A type that is gone takes its files along."""
    present = {str(path.relative_to(SCHEMAS / "jsonschema")) for path in (SCHEMAS / "jsonschema").rglob("*.json")}

    assert present == set(DOCUMENTS)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_schema_is_valid_2020_12(name: str) -> None:
    """The dialect's own schema accepts every published schema."""
    assert jsonschema_rs.meta.is_valid(DOCUMENTS[name])


def objects_in(schema: object) -> list[dict[str, object]]:
    """Every part of a schema that describes an object."""
    if isinstance(schema, list):
        return [found for part in schema for found in objects_in(part)]
    if not isinstance(schema, dict):
        return []
    inner = [found for part in schema.values() for found in objects_in(part)]
    return [*([schema] if schema.get("type") == "object" else []), *inner]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_object_is_closed(name: str) -> None:
    """Adding an optional member later is compatible only while objects are closed."""
    objects = objects_in(DOCUMENTS[name])

    assert objects
    assert all(part["additionalProperties"] is False for part in objects)


def test_inputs_do_not_offer_the_stamp_of_the_intake() -> None:
    """`recordedtime` is ours: producers are not told to send it, the journal must have it."""
    for name in EVENT_CLASSES:
        assert "recordedtime" not in DOCUMENTS[f"{name}.v1.json"]["properties"]
    for name, event_class in EVENT_CLASSES.items():
        record = DOCUMENTS["journal.v1.json"]["$defs"][event_class.__name__]
        assert "recordedtime" in record["required"], name


def test_no_field_of_minor_units_may_be_a_fraction() -> None:
    """Money is whole minor units in every schema."""
    whole = ("'#/$defs/AmountMinor'", "'#/$defs/Count'", "'integer'")
    amounts = [
        field
        for document in DOCUMENTS.values()
        for part in objects_in(document)
        for name, field in cast("dict[str, object]", part["properties"]).items()
        if name.endswith("_minor")
    ]

    assert len(amounts) > 40
    assert all(any(kind in str(field) for kind in whole) and "number" not in str(field) for field in amounts)
    assert all(DOCUMENTS["journal.v1.json"]["$defs"][kind]["type"] == "integer" for kind in ("AmountMinor", "Count"))


def asyncapi() -> dict[str, object]:
    document: dict[str, object] = msgspec.yaml.decode((SCHEMAS / "asyncapi.yaml").read_bytes())
    return document


def references_in(part: object) -> list[str]:
    if isinstance(part, list):
        return [found for inner in part for found in references_in(inner)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return [*own, *(found for inner in part.values() for found in references_in(inner))]


@cache
def loaded(file: str) -> object:
    """A schema file that the document refers to."""
    return json.loads((SCHEMAS / file).read_text(encoding="utf-8"))


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    """Messages, traits and schema files that the document names are there."""
    document = asyncapi()
    references = references_in(document)

    assert len(references) > 100
    for reference in references:
        file, _, pointer = reference.partition("#")
        target: object = loaded(file) if file else document
        for step in filter(None, pointer.split("/")):
            assert isinstance(target, dict)
            target = target[step]


def test_the_asyncapi_document_describes_the_catalogues_topics() -> None:
    """Each topic that somebody else may read or write is a channel, with its retention."""
    channels = asyncapi()["channels"]
    assert isinstance(channels, dict)

    assert set(TOPICS) - set(channels) == {"audit", "intake-progress"}
    for name, channel in channels.items():
        kafka = channel["bindings"]["kafka"]
        assert kafka["bindingVersion"] == "0.5.0"
        assert kafka["topicConfiguration"].get("retention.ms") == TOPICS[name].retention_ms


def test_every_input_type_lies_on_one_raw_topic_of_the_catalogue() -> None:
    """The catalogue and the types name the same topics."""
    listed = {name: topic for topic in RAW_TOPICS for name in TOPICS[topic].types}

    assert listed == dict(TOPIC_OF)


def test_every_type_of_the_catalogue_has_its_examples() -> None:
    """Whatever a topic carries is shown."""
    named = {folder for spec in TOPICS.values() for folder in spec.examples}

    assert named == {path.name for path in EXAMPLES.iterdir()}
    assert set(CONTROL_DEFINITIONS) <= set(TOPICS["customer-events"].types)
