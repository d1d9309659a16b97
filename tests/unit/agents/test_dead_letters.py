"""Which dead letters are meant, what has become of each, and where a letter goes when it is sent again."""

import json
from typing import Any

import msgspec
import pytest

from agents.dead_letter_view import grouped, hex_dump, lines_of, row_of, value_text, whole
from agents.dead_letters import Mark, Selection, Settled
from agents.redrive import copy_of, with_fields
from agents.settings import IntakeSettings, KafkaSettings, Settings, SourceSettings
from schemas.clock import format_instant
from schemas.dead_letters import DeadLetter
from schemas.journal import encode_journal
from tests.unit.agents.silver import order

SETTINGS = Settings(
    kafka=KafkaSettings(topic_prefix="shop."), intake=IntakeSettings(source=(SourceSettings(topic="pos"),))
)
ORDER = b'{"type":"order.completed","customer_id":"anna"}'


def letter(**told: Any) -> DeadLetter:  # noqa: ANN401 - any of its fields
    """A letter of the raw topic of purchases."""
    basis: dict[str, Any] = {
        "partition": 1,
        "offset": 5,
        "arrived_at": 1_000,
        "reason": "schema",
        "stage": "decode",
        "detail": "got 'anna'",
        "topic": "shop.purchases",
        "source_offset": 40,
        "attempts": 1,
        "app_version": "1",
        "redriven_from": "",
        "key": b"anna",
        "value": ORDER,
        "headers": (),
    }
    return DeadLetter(**(basis | told))


@pytest.mark.parametrize(
    ("selection", "held"),
    [
        ({}, True),
        ({"reasons": {"schema"}}, True),
        ({"reasons": {"late"}}, False),
        ({"topics": {"shop.purchases"}}, True),
        ({"topics": {"pos"}}, False),
        ({"since": 1_000, "until": 1_001}, True),
        ({"since": 1_001}, False),
        ({"until": 1_000}, False),
        ({"places": {"1-5"}}, True),
        ({"places": {"dead-letters-1-5"}}, True),
        ({"places": {"shop.purchases-1-40"}}, True),
        ({"places": {"5-1", "1-40"}}, False),
        ({"ranges": [(1, 5, 5)]}, True),
        ({"ranges": [(1, 0, 4), (0, 0, 9)]}, False),
        ({"reasons": {"schema"}, "places": {"9-9"}}, False),
    ],
)
def test_every_filter_has_to_hold(selection: dict[str, Any], held: bool) -> None:  # noqa: FBT001 - parametrised
    """What is left out does not narrow the choice."""
    assert msgspec.convert(selection, Selection).holds(letter()) is held


def test_an_entry_settles_the_letters_that_it_names() -> None:
    """The later one holds; nothing is settled by an entry that is older than itself: that was another topic."""
    known = Settled()
    known.take(Mark(type="dlq.redriven", partition=1, offsets=[(3, 5)]), 2_000)
    known.take(Mark(type="dlq.dropped", partition=1, offsets=[(5, 5)]), 3_000)
    known.take(Mark(type="dlq.something", partition=1, offsets=[(9, 9)]), 3_000)

    found = [known.status(letter(offset=offset)) for offset in (2, 3, 5, 6, 9)]
    assert found == ["open", "redriven", "dropped", "open", "open"]
    assert known.status(letter(partition=0)) == "open"
    assert known.status(letter(attempts=3)) == "dropped"
    assert known.status(letter(offset=6, attempts=3)) == "parked"
    assert known.status(letter(arrived_at=3_001)) == "open"


def test_what_intake_refused_goes_back_as_it_came() -> None:
    """Bytes, key and headers; the place in a fed file stays behind, and the attempts so far come along."""
    headers = (("tierstream-feed", b"f:7"), ("trace", b"t"), ("tierstream-backfill", b"1"))

    copy = copy_of(letter(headers=headers, attempts=2), SETTINGS)

    assert copy is not None
    assert (copy.topic, copy.key, copy.value) == ("shop.purchases", b"anna", ORDER)
    assert copy.headers == [
        ("trace", b"t"),
        ("tierstream-backfill", b"1"),
        ("tierstream-dlq-attempts", b"2"),
        ("tierstream-dlq-redriven-from", b"1-5"),
    ]


@pytest.mark.parametrize("backfill", [False, True])
def test_what_the_fold_refused_goes_in_by_the_front_door(backfill: bool) -> None:  # noqa: FBT001 - parametrised
    """A journal record goes to the raw topic of its type, never into the journal; a history's stays one."""
    event = order()
    event.recordedtime, event.backfill = event.time, backfill
    value = encode_journal(event)

    copy = copy_of(letter(topic="shop.customer-events", stage="customers", value=value), SETTINGS)

    assert copy is not None
    assert (copy.topic, copy.value) == ("shop.purchases", value)
    assert (("tierstream-backfill", b"1") in copy.headers) is backfill


def test_what_intake_no_longer_reads_has_nowhere_to_go() -> None:
    """A binding that was taken away; one that is there is served."""
    assert copy_of(letter(topic="till"), SETTINGS) is None
    bound = copy_of(letter(topic="pos"), SETTINGS)
    assert bound is not None
    assert bound.topic == "pos"


@pytest.mark.parametrize(
    ("value", "edited"),
    [
        (ORDER, {"type": "order.completed", "customer_id": "anna", "currency": "USD", "data": None}),
        (b'{"data":{"a":{}}}', None),
        (b"[]", None),
        (b"\xff", None),
        (None, None),
    ],
)
def test_an_edit_sets_members_or_leaves_the_letter_alone(value: bytes | None, edited: dict[str, Any] | None) -> None:
    """A path whose parents are no objects does not fit."""
    edit = with_fields({"currency": "USD", "data": None} if edited else {"data.b.c": 1})

    found = edit(value)

    assert (None if found is None else json.loads(found)) == edited


def test_an_edit_reaches_into_objects() -> None:
    """By dotted paths, as in a CloudEvent's data."""
    found = with_fields({"data.total_minor": 27})(b'{"data":{"total":1}}')

    assert found == b'{"data":{"total":1,"total_minor":27}}'


def test_a_list_tells_nothing_of_the_person() -> None:
    """Key, value and detail may name somebody: they are shown for the one letter that was asked for."""
    assert "anna" not in str(row_of(letter(), "open"))
    assert "anna" in str(whole(letter(), "open"))
    assert ("key", "anna") in list(lines_of(letter(), "open"))
    groups = grouped([(letter(), "open"), (letter(arrived_at=9_000), "open"), (letter(), "parked")])
    assert [(g.status, g.letters, g.first, g.last) for g in groups] == [
        ("open", 2, format_instant(1_000), format_instant(9_000)),
        ("parked", 1, format_instant(1_000), format_instant(1_000)),
    ]


def test_a_value_is_shown_as_what_it_is() -> None:
    """JSON indented, text as text, bytes in hexadecimal; nothing in it can move the cursor of a terminal."""
    assert value_text(ORDER).splitlines()[1] == '  "type": "order.completed",'
    assert value_text("not JSON, 客".encode()) == "not JSON, 客"
    assert value_text(b"\x00\xffab") == hex_dump(b"\x00\xffab") == f"00000000  {'00 ff 61 62':<48} ..ab"
    assert "\x1b" not in value_text(b'"\\u001b[2J \xc2\x9b"') + value_text(b"\x1b[2J")
    assert "\x9b" not in value_text('"\x9b"'.encode())
    assert value_text(None) == "(no value)"
    assert len(hex_dump(bytes(33)).splitlines()) == 3
