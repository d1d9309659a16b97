"""The reader and the published schemas agree: on everything drawn from the schemas, and on what is slightly wrong."""

import json
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.cloudevents import decode_input, decode_output, encode_output
from schemas.events import EVENT_CLASSES, type_of
from schemas.journal import ControlRecord, decode_journal, encode_journal
from schemas.publishing import OUTPUT_CLASSES, Output
from schemas.rejections import Rejected
from tests.contracts.corpus import DOCUMENTS, validator
from tests.contracts.drawing import messages, opened, slightly_wrong

INPUTS = sorted(EVENT_CLASSES)
OUTPUTS = sorted(name.removeprefix("tierstream.").removesuffix(".v1") for name in OUTPUT_CLASSES)
few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def encoded(message: object) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()


@cache
def tolerant(file: str) -> jsonschema_rs.Draft202012Validator:
    """A published schema that, as the reader does, passes over unknown members."""
    return jsonschema_rs.Draft202012Validator(opened(DOCUMENTS[file]), validate_formats=True)


@pytest.mark.parametrize("name", INPUTS)
@few
@given(data=st.data())
def test_what_the_schema_allows_is_read(name: str, data: st.DataObject) -> None:
    """Any event drawn from its schema is accepted, as its own type, and survives the journal unchanged."""
    message = data.draw(messages(f"{name}.v1.json"))
    assert validator(f"{name}.v1.json").is_valid(message)

    event = decode_input(encoded(message))

    assert not isinstance(event, Rejected), event.detail
    assert type_of(event) == name
    assert decode_journal(encode_journal(event)) == event


@pytest.mark.parametrize("name", INPUTS)
@few
@given(data=st.data())
def test_on_a_wrong_event_both_say_the_same(name: str, data: st.DataObject) -> None:
    """After one change the reader refuses exactly when the schema does."""
    message = data.draw(messages(f"{name}.v1.json").flatmap(slightly_wrong))

    accepted = not isinstance(decode_input(encoded(message)), Rejected)

    assert accepted == tolerant(f"{name}.v1.json").is_valid(message), decode_input(encoded(message))


@pytest.mark.parametrize("name", ["order.completed", "browse.activity", "identity.linked", "identity.identified"])
@few
@given(data=st.data())
def test_a_cloudevent_that_the_schema_allows_is_read(name: str, data: st.DataObject) -> None:
    """Structured CloudEvents drawn from their schema are accepted when the customer stands in the data."""
    flat = data.draw(messages(f"{name}.v1.json"))
    payload = {key: value for key, value in flat.items() if key not in ("type", "id", "source", "time")}
    message: dict[str, Any] = {
        "specversion": "1.0",
        "id": flat["id"],
        "source": "/shop",
        "type": f"tierstream.{name}.v1",
        "time": flat["time"],
        "data": payload,
    }
    assert validator(f"cloudevents/{name}.v1.json").is_valid(message)

    event = decode_input(encoded(message))
    same = decode_input(encoded(flat | {"source": "/shop"}))

    assert not isinstance(event, Rejected), event.detail
    assert event == same


@pytest.mark.parametrize("name", OUTPUTS)
@few
@given(data=st.data())
def test_an_output_is_read_and_written_as_its_schema_says(name: str, data: st.DataObject) -> None:
    """What the schema allows can be read, and what is written again is allowed and means the same."""
    message = data.draw(messages(f"{name}.v1.json"))

    read = decode_output(encoded(message))
    assert isinstance(read.decision, Output)
    value, _ = encode_output(read.decision, event_id=read.id, source=read.source)

    assert list(validator(f"{name}.v1.json").iter_errors(json.loads(value))) == []
    assert decode_output(value) == read


@pytest.mark.parametrize("name", OUTPUTS)
@few
@given(data=st.data())
def test_a_wrong_output_is_refused_by_both(name: str, data: st.DataObject) -> None:
    """A consumer's schema check and our own reader agree on the data of an output."""
    message = data.draw(messages(f"{name}.v1.json"))
    message["data"] = data.draw(slightly_wrong(message["data"]))
    try:
        decode_output(encoded(message))
        accepted = True
    except msgspec.ValidationError:
        accepted = False

    # The forms of ids and instants are the writer's promise; the reader of our own outputs does not check them again.
    if not accepted:
        assert not tolerant(f"{name}.v1.json").is_valid(message)


@few
@given(data=st.data())
def test_control_records_are_read_as_the_schema_says(data: st.DataObject) -> None:
    """Control records drawn from the journal's schema come back as they went in."""
    cls = data.draw(st.sampled_from(ControlRecord.__args__))
    message = data.draw(messages(f"journal.v1.json#{cls.__name__}"))

    record = decode_journal(encoded(message))

    assert type(record) is cls
    said = {name: value for name, value in message.items() if value is not False}  # a default goes unsaid
    assert json.loads(encode_journal(record)) == said
