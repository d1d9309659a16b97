"""CloudEvents that are none, of another version, in another format, or about nobody."""

from schemas.rejections import RefusalReason
from tests.contracts.hostile.item import ORDER, Hostile

NOT_JSON, SCHEMA, UNKNOWN_TYPE = RefusalReason.NOT_JSON, RefusalReason.SCHEMA, RefusalReason.UNKNOWN_TYPE
BAD_ID, BAD_TIME, BAD_AMOUNT = RefusalReason.BAD_ID, RefusalReason.BAD_TIME, RefusalReason.BAD_AMOUNT
NO_CUSTOMER = RefusalReason.NO_CUSTOMER

DATA = b'{"customer_id":"c1","order_id":"o1","currency":"CNY","total_minor":9900}'
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
BINARY: tuple[tuple[str, bytes | None], ...] = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e1"),
    ("ce_source", b"/shop"),
    ("ce_type", b"tierstream.order.completed.v1"),
    ("ce_time", b"2026-11-22T10:00:00Z"),
)


def structured(data: bytes = DATA, **changes: str) -> bytes:
    """A structured CloudEvent with attributes replaced by raw JSON text."""
    members = {
        "specversion": '"1.0"',
        "id": '"e1"',
        "source": '"/shop"',
        "type": '"tierstream.order.completed.v1"',
        "time": '"2026-11-22T10:00:00Z"',
    } | changes
    attributes = ",".join(f'"{name}":{text}' for name, text in members.items())
    return f'{{{attributes},"data":'.encode() + data + b"}"


def binary(**changes: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    """The binary mode's headers with some replaced; None takes one away."""
    return tuple(
        (name, changes.get(name.removeprefix("ce_").replace("-", "_"), value))
        for name, value in BINARY
        if changes.get(name.removeprefix("ce_").replace("-", "_"), value) is not None
    )


NOBODY = b'{"order_id":"o1","currency":"CNY","total_minor":9900}'

ENVELOPES = [
    Hostile("tombstone", None, SCHEMA),
    Hostile("tombstone-in-binary-mode", None, SCHEMA, BINARY),
    Hostile("tombstone-called-structured", None, SCHEMA, STRUCTURED),
    Hostile("flat-event-called-structured", ORDER, SCHEMA, STRUCTURED),
    Hostile("list-called-structured", b"[1]", SCHEMA, STRUCTURED),
    Hostile("batch", b"[" + structured() + b"]", SCHEMA, (("content-type", b"application/cloudevents-batch+json"),)),
    Hostile("structured-avro", b"\x02\x04", NOT_JSON, (("content-type", b"application/cloudevents+avro"),)),
    Hostile("structured-no-json", b"{", NOT_JSON, STRUCTURED),
    Hostile("content-type-without-sense", b"{", NOT_JSON, (("Content-Type", b"\xff\xfe;;"),)),
    Hostile("specversion-of-the-future", structured(specversion='"2.0"'), SCHEMA),
    Hostile("specversion-as-number", structured(specversion="1.0"), SCHEMA),
    Hostile("type-of-the-next-major-version", structured(type='"tierstream.order.completed.v2"'), UNKNOWN_TYPE),
    Hostile("bare-type", structured(type='"order.completed"'), UNKNOWN_TYPE),
    Hostile("foreign-type", structured(type='"com.example.order"'), UNKNOWN_TYPE),
    Hostile("output-sent-back", structured(type='"tierstream.customer.tier_changed.v1"'), UNKNOWN_TYPE),
    Hostile("without-id", structured(id="null"), SCHEMA),
    Hostile("empty-id", structured(id='""'), BAD_ID),
    Hostile("id-with-a-bell", structured(id='"e\\u0007"'), BAD_ID),
    Hostile("without-source", structured(source='""'), SCHEMA),
    Hostile("local-time", structured(time='"2026-11-22T10:00:00"'), BAD_TIME),
    Hostile("without-time", structured(time="null"), SCHEMA),
    Hostile("data-in-base64", structured().replace(b'"data":' + DATA, b'"data_base64":"e30="'), SCHEMA),
    Hostile("data-as-text", structured(b'"{}"'), SCHEMA),
    Hostile("data-as-list", structured(b"[]"), SCHEMA),
    Hostile("data-null", structured(b"null"), SCHEMA),
    Hostile("data-in-xml", structured(datacontenttype='"application/xml"'), NOT_JSON),
    Hostile("data-with-a-decimal-amount", structured(DATA.replace(b"9900", b"99.0")), BAD_AMOUNT),
    Hostile("data-key-twice", structured(DATA[:-1] + b',"total_minor":1}'), SCHEMA),
    Hostile("attribute-twice", structured().replace(b'"id":"e1"', b'"id":"e1","id":"e2"'), SCHEMA),
    Hostile("about-nobody", structured(NOBODY), NO_CUSTOMER),
    Hostile("about-a-reserved-subject", structured(NOBODY, subject='"anonymous:1"'), BAD_ID),
    Hostile("about-an-endless-subject", structured(NOBODY, subject=f'"{"s" * 129}"'), BAD_ID),
    Hostile("about-an-unprintable-subject", structured(NOBODY, subject='"c\\u202e1"'), BAD_ID),
    Hostile("subject-as-object", structured(NOBODY, subject="{}"), SCHEMA),
    Hostile("binary-without-json", b"order", NOT_JSON, BINARY),
    Hostile("binary-with-nothing", b"", NOT_JSON, BINARY),
    Hostile("binary-protobuf", b"\x08\x01", NOT_JSON, binary(content_type=b"application/protobuf")),
    Hostile("binary-without-id", DATA, SCHEMA, binary(id=None)),
    Hostile("binary-without-time", DATA, SCHEMA, binary(time=None)),
    Hostile("binary-of-the-future", DATA, SCHEMA, binary(specversion=b"3.0")),
    Hostile("binary-of-another-type", DATA, UNKNOWN_TYPE, binary(type=b"com.example.order")),
    Hostile("binary-header-in-latin-1", DATA, SCHEMA, binary(source=b"caf\xe9")),
    Hostile("binary-id-with-a-nul", DATA, BAD_ID, binary(id=b"e\x001")),
    Hostile("binary-with-a-list", b"[1]", SCHEMA, BINARY),
    Hostile("binary-key-twice", DATA[:-1] + b',"total_minor":1}', SCHEMA, BINARY),
    Hostile("binary-with-a-bad-time", DATA, BAD_TIME, binary(time=b"yesterday")),
    Hostile("binary-about-nobody", NOBODY, NO_CUSTOMER, BINARY),
]
