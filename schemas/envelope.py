"""CloudEvents 1.0 coming in: structured and binary mode, both brought into the flat form of our own events.

The envelope decides id, source, time and type; `data.customer_id` decides who is meant, and the envelope's `subject`
or `partitionkey` only where the data names nobody.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from schemas.events import EVENT_CLASSES, Event
from schemas.faults import TYPE_PREFIX, TYPE_SUFFIX, fault_of, unknown_type
from schemas.fields import TEXT_LENGTH_MAX, Id, Instant, RequiredText, Text
from schemas.inputs.base import STAMPED
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import Screened, quoted, refuse, repeated_key_fault

Headers = Sequence[tuple[str, bytes | None]]

STRUCTURED: Final = b"application/cloudevents"
ATTRIBUTE_PREFIX: Final = "ce_"

CLASS_OF_CLOUDEVENT_TYPE: Final[Mapping[str, type[Event]]] = {
    TYPE_PREFIX + name + TYPE_SUFFIX: cls for name, cls in EVENT_CLASSES.items()
}

_OF_KNOWN_CUSTOMERS: Final = frozenset(
    cls
    for cls in EVENT_CLASSES.values()
    for field in msgspec.structs.fields(cls)
    if field.name == "customer_id" and field.required
)
"""Events that name an anonymous id beside the customer: there the anonymous id does not say who is meant."""

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class Envelope(msgspec.Struct, kw_only=True):
    """The attributes that we read; others are ignored."""

    specversion: Annotated[str, Meta(pattern=r"^1\.\d+$", max_length=8)]
    id: Id
    source: RequiredText
    type: RequiredText
    time: Instant
    subject: Text = ""
    partitionkey: Text = ""
    datacontenttype: Text = ""
    dataschema: Text = ""


def attributes_of(headers: Headers) -> tuple[bytes, dict[str, bytes]]:
    """The content type in lower case, and the CloudEvents attributes of binary mode by name."""
    content_type = b""
    attributes = {}
    for name, value in headers:
        if name.startswith(ATTRIBUTE_PREFIX) and value is not None:
            attributes[name[len(ATTRIBUTE_PREFIX) :]] = value
        elif name.lower() == "content-type" and value is not None:
            content_type = value.lower()
    return content_type, attributes


def from_structured(value: bytes, screened: Screened) -> Event | Rejected | None:
    """The event in a structured CloudEvent; None when the value has no `specversion`, so that it is none."""
    try:
        members = _decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        return fault_of(error)
    if not isinstance(members, dict) or "specversion" not in members:
        return None
    fault = repeated_key_fault(value, screened, _encode(members))
    if fault is not None:
        return fault
    members = {name: without_nulls(member) for name, member in members.items() if member is not None}
    if "data_base64" in members:
        return refuse(RefusalReason.SCHEMA, "$.data_base64: expected JSON in `data`")
    if "data" not in members:
        return refuse(RefusalReason.SCHEMA, "$: required field `data` is missing")
    return _open(members, members["data"], envelope_path="$", data_path="$.data")


def from_binary(
    value: bytes, screened: Screened, *, attributes: Mapping[str, bytes], content_type: bytes
) -> Event | Rejected:
    """The event whose attributes stand in `ce_` headers and whose data is the value."""
    if content_type and not is_json(content_type.decode("latin-1")):
        detail = f"header content-type: expected JSON, got {quoted(content_type.decode('latin-1'))}"
        return refuse(RefusalReason.NOT_JSON, detail)
    try:
        data = _decode(value)
        members = {name: attribute.decode() for name, attribute in attributes.items() if name != "datacontenttype"}
    except UnicodeDecodeError:
        return refuse(RefusalReason.SCHEMA, f"headers {ATTRIBUTE_PREFIX}*: not UTF-8")
    except (msgspec.DecodeError, RecursionError) as error:
        return fault_of(error)
    fault = repeated_key_fault(value, screened, _encode(data))
    if fault is not None:
        return fault
    return _open(members, without_nulls(data), envelope_path="headers ce_", data_path="$")


def _open(members: Mapping[str, Any], data: object, *, envelope_path: str, data_path: str) -> Event | Rejected:
    """The flat event made of attributes and data."""
    try:
        envelope = msgspec.convert(members, Envelope)
    except msgspec.ValidationError as error:
        return fault_of(error, prefix=envelope_path)
    if envelope.datacontenttype and not is_json(envelope.datacontenttype):
        detail = f"{envelope_path}.datacontenttype: expected JSON, got {quoted(envelope.datacontenttype)}"
        return refuse(RefusalReason.NOT_JSON, detail)
    cls = CLASS_OF_CLOUDEVENT_TYPE.get(envelope.type)
    if cls is None:
        return unknown_type(envelope.type, where=f"{envelope_path}.type")
    if not isinstance(data, dict):
        return refuse(RefusalReason.SCHEMA, f"{data_path}: expected `object`")
    flat = data | {
        "type": EVENT_TYPE_OF[envelope.type],
        "id": envelope.id,
        "source": envelope.source,
        "time": envelope.time,
    }
    for name in STAMPED:
        flat.pop(name, None)
    if not flat.get("customer_id") and (cls in _OF_KNOWN_CUSTOMERS or not flat.get("anonymous_id")):
        flat["customer_id"] = envelope.subject or envelope.partitionkey
    try:
        return msgspec.convert(flat, cls)
    except msgspec.ValidationError as error:
        return fault_of(error, prefix=data_path)


EVENT_TYPE_OF: Final[Mapping[str, str]] = {TYPE_PREFIX + name + TYPE_SUFFIX: name for name in EVENT_CLASSES}
"""CloudEvents type to the bare event type."""


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON, such as `application/json; charset=UTF-8` or `application/x+json`."""
    essence = content_type[:TEXT_LENGTH_MAX].partition(";")[0].strip().lower()
    return essence in ("application/json", "text/json") or essence.endswith("+json")


def without_nulls(value: object) -> object:
    """The JSON without members that are null: to the reader null means left out."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
