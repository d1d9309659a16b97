"""Limits on raw bytes, checked before anything is decoded, so that no input can cost much or recurse deeply.

Ordinary events pass on a few counts of single bytes; only what looks large is walked through.
"""

import json
import re
from typing import Final

import msgspec

from schemas.rejections import RefusalReason, Rejected

VALUE_BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 16
KEYS_MAX: Final = 256
"""Members of one JSON object."""
QUOTED_LENGTH_MAX: Final = 64

STAGE: Final = "decode"

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"{}[]")
_OPENING: Final = frozenset(b"{[")

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def refuse(reason: RefusalReason, detail: str) -> Rejected:
    """A refusal of this stage."""
    return Rejected(reason, STAGE, detail)


def quoted(text: str) -> str:
    """At most 64 characters of an input, in quotes, everything beyond printable ASCII escaped."""
    return ascii(text[:QUOTED_LENGTH_MAX]) + ("..." if len(text) > QUOTED_LENGTH_MAX else "")


def screen(value: bytes) -> Rejected | None:
    """Refuses what is too large, too deep, has too many keys or is not UTF-8; says nothing about the JSON itself."""
    if len(value) > VALUE_BYTES_MAX:
        return refuse(RefusalReason.TOO_LARGE, f"{len(value)} bytes; at most {VALUE_BYTES_MAX} are read")
    if not value.isascii():
        fault = _encoding_fault(value)
        if fault is not None:
            return fault
    if value.count(b"{") + value.count(b"[") > DEPTH_MAX and depth_of(value) > DEPTH_MAX:
        return refuse(RefusalReason.TOO_LARGE, f"nested more than {DEPTH_MAX} deep")
    if value.count(b":") > KEYS_MAX:
        return keys_fault(value)
    return None


def _encoding_fault(value: bytes) -> Rejected | None:
    if value.startswith(_BYTE_ORDER_MARK):
        return refuse(RefusalReason.NOT_JSON, "begins with a byte order mark; JSON is sent without one")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        return refuse(RefusalReason.NOT_JSON, f"not UTF-8 at byte {error.start}")
    return None


def depth_of(value: bytes) -> int:
    """How deep arrays and objects nest. Exact for JSON; never too low for what is none."""
    # Without escapes every other part between quotes lies outside of strings, which is quicker to find.
    bare = _STRING.sub(b"", value) if b"\\" in value else b"".join(value.split(b'"')[::2])
    depth = deepest = 0
    for bracket in bare.translate(None, _NOT_BRACKETS):
        if bracket in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


class _KeysRefusedError(ValueError):
    """Carries a fault out of the JSON parser."""


def keys_fault(value: bytes) -> Rejected | None:
    """Names a key that stands twice in one object, or an object with too many keys; silent when it is not JSON."""
    try:
        json.loads(value.decode(), object_pairs_hook=_check_keys)
    except _KeysRefusedError as fault:
        reason = RefusalReason.SCHEMA if fault.args[0] else RefusalReason.TOO_LARGE
        return refuse(reason, fault.args[1])
    except (ValueError, RecursionError):  # the typed decoder says better what is wrong with the JSON
        return None
    return None


def _check_keys(members: list[tuple[str, object]]) -> None:
    if len(members) > KEYS_MAX:
        raise _KeysRefusedError(False, f"an object with {len(members)} keys; at most {KEYS_MAX} are read")  # noqa: FBT003 -- which of the two faults, read by position just above
    if len({key for key, _ in members}) < len(members):
        seen: set[str] = set()
        for key, _ in members:
            if key in seen:
                raise _KeysRefusedError(True, f"key {quoted(key)} stands twice in one object")  # noqa: FBT003 -- as above
            seen.add(key)


def repeated_key_fault(value: bytes, kept: bytes) -> Rejected | None:
    """Names a key that stands twice, where decoders silently keep the last one. `value` must be valid JSON.

    `kept` is what a decoder took from `value`, encoded again. Without escapes every colon in it stands in `value` too,
    so an equal count proves that nothing was dropped, and this costs two counts; the rest is looked at closely.
    """
    if b"\\" not in value:
        colons = value.count(b":")
        if colons == kept.count(b":") or colons == _encode(_decode(value)).count(b":"):
            return None
    return keys_fault(value)
