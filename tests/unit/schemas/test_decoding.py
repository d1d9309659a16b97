"""Reading inputs: the forms that are accepted, and what the reader forgives."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.cloudevents import decode_input
from schemas.events import BrowseActivity, Event, Identified, Linked, OrderCompleted
from schemas.rejections import RefusalReason, Rejected

ORDER: dict[str, Any] = {
    "type": "order.completed",
    "id": "e1",
    "time": "2026-11-22T10:00:00Z",
    "customer_id": "c1",
    "order_id": "o1",
    "currency": "CNY",
    "total_minor": 9900,
}
READ = OrderCompleted(
    id="e1", time="2026-11-22T10:00:00Z", customer_id="c1", order_id="o1", currency="CNY", total_minor=9900
)
DATA = {name: ORDER[name] for name in ("customer_id", "order_id", "currency", "total_minor")}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/shop",
    "type": "tierstream.order.completed.v1",
    "time": "2026-11-22T10:00:00Z",
}


def read(message: object, headers: Sequence[tuple[str, bytes | None]] = ()) -> Event | Rejected:
    return decode_input(json.dumps(message, ensure_ascii=False).encode(), headers)


def test_flat_json_is_an_event() -> None:
    """The simplest form: one object with a type."""
    assert read(ORDER) == READ


def test_the_order_of_members_does_not_matter() -> None:
    """JSON objects have no order."""
    assert read(dict(reversed(ORDER.items()))) == READ


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", b"application/json")],
        [("traceparent", b"00-1-2-03"), ("content-type", None)],
        [("content-type", b"text/plain")],
        [("ce_id", b"e9")],
    ],
)
def test_other_headers_do_not_matter_to_flat_json(headers: list[tuple[str, bytes | None]]) -> None:
    """Only a content type of CloudEvents, or their version in a header, changes how a value is read."""
    assert read(ORDER, headers) == READ


def test_a_registry_prefix_is_stripped() -> None:
    """Zero byte and schema id in front of the JSON, as registry serializers write them."""
    assert decode_input(b"\x00\x00\x00\x01\x07" + json.dumps(ORDER).encode()) == READ


def test_unknown_members_are_ignored() -> None:
    """A producer may be ahead of us."""
    assert read(ORDER | {"loyalty": {"card": 7}, "note": "a:b:c"}) == READ


def test_null_means_left_out() -> None:
    """Producers that write null for what they do not know are understood, at any depth."""
    product = {"product_id": "p1", "brand": None, "price_minor": None}

    event = read(ORDER | {"coupon": None, "campaign": None, "tax_minor": None, "products": [product]})

    assert isinstance(event, OrderCompleted)
    assert (event.coupon, event.campaign, event.tax_minor) == ("", None, None)
    assert (event.products[0].brand, event.products[0].price_minor) == ("", None)


def test_an_id_is_brought_into_composed_form() -> None:
    """Two spellings of one name are one customer, also inside products."""
    event = read(ORDER | {"customer_id": "cafe\u0301", "products": [{"product_id": "e\u0301", "name": "e\u0301"}]})

    assert isinstance(event, OrderCompleted)
    assert event.customer_id == "café"
    assert event.products[0].product_id == "é"
    assert event.products[0].name == "e\u0301"


def test_a_structured_cloudevent_is_read_with_and_without_its_content_type() -> None:
    """The attributes become the event's own fields, whatever member comes first."""
    expected = OrderCompleted(**{**DATA, "id": "e1", "time": "2026-11-22T10:00:00Z", "source": "/shop"})
    envelope = ATTRIBUTES | {"data": DATA}

    assert read(envelope) == expected
    assert read(dict(reversed(envelope.items()))) == expected
    assert read(envelope, [("content-type", b"application/cloudevents+json; charset=UTF-8")]) == expected
    assert read(envelope, [("Content-Type", b"application/CloudEvents+json"), ("ce_id", b"other")]) == expected


def test_a_binary_cloudevent_is_read() -> None:
    """Attributes in headers, data in the value."""
    headers = [
        ("content-type", b"application/json"),
        *((f"ce_{name}", text.encode()) for name, text in ATTRIBUTES.items()),
    ]

    assert read(DATA, headers) == OrderCompleted(
        **{**DATA, "id": "e1", "time": "2026-11-22T10:00:00Z", "source": "/shop"}
    )


def test_the_envelope_wins_over_the_data() -> None:
    """Identity, time and type of a CloudEvent are its attributes, even where the data has members of those names."""
    event = read(ATTRIBUTES | {"data": DATA | {"id": "x", "type": "order.cancelled", "time": "never", "source": "y"}})

    assert isinstance(event, OrderCompleted)
    assert (event.id, event.time, event.source) == ("e1", ATTRIBUTES["time"], "/shop")


def test_the_datas_customer_wins_over_the_subject() -> None:
    """Subject and partition key only speak where the data names nobody."""
    nobody = {name: member for name, member in DATA.items() if name != "customer_id"}
    cases = [
        (DATA, {"subject": "s1"}, "c1"),
        (nobody, {"subject": "s1", "partitionkey": "p1"}, "s1"),
        (nobody, {"partitionkey": "p1"}, "p1"),
        (nobody | {"customer_id": None}, {"subject": "s1"}, "s1"),
    ]
    for data, more, customer in cases:
        event = read(ATTRIBUTES | more | {"data": data})
        assert isinstance(event, OrderCompleted)
        assert event.customer_id == customer


def test_an_anonymous_visit_stays_anonymous_under_any_subject() -> None:
    """A session named as subject does not become a customer."""
    attributes = ATTRIBUTES | {"type": "tierstream.browse.activity.v1", "subject": "session-7"}

    event = read(attributes | {"data": {"anonymous_id": "dev-1", "action": "search"}})

    assert isinstance(event, BrowseActivity)
    assert (event.customer_id, event.anonymous_id) == ("", "dev-1")


def test_a_link_between_device_and_customer_may_name_the_customer_as_subject() -> None:
    """There the anonymous id does not say who is meant."""
    attributes = ATTRIBUTES | {"type": "tierstream.identity.linked.v1", "subject": "c7"}

    event = read(attributes | {"data": {"anonymous_id": "dev-1"}})

    assert isinstance(event, Linked)
    assert (event.customer_id, event.anonymous_id) == ("c7", "dev-1")


def test_the_word_specversion_in_a_flat_event_does_not_make_it_a_cloudevent() -> None:
    """A search for that word is a search."""
    event = read(
        {"type": "browse.activity", "id": "e", "time": "2026-11-22T10:00:00Z", "customer_id": "c", "action": "search"}
        | {"query": "specversion"}
    )
    typo = read(ORDER | {"total_minor": 1.5, "coupon": "specversion"})

    assert isinstance(event, BrowseActivity)
    assert isinstance(typo, Rejected)
    assert typo.reason is RefusalReason.BAD_AMOUNT


def test_a_stamp_of_a_producer_does_not_come_through_a_cloudevent() -> None:
    """`recordedtime` is ours."""
    event = read(ATTRIBUTES | {"recordedtime": "x", "data": DATA | {"recordedtime": "y"}})

    assert isinstance(event, OrderCompleted)
    assert event.recordedtime == ""


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"total_minor": 27.5}, "$.total_minor: expected `int`, got `float`; amounts are whole minor units"),
        ({"currency": "RMB"}, "$.currency: 'RMB' is no ISO 4217 code in capitals"),
        ({"time": "gestern"}, "$.time: 'gestern' is no instant: not RFC 3339"),
        ({"customer_id": 7}, "$.customer_id: expected `str`, got `int`; ids are text of 1 to 128 printable characters"),
        ({"order_id": "o\u202e1"}, r"$.order_id: unprintable character in 'o\u202e1'"),
        (
            {"type": "order.complete"},
            "$.type: unknown type 'order.complete'; `tierstream schemas list` shows the types",
        ),
        (
            {"type": "tierstream.order.completed.v1"},
            "$.type: unknown type 'tierstream.order.completed.v1'; an event without",
        ),
        ({"products": [{"product_id": "p"}, {}]}, "$.products[1]: required field `product_id` is missing"),
    ],
)
def test_a_refusal_says_where_and_what_was_expected(change: dict[str, Any], detail: str) -> None:
    """The detail is enough to mend the producer."""
    refusal = read(ORDER | change)

    assert isinstance(refusal, Rejected)
    assert refusal.detail.startswith(detail)


def test_a_byte_order_mark_is_called_by_its_name() -> None:
    """Nobody sees it in an editor, so the refusal must say it."""
    refusal = decode_input(b"\xef\xbb\xbf" + json.dumps(ORDER).encode())

    assert isinstance(refusal, Rejected)
    assert "byte order mark" in refusal.detail


@pytest.mark.parametrize(
    ("content_type", "detail"),
    [
        (b"Application/CloudEvents-Batch+JSON", "header content-type: one record holds one event"),
        (b"application/cloudevents+avro", "header content-type: of the CloudEvents formats only JSON is read"),
        (b"APPLICATION/CLOUDEVENTS+JSON", "$: a structured CloudEvent is an object with `specversion`"),
    ],
)
def test_a_wrong_content_type_is_told_from_a_wrong_value(content_type: bytes, detail: str) -> None:
    """Media types have no case, and the refusal says which of the two to mend."""
    refusal = read(ORDER, [("content-type", content_type)])

    assert isinstance(refusal, Rejected)
    assert refusal.detail.startswith(detail)


def test_data_in_base64_is_told_from_missing_data() -> None:
    """The refusal says where JSON is expected."""
    refusal = read(ATTRIBUTES | {"data_base64": "e30="})

    assert isinstance(refusal, Rejected)
    assert refusal.detail == "$.data_base64: expected JSON in `data`"


def test_traits_may_be_all_that_an_event_brings() -> None:
    """Types without required fields of their own are read too."""
    event = read({"type": "identity.identified", "id": "e", "time": "2026-11-22T10:00:00Z", "anonymous_id": "dev-1"})

    assert event == Identified(id="e", time="2026-11-22T10:00:00Z", anonymous_id="dev-1")
