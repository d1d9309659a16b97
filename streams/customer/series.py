"""Sparse daily series beside the day log: a count and an amount per day, and both over the whole life.

`sales` counts orders with a promotion and adds up minor units refunded, by day of purchase; `ratings` counts ratings
and adds them up in thousandths of the best one. Every other series is a counter that the policy declares: orders and
net spend that pass a filter by category or store. Its `shares` say which part of each order passed, so that a refund
takes the same part.
"""

import struct
from collections.abc import Container
from itertools import pairwise
from typing import Final

from streams.customer import orders
from streams.customer.daylog import DAY_ZERO, LOG_DAYS
from streams.customer.state import CustomerState, Series

SALES, RATINGS = "sales", "ratings"
_COUNTS: Final = struct.Struct("<HHI")
_MONEY: Final = struct.Struct("<HHq")
_SHARE: Final = struct.Struct("<8sq")
_COUNT_MAX: Final = 65_535
_AMOUNT_MAX: Final = 2**32 - 1


def add(state: CustomerState, name: str, day: int, as_of: int, *, count: int = 0, amount: int = 0) -> None:
    """Add to a day, and to the whole life. A day older than the log counts in the life alone."""
    series = state.series.get(name)
    if series is None:
        series = state.series[name] = Series()
    entry, log = _entry_of(name), series.log
    series.count += count
    series.amount += amount
    if day <= as_of - LOG_DAYS:
        return
    relative, position = day - DAY_ZERO, len(log) - entry.size
    if position < 0 or _day_at(log, position) != relative:  # most events are of the newest day
        position = _position(log, entry.size, relative)
        if position == len(log) or _day_at(log, position) != relative:
            log[position:position] = entry.pack(relative, 0, 0)
    _, had_count, had_amount = entry.unpack_from(log, position)
    new_amount = had_amount + amount if entry is _MONEY else min(had_amount + amount, _AMOUNT_MAX)
    entry.pack_into(log, position, relative, min(had_count + count, _COUNT_MAX), new_amount)


def totals(state: CustomerState, name: str, first: int | None, last: int | None) -> tuple[int, int]:
    """Count and amount of the days from `first` to `last`, both included; None: from the begin, to the end."""
    series = state.series.get(name)
    if series is None:
        return 0, 0
    if first is None:
        if last is None:
            return series.count, series.amount
        count, amount = totals(state, name, last + 1, None)
        return series.count - count, series.amount - amount
    entry = _entry_of(name)
    begin, count, amount = _position(series.log, entry.size, first - DAY_ZERO), 0, 0
    for day, counted, added in entry.iter_unpack(memoryview(series.log)[begin:]):
        if last is not None and day + DAY_ZERO > last:
            break
        count += counted
        amount += added
    return count, amount


def entries(state: CustomerState, name: str) -> list[tuple[int, ...]]:
    """A series as (day, count, amount), oldest first."""
    return [(day + DAY_ZERO, *rest) for day, *rest in _entry_of(name).iter_unpack(state.series[name].log)]


def first_day(state: CustomerState, name: str, first: int) -> int | None:
    """The earliest day from `first` on of which the series knows something."""
    series = state.series.get(name)
    if series is None:
        return None
    position = _position(series.log, _entry_of(name).size, first - DAY_ZERO)
    return _day_at(series.log, position) + DAY_ZERO if position < len(series.log) else None


def forget(state: CustomerState, as_of: int) -> None:
    """Let the days that left the day log leave the series too."""
    oldest = as_of - LOG_DAYS - DAY_ZERO
    for name, series in state.series.items():
        log = series.log
        if log and _day_at(log, 0) <= oldest:
            del log[: _position(log, _entry_of(name).size, oldest + 1)]


def take_over(state: CustomerState, name: str, counted: Series) -> None:
    """Put in place what was counted elsewhere from the same records, when less time had passed, or more.

    Days and orders that the state has let go of since are let go of here too.
    """
    entry, days, known = _entry_of(name), state.days, orders.hashes(state)
    log = counted.log[_position(counted.log, entry.size, _day_at(days, 0)) :] if days else bytearray()
    shares = b"".join(_SHARE.pack(*share) for share in _SHARE.iter_unpack(counted.shares) if share[0] in known)
    state.series[name] = Series(log, counted.count, counted.amount, bytearray(shares))


def keep_counters(state: CustomerState, names: Container[str]) -> None:
    """Let go of every counter that a policy declared but these."""
    state.series = {name: series for name, series in state.series.items() if "=" not in name or name in names}


def well_formed(name: str, counted: Series) -> bool:
    """Whether packed entries are whole and in order."""
    entry = _entry_of(name)
    if len(counted.log) % entry.size or len(counted.shares) % _SHARE.size:
        return False
    days = [day for day, *_ in entry.iter_unpack(counted.log)]
    return all(day < following for day, following in pairwise(days))


def remember_share(state: CustomerState, name: str, order_hash: bytes, share: int) -> None:
    """Keep which part of an order passed the filter, in minor units."""
    state.series[name].shares += _SHARE.pack(order_hash, share)


def share_of(state: CustomerState, name: str, order_hash: bytes) -> int | None:
    """Which part of an order passed the filter; None if none of it did."""
    series = state.series.get(name)
    if series is None:
        return None
    packed, size = series.shares, _SHARE.size
    position = packed.find(order_hash)
    while position >= 0 and position % size:
        position = packed.find(order_hash, position + 1)
    share: int | None = None if position < 0 else _SHARE.unpack_from(packed, position)[1]
    return share


def _entry_of(name: str) -> struct.Struct:
    return _COUNTS if name == RATINGS else _MONEY


def _day_at(log: bytearray, position: int) -> int:
    return log[position] | log[position + 1] << 8


def _position(log: bytearray, size: int, relative: int) -> int:
    """Byte position of the first entry whose day is not before `relative`."""
    end = len(log)
    if not end or _day_at(log, end - size) < relative:
        return end
    low, high = 0, end // size - 1
    while low < high:
        middle = (low + high) // 2
        if _day_at(log, middle * size) < relative:
            low = middle + 1
        else:
            high = middle
    return low * size
