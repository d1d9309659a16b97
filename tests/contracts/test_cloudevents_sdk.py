"""The CloudEvents SDK as a second opinion: it reads what we publish, and we read what it writes."""

import json
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.cloudevents import decode_input, decode_output, encode_output
from schemas.events import OrderCompleted
from schemas.publishing import Output
from tests.contracts.corpus import kind_of, name_of, read_valid, valid_files

OUTPUT_FILES = [path for path in valid_files() if kind_of(path) == "output"]
INPUT_FILES = [path for path in valid_files() if path.stem == "valid-cloudevent"]


@pytest.mark.parametrize("path", OUTPUT_FILES, ids=name_of)
def test_the_sdk_reads_what_we_publish(path: Path) -> None:
    """Attributes and data come out of the SDK as they went into the encoder; the headers repeat the attributes."""
    published = decode_output(path.read_bytes())
    decision = published.decision
    assert isinstance(decision, Output)
    value, headers = encode_output(decision, event_id=published.id, source=published.source)

    event = from_structured(KafkaMessage(headers=dict(headers), key=None, value=value), JSONFormat())

    assert event.get_specversion() == "1.0"
    assert (event.get_id(), event.get_source(), event.get_type()) == (published.id, published.source, published.type)
    assert event.get_subject() == event.get_extension("partitionkey") == decision.customer_id
    assert event.get_extension("sequence") == f"{decision.sequence:012d}"
    assert event.get_data() == read_valid(path)["data"]
    members = json.loads(value)
    for name, header in headers:
        if name.startswith("ce_"):
            assert members[name.removeprefix("ce_")] == header.decode()


@pytest.mark.parametrize("path", INPUT_FILES, ids=name_of)
def test_we_read_what_the_sdk_writes(path: Path) -> None:
    """The same event written by the SDK in structured and in binary mode is the same to us."""
    message = read_valid(path)
    data = message.pop("data")
    time = message.pop("time")
    event = JSONFormat().read(CloudEvent, json.dumps({**message, "time": time, "data": data}).encode())
    expected = decode_input(path.read_bytes())

    structured, binary = to_structured(event, JSONFormat()), to_binary(event, JSONFormat())
    read = [decode_input(sent.value, list(sent.headers.items())) for sent in (structured, binary)]

    for answer in read:
        assert type(answer) is type(expected)
        answer.time = expected.time  # type: ignore[union-attr] # the SDK writes the same instant in its own way
        assert answer == expected


def test_the_key_is_not_needed_to_know_the_customer() -> None:
    """Without a customer in the data, subject or partition key say who is meant."""
    data = {"order_id": "o1", "currency": "CNY", "total_minor": 100}
    attributes = {"id": "e1", "source": "/shop", "type": "tierstream.order.completed.v1", "specversion": "1.0"}
    for name in ("subject", "partitionkey"):
        value = json.dumps(attributes | {name: "c9", "time": "2026-11-22T10:00:00Z", "data": data}).encode()
        event = decode_input(value)
        assert isinstance(event, OrderCompleted)
        assert event.customer_id == "c9"
