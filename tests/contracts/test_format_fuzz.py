"""Random bytes, damaged examples, random JSON and random tables through every format: never an exception."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Event
from schemas.formats.mapped import events_of
from schemas.formats.mapping import Layout
from schemas.formats.record import Decoded, Raw, Skipped
from schemas.formats.table import ENCODINGS, found_in
from schemas.journal import decode_journal, encode_journal
from schemas.rejections import Rejected
from tests.contracts.format_corpus import EXAMPLES, mapped_decoders, mapping_at, raw_of, read, record_files
from tests.contracts.test_fuzz import TOKENS

DECODERS = mapped_decoders()
RAWS = [raw_of(read(path)) for path in record_files()]
VALUES = [raw.value for raw in RAWS if raw.value]
OBJECTS = [value for value in VALUES if value.startswith(b"{") and b"1e9999" not in value]
TABLES = [(path, mapping_at(path)) for path in sorted(EXAMPLES.glob("csv/*.toml"))]
WORDS = sorted({word for value in VALUES for word in value.decode().split('"') if 0 < len(word) < 30 and word[0] > ":"})

headers = st.lists(st.tuples(st.sampled_from(["id", "eventType", "content-type"]), st.none() | st.binary(max_size=20)))
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(WORDS)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=8)
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An example's record in which some bytes were cut out, overwritten or put in."""
    value = bytearray(draw(st.sampled_from(VALUES)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(value)))
        value[start : start + draw(st.integers(0, 8))] = draw(st.sampled_from(TOKENS) | st.binary(max_size=6))
    return bytes(value)


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """An example's record in which a few members, at any depth, hold something else."""
    document: Any = json.loads(draw(st.sampled_from(OBJECTS)))
    for _ in range(draw(st.integers(1, 3))):
        node = document
        while isinstance(node, dict) and node:
            name = draw(st.sampled_from(sorted(node)))
            if not isinstance(node[name], dict) or draw(st.booleans()):
                node[name] = draw(documents)
                break
            node = node[name]
    return json.dumps(document).encode("utf-8", "surrogatepass")


def check(found: Decoded) -> None:
    """Every event can be journalled and read back; every refusal says something."""
    if isinstance(found, Skipped):
        assert found.detail
        return
    assert found
    for event in found:
        if isinstance(event, Rejected):
            assert event.detail
        else:
            assert isinstance(event, Event)
            assert decode_journal(encode_journal(event)) == event


def through_all(raw: Raw) -> None:
    for decode in DECODERS.values():
        check(decode(raw))


@settings(max_examples=100, deadline=None)
@given(st.none() | st.binary(max_size=200), headers, st.none() | st.binary(max_size=20))
def test_random_bytes_are_answered(value: bytes | None, record_headers: Any, key: bytes | None) -> None:  # noqa: ANN401 - drawn
    """No value, no headers and no key make a decoder raise."""
    through_all(Raw(value, record_headers, key))


@settings(max_examples=200, deadline=None)
@given(damaged(), headers, st.none() | st.binary(max_size=20))
def test_damaged_records_are_answered(value: bytes, record_headers: Any, key: bytes | None) -> None:  # noqa: ANN401 - drawn
    """Nor does any damage done to an example."""
    through_all(Raw(value, record_headers, key))


@settings(max_examples=300, deadline=None)
@given(altered(), st.sampled_from([raw.headers for raw in RAWS]))
def test_members_that_hold_something_else_are_answered(value: bytes, record_headers: Any) -> None:  # noqa: ANN401 - drawn
    """Nor does JSON of any other shape where an example has a member."""
    through_all(Raw(value, record_headers, b"k"))


@settings(max_examples=150, deadline=None)
@given(documents)
def test_random_documents_are_answered(document: Any) -> None:  # noqa: ANN401 - any JSON at all
    """Nor does JSON that is no example at all."""
    through_all(Raw(json.dumps(document).encode("utf-8", "surrogatepass"), [], b'{"id":1}'))


pieces = st.sampled_from([b"\n", b"\r\n", b'"', b";", b",", b"\x00", b"\xff", b"InvoiceNo", b"-1", b"1e9", b"2.55"])
layouts = st.builds(
    Layout,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(ENCODINGS),
    quote=st.sampled_from(['"', "'", ""]),
    header=st.sampled_from([(), ("a", "b")]),
    group_by=st.sampled_from([(), ("a",)]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces | st.binary(max_size=5), max_size=40).map(b"".join), layouts)
def test_random_tables_are_answered(content: bytes, layout: Layout) -> None:
    """Every line is in a row or is refused; lines rise within what is found."""
    lines = content.splitlines(keepends=True)
    found = list(found_in(lines, layout))

    assert all(each.rows or each.refused for each in found)
    assert [each.line for each in found] == sorted({each.line for each in found})


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TABLES), st.data())
def test_random_cells_are_answered(table: Any, data: st.DataObject) -> None:  # noqa: ANN401 - drawn
    """No text in any cell makes a mapping raise."""
    _, mapping = table
    cells = st.text(max_size=12) | st.sampled_from(["", "-1", "1e99", "12/1/2010 8:26", "99,5", "536365", "C1"])
    names = sorted(mapping.columns)
    rows = [{name: data.draw(cells) for name in names} for _ in range(data.draw(st.integers(1, 3)))]

    check(events_of(mapping, {"": rows[0], "rows": rows}))
