"""Limits on raw bytes, checked before anything is decoded, so that no input can cost much or recurse deeply.

Ordinary events pass on a few counts; only what looks large or odd is walked through.
"""

import json
import re
from typing import Final, final

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
_OPENING: Final = frozenset(b"{[")
# Everything but the marks by which an input is judged: brackets and colons give its size, escapes hide what it says.
_UNMARKED: Final = bytes(byte for byte in range(256) if byte not in b"{[:\\\x7f")
_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'{}[]"')

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


@final
class Screened(msgspec.Struct, frozen=True, gc=False):
    """What screening found out about an input that it let through."""

    colons: int
    escaped: bool
    """The bytes may say less than what is decoded from them: there is a backslash (or a DEL) among them."""
    plain: bool
    """Neither escapes nor anything beyond printable ASCII: every string in it is printable."""


def refuse(reason: RefusalReason, detail: str) -> Rejected:
    """A refusal of this stage."""
    return Rejected(reason, STAGE, detail)


def quoted(text: str) -> str:
    """At most 64 characters of an input, in quotes, everything beyond printable ASCII escaped."""
    return ascii(text[:QUOTED_LENGTH_MAX]) + ("..." if len(text) > QUOTED_LENGTH_MAX else "")


def screen(value: bytes) -> Screened | Rejected:
    """Refuses what is too large, too deep, has too many keys or is not UTF-8; says nothing about the JSON itself."""
    if len(value) > VALUE_BYTES_MAX:
        return refuse(RefusalReason.TOO_LARGE, f"{len(value)} bytes; at most {VALUE_BYTES_MAX} are read")
    ascii_only = value.isascii()
    if not ascii_only:
        fault = _encoding_fault(value)
        if fault is not None:
            return fault
    marks = value.translate(None, _UNMARKED)
    colons = marks.count(b":")
    openings = marks.count(b"{") + marks.count(b"[")
    if openings > DEPTH_MAX and depth_of(value) > DEPTH_MAX:
        return refuse(RefusalReason.TOO_LARGE, f"nested more than {DEPTH_MAX} deep")
    if colons > KEYS_MAX:
        fault = keys_fault(value)
        if fault is not None:
            return fault
    escaped = len(marks) > colons + openings
    return Screened(colons, escaped, ascii_only and not escaped)


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
    if b"\\" in value:
        value = _STRING.sub(b"", value)
    # Two quotes with nothing between them end a string and begin one: without them the outside stays the same. Of what
    # is left, every other part between quotes lies outside of strings.
    structure = value.translate(None, _NOT_STRUCTURE).replace(b'""', b"")
    depth = deepest = 0
    for bracket in b"".join(structure.split(b'"')[::2]):
        if bracket in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


class _TooManyKeysError(ValueError):
    """Carries the number of keys out of the JSON parser."""


class _RepeatedKeyError(ValueError):
    """Carries the key out of the JSON parser."""


def keys_fault(value: bytes) -> Rejected | None:
    """Names a key that stands twice in one object, or an object with too many keys; silent when it is not JSON."""
    try:
        json.loads(value, object_pairs_hook=_check_keys)
    except _TooManyKeysError as fault:
        return refuse(RefusalReason.TOO_LARGE, f"an object with {fault} keys; at most {KEYS_MAX} are read")
    except _RepeatedKeyError as fault:
        return refuse(RefusalReason.SCHEMA, f"key {quoted(str(fault))} stands twice in one object")
    except (ValueError, RecursionError):  # the typed decoder says better what is wrong with the JSON
        return None
    return None


def _check_keys(members: list[tuple[str, object]]) -> None:
    if len(members) > KEYS_MAX:
        raise _TooManyKeysError(len(members))
    if len(dict(members)) < len(members):
        seen: set[str] = set()
        for key, _ in members:
            if key in seen:
                raise _RepeatedKeyError(key)
            seen.add(key)


def repeated_key_fault(value: bytes, screened: Screened, kept: bytes) -> Rejected | None:
    """Names a key that stands twice, where decoders silently keep the last one. `value` must be valid JSON.

    `kept` is what a decoder took from `value`, encoded again. Without escapes every colon in it stands in `value` too,
    so an equal count proves that nothing was dropped, and costs next to nothing; the rest is looked at closely.
    """
    if not screened.escaped and (
        screened.colons == kept.count(b":") or screened.colons == _encode(_decode(value)).count(b":")
    ):
        return None
    return keys_fault(value)
