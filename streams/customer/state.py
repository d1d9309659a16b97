"""What is kept about one customer, and its bytes.

The record is a fixed head (version, due instant, policy ordinal), readable without decoding the rest, and a msgpack
array. Everything that grows is packed bytes inside it, so that encoding is a copy: a commit encodes each touched
customer whole.
"""

import struct
from typing import Final

import msgspec

from schemas.decisions import Cause
from streams.customer.standing import LadderStanding, RiskStanding

VERSION: Final = 1
NEVER: Final = 2**62
"""The due instant of a customer whom time alone can't change."""

_HEAD: Final = struct.Struct(">BqH")


class Waiting(msgspec.Struct, array_like=True):
    """A refund or cancellation that arrived before its order."""

    order: bytes
    """Hash of the order id, 8 bytes."""
    expires_at: int
    """Epoch ms from which it is refused as `refund_without_order`."""
    value: bytes
    """The journal record as it arrived."""


class CustomerState(msgspec.Struct, array_like=True):
    """Everything the fold needs to know of one customer.

    Money in minor units of the policy's currency, instants in epoch ms, days as ordinals.
    """

    clock: int = 0
    """Largest instant folded: `recorded_at` of an event or a due instant that was run. Never runs backwards."""
    journal_seq: int = 0
    """Journal records of this customer so far, ticks not counted."""
    revision: int = 0
    """Rises with every record folded, every review by time and every change published: no two of the customer's outputs
    share one, and the higher one is the newer one."""
    changed_by: tuple[Cause, str | None] = ("event", None)
    """What changed something last: the cause, and the event's id if it was one."""
    sequences: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    """Last `sequence` per output topic: tier-changes, churn-risk."""

    days: bytearray = msgspec.field(default_factory=bytearray)
    """The day log (`daylog`)."""
    sums: list[int] = msgspec.field(default_factory=lambda: [0] * 20)
    """Running sums of the rolling windows and of the whole life (`daylog`)."""
    shift_day: int = 0
    """From this day on a window's head or the end of the log moves; 0: nothing logged."""

    purchase_days: int = 0
    """Days with a kept order, over the whole life."""
    first_day: int = 0
    last_day: int = 0
    dropped_last_day: int = 0
    """Last purchase day that has left the day log."""
    first_order_at: int = 0
    last_order_at: int = 0
    """`occurred_at` of the earliest and the latest order, whether kept or not; 0: none."""
    first_seen_at: int = 0
    """`recorded_at` of the first record."""

    orders: bytearray = msgspec.field(default_factory=bytearray)
    """The order index (`orders`)."""
    takings: bytearray = msgspec.field(default_factory=bytearray)
    """Refunds, cancellations and returns seen, so that a repeat is recognised (`orders`)."""
    foreign: bytearray = msgspec.field(default_factory=bytearray)
    """What orders in another currency cost originally (`orders`)."""
    waiting: list[Waiting] = msgspec.field(default_factory=list)
    seen_browsing: bytearray = msgspec.field(default_factory=bytearray)
    seen_other: bytearray = msgspec.field(default_factory=bytearray)

    channels: dict[str, int] = msgspec.field(default_factory=dict)
    """Completed orders per channel."""
    contact: dict[str, bool] = msgspec.field(default_factory=dict)
    """Consent per contact channel, as last stated."""
    purposes: dict[str, bool] = msgspec.field(default_factory=dict)
    """Consent per purpose, as last stated."""
    locale: str = ""
    test: bool = False

    ladders: list[LadderStanding] = msgspec.field(default_factory=list)
    """One per ladder of the policy, in its order."""
    risk: RiskStanding = msgspec.field(default_factory=RiskStanding)

    due: int = NEVER
    """The earliest instant at which time alone may change something.

    May be early, never late. Stands in the head too.
    """
    ordinal: int = 0
    """Which of the partition's policies this standing was computed with. Stands in the head too."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CustomerState).decode


class UnknownStateError(Exception):
    """A state record of a version that this application can't read: it was written by a newer one."""


def encode_state(state: CustomerState) -> bytes:
    """The record as it stands in the changelog."""
    return _HEAD.pack(VERSION, state.due, state.ordinal) + _encode(state)


def decode_state(record: bytes) -> CustomerState:
    """The inverse of `encode_state`. Raises `UnknownStateError` for a record of a newer version."""
    if record[0] != VERSION:
        raise UnknownStateError(
            f"state record of version {record[0]}, this application reads version {VERSION}: start the newer release"
        )
    return _decode(memoryview(record)[_HEAD.size :])


def head(record: bytes) -> tuple[int, int]:
    """Due instant and policy ordinal of an encoded record, without decoding it."""
    _, due, ordinal = _HEAD.unpack_from(record)
    return due, ordinal
