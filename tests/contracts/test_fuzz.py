"""Random bytes, random headers, and real messages with bytes changed: the reader answers, it never raises."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.cloudevents import decode_input
from schemas.events import Event
from schemas.journal import encode_journal
from schemas.rejections import Rejected
from tests.contracts.corpus import valid_files

VALID = [path.read_bytes() for path in valid_files()]
TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"\\",
    b"\x00",
    b"\xff",
    b"null",
    b"1e999",
    b"\\ud800",
    b"NaN",
    b"-",
    b".",
]

header_names = st.sampled_from(["content-type", "Content-Type", "ce_specversion", "ce_id", "ce_type", "ce_time", "x"])
header_values = st.none() | st.binary(max_size=20) | st.sampled_from([b"1.0", b"application/cloudevents+json"])
headers = st.lists(st.tuples(header_names, header_values), max_size=5)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid message in which some bytes were cut out, overwritten or put in."""
    value = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(value)))
        length = draw(st.integers(0, 8))
        value[start : start + length] = draw(st.sampled_from(TOKENS) | st.binary(max_size=6))
    return bytes(value)


def check(value: bytes, record_headers: list[tuple[str, bytes | None]]) -> None:
    """The answer is an event that can be journalled, or a refusal that says something."""
    answer = decode_input(value, record_headers)
    if isinstance(answer, Rejected):
        assert answer.detail
    else:
        assert isinstance(answer, Event)
        assert encode_journal(answer)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), headers)
@example(b"", [])
@example(b"\x00", [])
@example(b"{}", [("ce_specversion", b"1.0")])
def test_random_bytes_are_answered(value: bytes, record_headers: list[tuple[str, bytes | None]]) -> None:
    """No bytes and no headers make the reader raise."""
    check(value, record_headers)


@settings(max_examples=300, deadline=None)
@given(damaged(), st.just([]) | headers)
def test_damaged_messages_are_answered(value: bytes, record_headers: list[tuple[str, bytes | None]]) -> None:
    """Nor does any damage done to a message on its way."""
    check(value, record_headers)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*TOKENS, b'"type"', b'"order.completed"', b'"specversion"', b"0", b" "]), max_size=40))
def test_broken_json_is_answered(tokens: list[bytes]) -> None:
    """Nor does what is built from the pieces of JSON."""
    check(b"".join(tokens), [])
