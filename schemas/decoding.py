"""The door for everything that comes in: bytes and headers of a record to a checked event, or to a named refusal.

Nothing here raises on any input. Flat native JSON is the fast way; CloudEvents and what looks odd take longer ones.
"""

from typing import Final

import msgspec

from schemas.checks import check
from schemas.envelope import STRUCTURED, Headers, attributes_of, from_binary, from_structured, is_json, without_nulls
from schemas.events import Event, InputEvent
from schemas.faults import fault_of
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import Screened, refuse, repeated_key_fault, screen

_BATCH: Final = b"application/cloudevents-batch"
_REGISTRY_PREFIX_LENGTH: Final = 5
"""A schema registry's serializer puts a zero byte and a four-byte schema id in front of the JSON."""

_decode: Final = msgspec.json.Decoder(InputEvent).decode
_decode_untyped: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def decode_input(value: bytes | None, headers: Headers = ()) -> InputEvent | Rejected:
    """The event in a record of a raw topic, in any of the accepted forms.

    Ids come back in composed form (NFC), everything else as it was sent; `recordedtime` may hold what a producer wrote
    and is to be overwritten. Whether the time is too far ahead or too long ago is for the intake to judge.
    """
    if value is None:
        return refuse(RefusalReason.SCHEMA, "no value: a tombstone is no event")
    if value[:1] == b"\x00":
        value = value[_REGISTRY_PREFIX_LENGTH:]
    screened = screen(value)
    if type(screened) is Rejected:
        return screened
    event = _from_record(value, headers, screened) if headers else _from_bare(value, screened)
    if type(event) is Rejected:
        return event
    return check(event, plain=screened.plain and not headers) or event  # type: ignore[return-value] # all classes of the union are Events


def _from_record(value: bytes, headers: Headers, screened: Screened) -> Event | Rejected:
    """The event in a value whose headers may say what form it has."""
    content_type, attributes = attributes_of(headers)
    if content_type.startswith(STRUCTURED):
        return _from_declared_structured(value, screened, content_type)
    if "specversion" in attributes:
        return from_binary(value, screened, attributes=attributes, content_type=content_type)
    return _from_bare(value, screened)


def _from_declared_structured(value: bytes, screened: Screened, content_type: bytes) -> Event | Rejected:
    """The event in a record that says by its content type that it is a structured CloudEvent."""
    if content_type.startswith(_BATCH):
        return refuse(RefusalReason.SCHEMA, "header content-type: one record holds one event, batches are not read")
    if not is_json(content_type.decode("latin-1")):
        return refuse(RefusalReason.NOT_JSON, "header content-type: of the CloudEvents formats only JSON is read")
    event = from_structured(value, screened)
    if event is None:
        return refuse(RefusalReason.SCHEMA, "$: a structured CloudEvent is an object with `specversion`")
    return event


def _from_bare(value: bytes, screened: Screened) -> Event | Rejected:
    """The event in a value of which no header says more: flat, or a structured CloudEvent."""
    if value.startswith(b'{"specversion"'):
        return from_structured(value, screened) or _from_flat(value, screened)
    return _from_flat(value, screened)


def _from_flat(value: bytes, screened: Screened) -> Event | Rejected:
    """The event in our own flat JSON; tries the other readings only when that fails."""
    try:
        event = _decode(value)
    except msgspec.ValidationError as error:
        other = _from_structured_in_disguise(value, screened) or _from_flat_with_nulls(value, screened)
        return other or fault_of(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return fault_of(error)
    return repeated_key_fault(value, screened, _encode(event)) or event


def _from_structured_in_disguise(value: bytes, screened: Screened) -> Event | Rejected | None:
    """A structured CloudEvent that neither headers nor its first member gave away; None when it is none."""
    return from_structured(value, screened) if b'"specversion"' in value else None


def _from_flat_with_nulls(value: bytes, screened: Screened) -> Event | Rejected | None:
    """A second try for producers that write null for what they leave out; None when that was not the trouble."""
    if b"null" not in value:
        return None
    try:
        members = _decode_untyped(value)
        event = msgspec.convert(without_nulls(members), InputEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return fault_of(error)
    return repeated_key_fault(value, screened, _encode(members)) or event
