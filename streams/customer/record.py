"""The bytes of a customer's state, as they stand in the changelog.

The record is a fixed head (version, due instant, policy ordinal), readable without decoding the rest, and a msgpack
array. A commit encodes each touched customer whole.
"""

import struct
from typing import Final

import msgspec

from streams.customer.state import CustomerState
from streams.customer.upgrade import from_version_1

VERSION: Final = 2
OLDEST: Final = 1
"""The oldest version that can be read."""
_HEAD: Final = struct.Struct(">BqH")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CustomerState).decode


class UnknownStateError(Exception):
    """A state record of a version that this application can't read: a newer one, or one too old."""


def encode_state(state: CustomerState) -> bytes:
    """The record as it stands in the changelog."""
    return _HEAD.pack(VERSION, state.due, state.ordinal) + _encode(state)


def decode_state(record: bytes) -> CustomerState:
    """The inverse of `encode_state`; records of earlier versions are read too.

    Raises `UnknownStateError` for a record of a newer version, or one before OLDEST.
    """
    version, body = record[0], memoryview(record)[_HEAD.size :]
    if version == VERSION:
        return _decode(body)
    if version == OLDEST:
        return from_version_1(body)
    raise _unknown(version)


def head(record: bytes) -> tuple[int, int]:
    """Due instant and policy ordinal of an encoded record, without decoding it. Raises `UnknownStateError` likewise."""
    version, due, ordinal = _HEAD.unpack_from(record)
    if not OLDEST <= version <= VERSION:
        raise _unknown(version)
    return due, ordinal


def _unknown(version: int) -> UnknownStateError:
    return UnknownStateError(f"state record of version {version}, this application reads {OLDEST} to {VERSION}")
