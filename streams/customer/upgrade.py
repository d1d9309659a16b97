"""Reads states that an earlier version of this application wrote.

Version 1 knew orders without channel, total and promotion: their channel stays unknown, and what remained of each is
taken for its total. What was bought up to the last change of tier was not kept: until the next one, `since last change`
counts the whole life.
"""

import struct
from typing import Any, Final

import msgspec

from streams.customer import orders
from streams.customer.daylog import DAY_ZERO
from streams.customer.standing import LadderStanding, RiskStanding
from streams.customer.state import CustomerState, Waiting

_ORDER_1: Final = struct.Struct("<8sHBIqQ")
_DAY_1: Final = struct.Struct("<HHHHq")
_DAY_2: Final = struct.Struct("<HHHHqHH")
_FIELDS_1: Final = (
    *("clock", "journal_seq", "revision", "changed_by", "sequences", "days", "sums", "shift_day", "purchase_days"),
    *("first_day", "last_day", "dropped_last_day", "first_order_at", "last_order_at", "first_seen_at", "orders"),
    *("takings", "foreign", "waiting", "seen_browsing", "seen_other", "channels", "contact", "purposes", "locale"),
    *("test", "ladders", "risk", "due", "ordinal"),
)
_LAST_AT_1: Final = 5
_PACKED: Final = ("days", "orders", "takings", "foreign", "seen_browsing", "seen_other")
_decode: Final = msgspec.msgpack.Decoder(list[Any]).decode


def from_version_1(record: memoryview) -> CustomerState:
    """A state of version 1 as one of this version; `record` is without its head."""
    old = dict(zip(_FIELDS_1, _decode(record), strict=True))
    for name in _PACKED:
        old[name] = bytearray(old[name])
    old["days"] = bytearray(b"".join(_DAY_2.pack(*entry, 0, 0) for entry in _DAY_1.iter_unpack(old["days"])))
    old["sums"] = [*old["sums"], 0, 0]
    packed, locale = old.pop("orders"), old.pop("locale")
    old["changed_by"] = tuple(old["changed_by"])
    old["sequences"] = [*old["sequences"], 0]
    old["waiting"] = [Waiting(*waiting) for waiting in old["waiting"]]
    old["channels"] = {name: [count, count, 0] for name, count in old["channels"].items()}
    old["ladders"] = [_ladder(*standing) for standing in old["ladders"]]
    old["risk"] = RiskStanding(*old["risk"])
    new = CustomerState(**old, traits={"locale": locale} if locale else {})
    for hashed, day, flags, digest, remaining, revision in _ORDER_1.iter_unpack(packed):
        orders.add(
            new,
            orders.Order(hashed, day + DAY_ZERO, flags, 0, digest, remaining, remaining, revision),
        )
    return new


def _ladder(*old: Any) -> LadderStanding:  # noqa: ANN401 - the fields of version 1, in their order
    """A standing of version 1; it knew the instant of the last change besides."""
    standing = LadderStanding(*old[:_LAST_AT_1], *old[_LAST_AT_1 + 1 :])
    standing.shown, standing.shown_since = standing.rank, standing.since
    return standing
