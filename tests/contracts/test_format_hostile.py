"""Hostile input through every format: a named refusal, never an exception, and no good event beside it is lost."""

import json
from collections import Counter
from math import inf

import pytest

from agents.intake import IntakeStage
from agents.runtime.stage import Record
from schemas.catalog import TOPICS
from schemas.clock import parse_instant
from schemas.formats.record import Decoded, Raw, Skipped
from schemas.formats.table import found_in
from schemas.journal import encode_journal
from schemas.rejections import RefusalReason, Rejected
from streams.intake import Limits
from tests.contracts.format_corpus import EXAMPLES, decoder_at, mapped_decoders, mapping_at, raw_of, read
from tests.contracts.hostile.envelopes import ENVELOPES
from tests.contracts.hostile.fields import FIELDS
from tests.contracts.hostile.item import ORDER, Hostile
from tests.contracts.hostile.syntax import SYNTAX

DECODERS = mapped_decoders()
FOREIGN = sorted(set(DECODERS) - {"tierstream"})
NOW = parse_instant("2026-11-22T10:00:10.000Z")
GOOD = {
    "segment": EXAMPLES / "segment" / "valid-order-completed.json",
    "json/shop": EXAMPLES / "json" / "valid-order.json",
    "debezium/orders": EXAMPLES / "debezium" / "valid-update.json",
    "outbox/orders": EXAMPLES / "outbox" / "valid-order.json",
}
READ_BY_A_MAPPING = {
    # A mapping says which text is meant: numbers in text, whole numbers as ids and a local form of time are its trade.
    "amount-as-text",
    "whole-amount-with-decimals",
    "amount-with-exponent",
    "number-as-id",
    # No id means that one is derived from the content, and an overlong one is shortened to a derived one.
    "empty-id",
    "endless-id",
}
"""Hostile to our own form, but harmless where a mapping has said what a field is."""


def answered(found: Decoded) -> list[Rejected]:
    """The refusals; everything else is an event that can be journalled, or passed over with a cause."""
    if isinstance(found, Skipped):
        assert found.detail
        return []
    assert found
    for event in found:
        assert isinstance(event, Rejected) or encode_journal(event)
    return [event for event in found if isinstance(event, Rejected)]


@pytest.mark.parametrize("item", [item for item in SYNTAX if item.value], ids=lambda item: item.name)
def test_what_is_no_json_is_refused_in_every_format(item: Hostile) -> None:
    """For the same reason as in our own; Debezium writes `null` for what is a tombstone."""
    for name in FOREIGN:
        if item.name == "null" and name.startswith(("debezium", "outbox")):
            assert isinstance(DECODERS[name](Raw(item.value)), Skipped)
            continue
        [refusal] = answered(DECODERS[name](Raw(item.value)))

        assert refusal.reason is item.reason or name.startswith("outbox"), (name, refusal)
        assert refusal.stage == "decode"
        assert refusal.detail.isprintable()
        assert len(refusal.detail) < 400


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_a_hostile_field_is_refused_through_a_mapping(item: Hostile) -> None:
    """A mapping opens no door that our own form keeps shut."""
    found = DECODERS["json/flat"](Raw(item.value))
    refusals = answered(found)

    if item.reason is RefusalReason.UNKNOWN_TYPE:
        assert isinstance(found, Skipped) or refusals
    elif item.name not in READ_BY_A_MAPPING and b'"order.completed"' in (item.value or b""):
        assert isinstance(found, Skipped) or refusals or _harmless(item, found), item.name


def _harmless(item: Hostile, found: Decoded) -> bool:
    """Whether the hostile member is one that the mapping does not read, so that it never comes in."""
    assert not isinstance(found, Skipped)
    [event] = found
    assert not isinstance(event, Rejected)
    plain = json.loads(ORDER)
    kept = {key: value for key, value in json.loads(encode_journal(event)).items() if key != "time"}
    return kept == {key: value for key, value in plain.items() if key != "time"}


@pytest.mark.parametrize("item", [*FIELDS, *ENVELOPES, *SYNTAX], ids=lambda item: item.name)
def test_nothing_hostile_is_ever_raised(item: Hostile) -> None:
    """As the record, as the row of a change, as the properties of a call, as a payload; in the key and the headers."""
    value = item.value or b""
    shapes = [
        item.value,
        b'{"op":"c","ts_ms":1,"source":{"table":"receipts","lsn":1},"after":' + value + b"}",
        b'{"schema":null,"payload":' + value + b"}",
        b'{"type":"track","event":"Order Completed","timestamp":"2026-11-22T10:00:00Z","properties":' + value + b"}",
        b'{"kind":"order","payment":{"state":"PAID"},"order":' + value + b"}",
    ]
    for decode in DECODERS.values():
        for shape in shapes:
            answered(decode(Raw(shape, item.headers, value)))
        answered(decode(Raw(item.value, [("eventType", b"OrderPaid"), ("id", value)], None)))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_no_good_event_is_lost_among_hostile_ones(name: str) -> None:
    """In one fold: each good record is in the journal, each refusal is in the dead letters with its bytes."""
    example = read(GOOD[name])
    good, decoder = raw_of(example), decoder_at(GOOD[name], example)
    hostile = [item.value for item in SYNTAX if item.value and item.name != "null"]
    stage = IntakeStage(
        ("t",),
        "imports",
        {topic: topic for topic in TOPICS},
        1,
        limits=Limits(late_ms_max=10**15),
        breaker=(1.0, 10_000),
        counts=Counter(),
        decoders={"t": decoder},
    )
    partition, records = stage.partition(0), []
    for offset, value in enumerate(hostile):
        records += [
            Record("t", 0, 2 * offset, NOW, 1, good.key, good.value, good.headers),
            Record("t", 0, 2 * offset + 1, NOW, 1, b"k", value, []),
        ]

    assert partition.fold(records, inf) == len(records)
    outputs = partition.drain().outputs

    assert len(outputs["customer-events", 0]) == len(hostile)
    assert [value for _, value, _ in outputs["dead-letters", 0]] == hostile


@pytest.mark.parametrize("item", [*SYNTAX, *FIELDS], ids=lambda item: item.name)
def test_a_hostile_line_takes_no_row_of_a_table_with_it(item: Hostile) -> None:
    """Whatever stands between two good rows, both are read, and no line is passed over in silence."""
    value = item.value or b""
    layout = mapping_at(EXAMPLES / "csv" / "retail.toml").layout
    lines = [b"InvoiceNo,Quantity\n", b"1,first\n", *value.splitlines(keepends=True)]
    lines[-1] = lines[-1] if lines[-1].endswith(b"\n") else lines[-1] + b"\n"
    found = list(found_in([*lines, b"2,last\n"], layout))

    rows = [row for each in found for row in each.rows]
    assert {"InvoiceNo": "1", "Quantity": "first"} in rows
    assert {"InvoiceNo": "2", "Quantity": "last"} in rows
    taken = sum(len(each.rows) or 1 for each in found)
    assert taken == sum(1 for line in [*lines[1:], b"2"] if line.strip()) or b'"' in value
