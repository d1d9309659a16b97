"""Journal records: keys, and bytes that depend on nothing but the record."""

from typing import get_args

import msgspec
import pytest

from schemas.events import EVENT_CLASSES, BrowseActivity, InputEvent, OrderCompleted, type_of
from schemas.journal import (
    ClockAdvanced,
    ClockClosed,
    ClockTick,
    ControlRecord,
    CountersDeclared,
    CountersRestated,
    GoLive,
    ModelActivated,
    PolicyActivated,
    control_key,
    decode_journal,
    encode_journal,
    is_control_key,
    journal_key,
)

AT = "2026-11-22T10:00:00.000Z"


def test_an_event_is_keyed_by_its_customer() -> None:
    """The key is the customer's id in UTF-8, and says so while nobody knows who it is."""
    known = BrowseActivity(id="e1", time=AT, customer_id="客户", anonymous_id="dev-1", action="search")
    unknown = BrowseActivity(id="e1", time=AT, anonymous_id="dev-1", action="search")

    assert journal_key(known) == "客户".encode()
    assert journal_key(unknown) == b"anonymous:dev-1"
    assert not is_control_key(journal_key(known))


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (ClockTick(instant=AT, home=(0, 12)), b"\x00clock.tick"),
        (ClockAdvanced(instant=AT), b"\x00clock.advanced"),
        (ClockClosed(instant=AT, home=(3, 12)), b"\x00clock.closed"),
        (PolicyActivated(id="a", effective_at=AT, name="n", hash="h", text="{}"), b"\x00policy.activated"),
        (ModelActivated(id="a", effective_at=AT, name="n", hash="h", text="{}"), b"\x00model.activated"),
        (GoLive(instant=AT), b"\x00go-live"),
        (CountersDeclared(id="a", text="[]", home=(3, 12)), b"\x00counters.declared"),
    ],
)
def test_a_control_record_has_a_key_that_no_customer_can_have(record: ControlRecord, key: bytes) -> None:
    """Control keys begin with a zero byte, which no id may hold, and the record survives the journal."""
    assert control_key(record) == key
    assert is_control_key(key)
    assert decode_journal(encode_journal(record)) == record


def test_what_was_counted_for_a_customer_has_the_customers_key() -> None:
    """So it lies among the customer's own records, and comes back as it went in."""
    record = CountersRestated(customer_id="anonymous:dev-1", declaration="a", journal_seq=3, counters=b"\x00\xff")

    assert control_key(record) == b"anonymous:dev-1"
    assert decode_journal(encode_journal(record)) == record


def test_only_keys_with_a_zero_byte_are_control_keys() -> None:
    """No key and an empty key belong to no partition."""
    assert [is_control_key(key) for key in (None, b"", b"c\x00", b"\x00")] == [False, False, False, True]


def test_the_order_of_members_in_the_journal_is_fixed() -> None:
    """Type, identity and time come first; what has its default is left out."""
    event = OrderCompleted(
        id="e1", time=AT, recordedtime=AT, customer_id="c1", order_id="o1", currency="CNY", total_minor=9900
    )

    assert encode_journal(event) == (
        b'{"type":"order.completed","id":"e1","time":"2026-11-22T10:00:00.000Z",'
        b'"recordedtime":"2026-11-22T10:00:00.000Z","customer_id":"c1","order_id":"o1","currency":"CNY",'
        b'"total_minor":9900}'
    )


def test_what_is_no_journal_record_is_an_error() -> None:
    """In our own journal an unreadable record is a bug, so it is raised."""
    with pytest.raises(msgspec.DecodeError):
        decode_journal(b'{"type":"order.exploded"}')


def test_the_union_holds_every_event_class_once() -> None:
    """The type that mypy checks and the table by name are the same set."""
    classes = get_args(InputEvent)

    assert len(classes) == len(set(classes))
    assert {type_of(cls): cls for cls in classes} == dict(EVENT_CLASSES)
