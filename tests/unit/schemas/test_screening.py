"""Limits on raw bytes: depth, keys, and keys that stand twice."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.rejections import RefusalReason, Rejected
from schemas.screening import (
    DEPTH_MAX,
    KEYS_MAX,
    VALUE_BYTES_MAX,
    Screened,
    depth_of,
    keys_fault,
    quoted,
    repeated_key_fault,
    screen,
)

NESTED = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('a{}[]:"\\\n')),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.sampled_from('a{]:"\\'), max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


def depth_by_walking(value: Any) -> int:  # noqa: ANN401 -- any JSON
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_by_walking, inner), default=0)


@given(NESTED, st.booleans())
def test_depth_is_what_walking_finds(value: object, ascii_only: bool) -> None:  # noqa: FBT001 -- drawn
    """Counting brackets outside of strings is exact, whatever the strings hold."""
    assert depth_of(json.dumps(value, ensure_ascii=ascii_only).encode()) == depth_by_walking(value)


def test_the_limits_themselves_are_allowed() -> None:
    """Each limit is the last value that passes."""
    deepest = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    widest = json.dumps(dict.fromkeys(map(str, range(KEYS_MAX)))).encode()
    longest = b'"' + b"x" * (VALUE_BYTES_MAX - 2) + b'"'

    assert [type(screen(value)) for value in (deepest, widest, longest)] == [Screened] * 3


def test_many_small_objects_are_not_many_keys() -> None:
    """A long order has few keys per object, and passes."""
    value = json.dumps([{"a": 1, "b": 2, "c": 3}] * 200).encode()

    assert isinstance(screen(value), Screened)


def test_colons_in_text_are_no_keys() -> None:
    """A text full of colons passes."""
    assert isinstance(screen(json.dumps({"query": ":" * 900}).encode()), Screened)


@given(st.dictionaries(st.text(st.sampled_from('ab:"\\é'), max_size=4), NESTED, max_size=5), st.booleans())
def test_unique_keys_are_never_called_repeated(value: dict[str, object], ascii_only: bool) -> None:  # noqa: FBT001 -- drawn
    """The quick proof by colons and the close look agree that nothing stands twice."""
    encoded = json.dumps(value, ensure_ascii=ascii_only).encode()
    screened = screen(encoded)
    if isinstance(screened, Rejected):
        return

    assert repeated_key_fault(encoded, screened, b"{}") is None
    assert repeated_key_fault(encoded, screened, encoded) is None


@given(st.sampled_from(["a", "b:", 'c"', "é", "\n"]), st.booleans())
def test_a_repeated_key_is_found_at_any_depth(key: str, ascii_only: bool) -> None:  # noqa: FBT001 -- drawn
    """However the key is spelt and wherever it stands."""
    name = json.dumps(key, ensure_ascii=ascii_only)
    value = f'{{"outer":[{{{name}:1,"other":2,{name}:3}}]}}'.encode()
    screened = screen(value)
    assert isinstance(screened, Screened)

    fault = repeated_key_fault(value, screened, b'{"outer":[{}]}')

    assert fault is not None
    assert fault.reason is RefusalReason.SCHEMA
    assert quoted(key) in fault.detail


def test_what_is_no_json_is_left_to_the_decoder() -> None:
    """The close look at keys says nothing about broken JSON, the decoder says it better."""
    assert keys_fault(b'{"a":1,"a":2') is None


def test_a_quotation_is_short_and_printable() -> None:
    """At most 64 characters, everything unusual escaped."""
    assert quoted("\x1b[31m\u202e茶") == r"'\x1b[31m\u202e\u8336'"
    assert quoted("x" * 65) == "'" + "x" * 64 + "'..."
