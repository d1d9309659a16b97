"""The order index: what each order was and is still worth.

Refunds and cancellations take exactly what remains of it, and filters by channel and amount look it up. An entry is
(hash of the order id, day of purchase, flags, channel, content digest, total in minor units), 24 bytes, sorted by day.
It lives as long as its day can be in the day log, and also recognises an order that is sent again. Takings (refunds,
cancellations, returns) are remembered as long. What few orders have stands beside: what remains of those refunded in
part, the revision of those known by `order.state`, the original price of those paid in another currency.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.customer.daylog import DAY_ZERO, LOG_DAYS
from streams.customer.state import CustomerState

_ENTRY: Final = struct.Struct("<8sHBBIq")
_SIZE: Final = _ENTRY.size
_TAKING: Final = struct.Struct("<8sH")
_FOREIGN: Final = struct.Struct("<8sqqq")
_LEFT: Final = struct.Struct("<8sq")
_REVISION: Final = struct.Struct("<8sQ")
ORDERS_MAX: Final = 8_192
"""A till's account for all who have none may have more within LOG_DAYS: refunds of older ones find no order then."""
TAKINGS_MAX: Final = 512
"""More refunds and cancellations of one customer within LOG_DAYS are a fault of the producer; the oldest make room."""
KEPT: Final = 1
CANCELLED: Final = 2
FREE: Final = 4
"""An order of 0 (voucher, gift): it stays kept with nothing remaining."""
STATED: Final = 8
"""Known from `order.state`: its revisions decide, an `order.completed` beside them says nothing new."""
PROMO: Final = 16
"""Bought with a coupon or a discount."""
ONLINE: Final = 32
OFFLINE: Final = 64


class Order(NamedTuple):
    """One entry of the index."""

    hash: bytes
    day: int
    flags: int
    channel: int
    """Place of its channel in the customer's list of channels, from 1; 0: none or one too many."""
    digest: int
    """Digest of what was ordered: the same id with another digest is a conflict."""
    total: int
    """Minor units that it cost."""
    remaining: int
    """Minor units not yet refunded or cancelled."""
    revision: int = 0
    """Of the last `order.state`; 0 for orders that came as `order.completed`."""

    @property
    def kept(self) -> bool:
        """Whether it counts as an order: neither cancelled nor refunded in full."""
        return bool(self.flags & KEPT)


def find(state: CustomerState, order_hash: bytes) -> Order | None:
    """The order with this hash of its id."""
    position = _locate(state.orders, order_hash, _SIZE)
    if position < 0:
        return None
    hashed, day, flags, channel, digest, total = _ENTRY.unpack_from(state.orders, position)
    remaining = _beside(state.left, _LEFT, hashed, total) if flags & KEPT else 0
    revision = _beside(state.revisions, _REVISION, hashed, 0)
    return Order(hashed, day + DAY_ZERO, flags, channel, digest, total, remaining, revision)


def since(state: CustomerState, first: int) -> Iterator[Order]:
    """The kept orders of the day `first` and later, the newest first; revisions are left out."""
    index, position, oldest = state.orders, len(state.orders) - _SIZE, first - DAY_ZERO
    while position >= 0:
        hashed, day, flags, channel, digest, total = _ENTRY.unpack_from(index, position)
        if day < oldest:
            return
        if flags & KEPT:
            remaining = _beside(state.left, _LEFT, hashed, total) if state.left else total
            yield Order(hashed, day + DAY_ZERO, flags, channel, digest, total, remaining)
        position -= _SIZE


def hashes(state: CustomerState) -> set[bytes]:
    """Of all orders in the index."""
    return {bytes(state.orders[position : position + 8]) for position in range(0, len(state.orders), _SIZE)}


def add(state: CustomerState, order: Order) -> None:
    """Enter an order that is not in the index yet."""
    index, relative = state.orders, order.day - DAY_ZERO
    position = len(index)
    while position and _day_at(index, position - _SIZE) > relative:
        position -= _SIZE
    index[position:position] = _pack(order)
    _note_beside(state, order)
    if len(index) > ORDERS_MAX * _SIZE:
        _drop_first(state, 1)


def replace(state: CustomerState, order: Order) -> None:
    """Write an order that is in the index; its day must not have changed."""
    position = _locate(state.orders, order.hash, _SIZE)
    state.orders[position : position + _SIZE] = _pack(order)
    _note_beside(state, order)


def reduced(order: Order, amount: int) -> Order:
    """The order after a refund of `amount`, which must not exceed what remains.

    Refunded in full it is no longer kept.
    """
    remaining = order.remaining - amount
    flags = order.flags if remaining or order.flags & FREE else order.flags & ~KEPT
    return order._replace(remaining=remaining, flags=flags)


def cancelled(order: Order) -> Order:
    """The order after its cancellation: nothing remains."""
    return order._replace(remaining=0, flags=(order.flags & ~KEPT) | CANCELLED)


def taking_seen(state: CustomerState, taking_hash: bytes) -> bool:
    """Whether this refund, cancellation or return was taken, or waits."""
    return _locate(state.takings, taking_hash, _TAKING.size) >= 0


def remember_taking(state: CustomerState, taking_hash: bytes, day: int) -> None:
    """Remember a refund, cancellation or return under the day of its arrival."""
    state.takings += _TAKING.pack(taking_hash, day - DAY_ZERO)
    if len(state.takings) > TAKINGS_MAX * _TAKING.size:
        del state.takings[: _TAKING.size]


def forget_taking(state: CustomerState, taking_hash: bytes) -> None:
    """It waited in vain and was refused: sent again, it has another chance."""
    _remove(state.takings, taking_hash, _TAKING.size)


def remember_foreign(state: CustomerState, order_hash: bytes, total: int, base_total: int) -> None:
    """Keep what an order in another currency cost in that currency and in the policy's."""
    if total > 0:
        state.foreign += _FOREIGN.pack(order_hash, total, base_total, 0)


def is_foreign(state: CustomerState, order_hash: bytes) -> bool:
    """Whether the order was in another currency than the policy's."""
    return _locate(state.foreign, order_hash, _FOREIGN.size) >= 0


def foreign_refund(state: CustomerState, order: Order, amount: int) -> int:
    """A refund in the order's own currency as minor units of the policy's, at the rate of the purchase.

    Refunds add up without loss: the one that completes the original price takes all that remains.
    """
    position = _locate(state.foreign, order.hash, _FOREIGN.size)
    if position < 0:
        return min(amount, order.remaining)
    hashed, total, base_total, refunded = _FOREIGN.unpack_from(state.foreign, position)
    refunded = min(total, refunded + amount)
    _FOREIGN.pack_into(state.foreign, position, hashed, total, base_total, refunded)
    left = base_total - base_total * refunded // total
    taken: int = max(0, order.remaining - left)
    return taken


def forget(state: CustomerState, as_of: int) -> None:
    """Drop the orders and takings whose day has left the day log."""
    oldest = as_of - LOG_DAYS - DAY_ZERO
    index = state.orders
    if index and _day_at(index, 0) <= oldest:
        count = 0
        while count * _SIZE < len(index) and _day_at(index, count * _SIZE) <= oldest:
            count += 1
        _drop_first(state, count)
    takings = state.takings
    if takings and takings[8] | takings[9] << 8 <= oldest:
        state.takings = bytearray(
            b"".join(_TAKING.pack(*entry) for entry in _TAKING.iter_unpack(takings) if entry[1] > oldest)
        )


def _drop_first(state: CustomerState, count: int) -> None:
    end = count * _SIZE
    beside = [(state.foreign, _FOREIGN.size), (state.left, _LEFT.size), (state.revisions, _REVISION.size)]
    beside += [(series.shares, _LEFT.size) for series in state.series.values()]
    for packed, size in beside:
        if packed:
            for position in range(0, end, _SIZE):
                _remove(packed, bytes(state.orders[position : position + 8]), size)
    del state.orders[:end]


def _note_beside(state: CustomerState, order: Order) -> None:
    """Keep what remains of an order in part refunded, and its revision, if it has one."""
    partly = order.kept and order.remaining != order.total
    _set_beside(state.left, _LEFT, order.hash, order.remaining if partly else None)
    _set_beside(state.revisions, _REVISION, order.hash, order.revision or None)


def _beside(packed: bytearray, entry: struct.Struct, hashed: bytes, default: int) -> int:
    position = _locate(packed, hashed, entry.size) if packed else -1
    value: int = default if position < 0 else entry.unpack_from(packed, position)[1]
    return value


def _set_beside(packed: bytearray, entry: struct.Struct, hashed: bytes, value: int | None) -> None:
    position = _locate(packed, hashed, entry.size) if packed else -1
    if value is None:
        if position >= 0:
            del packed[position : position + entry.size]
    elif position < 0:
        packed += entry.pack(hashed, value)
    else:
        entry.pack_into(packed, position, hashed, value)


def _pack(order: Order) -> bytes:
    return _ENTRY.pack(order.hash, order.day - DAY_ZERO, order.flags, order.channel, order.digest, order.total)


def _day_at(index: bytearray, position: int) -> int:
    return index[position + 8] | index[position + 9] << 8


def _locate(packed: bytearray, hashed: bytes, size: int) -> int:
    """Byte position of the entry that starts with the hash, or -1. A match inside an entry is no match."""
    position = packed.find(hashed)
    while position >= 0 and position % size:
        position = packed.find(hashed, position + 1)
    return position


def _remove(packed: bytearray, hashed: bytes, size: int) -> None:
    position = _locate(packed, hashed, size)
    if position >= 0:
        del packed[position : position + size]
