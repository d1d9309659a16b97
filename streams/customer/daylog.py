"""The day log: one packed entry per active day, and exact rolling windows over it.

An entry is (day, orders, visits, tickets, net spend, views, carts), 20 bytes, sorted by day. A window of W days that
ends with day D covers the days D-W+1 .. D: what lies at its head leaves it when day head+W begins. Each window keeps
the index of its head and running sums of the first four, so an event costs O(1); a late event is inserted where it
belongs and counted in every window that still covers its day. The log reaches back LOG_DAYS, longer than any window,
because that is how late an event may be and still find the day it belongs to.
"""

import struct
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Final

from streams.customer.state import CustomerState

WINDOW_DAYS: Final = (30, 90, 365)
"""Windows with running sums; any other length up to LOG_DAYS is summed on demand."""
LOG_DAYS: Final = 402
"""The accepted lateness of 400 days, and a day at either end for clocks and zones."""

_ENTRY: Final = struct.Struct("<HHHHqHH")
_SUMMED_ENTRY: Final = struct.Struct("<HHHHq")
_BROWSED: Final = struct.Struct("<HH")
_SIZE: Final = _ENTRY.size
DAY_ZERO: Final = 726_467  # 1989-12-31: instants before 1990 are refused, and 65,535 days reach into 2169
_COUNT_MAX: Final = 65_535
_STRIDE: Final = 5  # per window: head index, orders, visits, tickets, spend; after the windows the lifetime, headless
_WINDOWS: Final = tuple((index * _STRIDE, length) for index, length in enumerate(WINDOW_DAYS))
_LIFETIME: Final = len(WINDOW_DAYS) * _STRIDE
ORDERS, VISITS, TICKETS, SPEND, VIEWS, CARTS = 1, 2, 3, 4, 5, 6
SUMMED: Final = {"orders": ORDERS, "visits": VISITS, "tickets": TICKETS, "spend": SPEND}
METRICS: Final = {**SUMMED, "views": VIEWS, "carts": CARTS}
_VIEWS_EVER, _CARTS_EVER = _LIFETIME + _STRIDE, _LIFETIME + _STRIDE + 1
PLACES: Final[Mapping[tuple[str, int | None], int]] = {
    **{
        (metric, window): base * _STRIDE + column
        for metric, column in SUMMED.items()
        for base, window in enumerate((*WINDOW_DAYS, None))
    },
    ("views", None): _VIEWS_EVER,
    ("carts", None): _CARTS_EVER,
}
"""Where a metric over a window (None: lifetime) stands in `CustomerState.sums`, if its sum is kept."""
_WINDOWS_OF_ALL: Final[Callable[[list[int]], tuple[int, ...]]] = itemgetter(
    *(PLACES[metric, window] for metric in ("spend", "orders", "visits", "tickets") for window in (*WINDOW_DAYS, None))
)


def book(
    state: CustomerState, day: int, as_of: int, *, orders: int = 0, visits: int = 0, tickets: int = 0, spend: int = 0
) -> None:
    """Add to a day, in the log and in every window that covers it on the day `as_of`; lifetime sums too.

    Counts of one day stop at 65,535 (a robot, not a customer). The windows must have been advanced to `as_of`.
    """
    position = _entry(state, day, as_of)
    if position < 0:
        _book_older(state, day, orders, visits, tickets, spend)
        return
    log = state.days
    relative, had_orders, had_visits, had_tickets, had_spend = _SUMMED_ENTRY.unpack_from(log, position)
    orders = min(orders, _COUNT_MAX - had_orders)
    visits = min(visits, _COUNT_MAX - had_visits)
    tickets = min(tickets, _COUNT_MAX - had_tickets)
    _SUMMED_ENTRY.pack_into(
        log, position, relative, had_orders + orders, had_visits + visits, had_tickets + tickets, had_spend + spend
    )
    age = as_of - day
    if visits:
        _count(state.sums, VISITS, visits, age)
    if tickets:
        _count(state.sums, TICKETS, tickets, age)
    if spend:
        _count(state.sums, SPEND, spend, age)
    if orders:
        _count(state.sums, ORDERS, orders, age)
        if not had_orders:
            _purchase_day_added(state, day)
        elif had_orders + orders == 0:
            _purchase_day_removed(state, day)


def book_browsing(state: CustomerState, day: int, as_of: int, *, views: int, carts: int) -> None:
    """Add products looked at and put into the cart to a day on which a visit was booked, and to the whole life."""
    state.sums[_VIEWS_EVER] += views
    state.sums[_CARTS_EVER] += carts
    position = _entry(state, day, as_of)
    if position >= 0:
        had_views, had_carts = _BROWSED.unpack_from(state.days, position + _SUMMED_ENTRY.size)
        counts = min(had_views + views, _COUNT_MAX), min(had_carts + carts, _COUNT_MAX)
        _BROWSED.pack_into(state.days, position + _SUMMED_ENTRY.size, *counts)


def advance(state: CustomerState, as_of: int) -> bool:
    """Let days leave the windows and the log, as of the day `as_of`; whether any did.

    Cheap when none does: one comparison.
    """
    if as_of < state.shift_day or not state.days:
        return False
    log, sums = state.days, state.sums
    end, today, shift = len(log), as_of - DAY_ZERO, _COUNT_MAX
    for base, length in _WINDOWS:
        position, oldest = sums[base] * _SIZE, today - length
        while position < end:
            day = log[position] | log[position + 1] << 8
            if day > oldest:
                shift = min(shift, day + length)
                break
            _, orders, visits, tickets, spend = _SUMMED_ENTRY.unpack_from(log, position)
            sums[base + ORDERS] -= orders
            sums[base + VISITS] -= visits
            sums[base + TICKETS] -= tickets
            sums[base + SPEND] -= spend
            position += _SIZE
        sums[base] = position // _SIZE
    first = log[0] | log[1] << 8
    if first <= today - LOG_DAYS:
        first = _drop_before(state, today - LOG_DAYS)
    state.shift_day = min(shift, first + LOG_DAYS) + DAY_ZERO
    return True


def total(state: CustomerState, metric: str, window_days: int | None, as_of: int) -> int:
    """A metric over a rolling window (None: lifetime) as of a day to which the windows have been advanced."""
    place = PLACES.get((metric, window_days))
    if place is not None:
        return state.sums[place]
    column, first = METRICS[metric], as_of - (window_days or 0)
    return sum(entry[column] for entry in entries(state) if entry[0] > first)


def between(state: CustomerState, column: int, first: int, last: int | None) -> int:
    """A column's sum over the days from `first` to `last`, both included; None: to the end of the log."""
    log = state.days
    if not log:
        return 0
    value = 0
    for entry in _ENTRY.iter_unpack(memoryview(log)[_find(log, first - DAY_ZERO, len(log)) :]):
        if last is not None and entry[0] + DAY_ZERO > last:
            break
        value += entry[column]
    return value


def newest_day(state: CustomerState) -> int:
    """The last day of the log; 0 if it is empty."""
    return _day_at(state.days, len(state.days) - _SIZE) + DAY_ZERO if state.days else 0


def first_day(state: CustomerState, column: int, first: int) -> int | None:
    """The earliest day from `first` on with something in the column."""
    log = state.days
    if log:
        for entry in _ENTRY.iter_unpack(memoryview(log)[_find(log, first - DAY_ZERO, len(log)) :]):
            if entry[column]:
                return int(entry[0]) + DAY_ZERO
    return None


def windows(state: CustomerState) -> tuple[int, ...]:
    """Spend, orders, visits and tickets, each over WINDOW_DAYS, shortest first, and over the whole life."""
    return _WINDOWS_OF_ALL(state.sums)


def entries(state: CustomerState) -> list[tuple[int, ...]]:
    """The log as (day, orders, visits, tickets, spend, views, carts), oldest first."""
    return [(day + DAY_ZERO, *rest) for day, *rest in _ENTRY.iter_unpack(state.days)]


def last_day_of(state: CustomerState, column: int, first: int, threshold: float) -> int | None:
    """The day with which the column's sum over all days from `first` on leaves the threshold when it is left out.

    The days leave one by one, the earliest first. None: the sum of no days reaches the threshold too. A day's net spend
    and counts are never negative, so the sum only falls.
    """
    value = between(state, column, first, None)
    if threshold <= 0:
        return None
    log = state.days
    for entry in _ENTRY.iter_unpack(memoryview(log)[_find(log, first - DAY_ZERO, len(log)) :] if log else b""):
        value -= entry[column]
        if value < threshold:
            return int(entry[0]) + DAY_ZERO
    return None


def _drop_before(state: CustomerState, oldest: int) -> int:
    """Let the days up to `oldest` leave the log; the first day that stays, a great one if none does."""
    log, dropped = state.days, 0
    while dropped < len(log) and (day := _day_at(log, dropped)) <= oldest:
        if (entry := _ENTRY.unpack_from(log, dropped))[ORDERS]:
            state.dropped_last_day = max(state.dropped_last_day, day + DAY_ZERO)
            if day + DAY_ZERO == state.first_day:
                state.first_spend = entry[SPEND]
        dropped += _SIZE
    if dropped:
        del log[:dropped]
        for base, _ in _WINDOWS:
            state.sums[base] -= dropped // _SIZE
    return _day_at(log, 0) if log else _COUNT_MAX


def _entry(state: CustomerState, day: int, as_of: int) -> int:
    """Byte position of a day's entry, made if it is not there; -1 for a day older than the log."""
    log = state.days
    relative, end = day - DAY_ZERO, len(log)
    if end and log[-_SIZE] | log[1 - _SIZE] << 8 == relative:  # most events are of the newest day
        return end - _SIZE
    position = _find(log, relative, end) if end else 0
    if position < end and _day_at(log, position) == relative:
        return position
    if day <= as_of - LOG_DAYS:
        return -1
    log[position:position] = _ENTRY.pack(relative, 0, 0, 0, 0, 0, 0)
    _shift_heads(state, position // _SIZE, day, as_of)
    return position


def _book_older(state: CustomerState, day: int, orders: int, visits: int, tickets: int, spend: int) -> None:
    """A day older than the log counts in the lifetime alone, and an order then makes it a purchase day of its own."""
    for column, amount in ((ORDERS, orders), (VISITS, visits), (TICKETS, tickets), (SPEND, spend)):
        state.sums[_LIFETIME + column] += amount
    first = state.first_day
    if orders > 0:
        _purchase_day_added(state, day)
        state.dropped_last_day = max(state.dropped_last_day, day)
    if day == state.first_day:
        state.first_spend = spend + (state.first_spend if day == first else 0)


def _count(sums: list[int], column: int, amount: int, age: int) -> None:
    """Add to every window that still covers a day of this age, and to the lifetime."""
    sums[_LIFETIME + column] += amount
    if age < WINDOW_DAYS[2]:
        sums[2 * _STRIDE + column] += amount
        if age < WINDOW_DAYS[1]:
            sums[_STRIDE + column] += amount
            if age < WINDOW_DAYS[0]:
                sums[column] += amount


def _day_at(log: bytearray, position: int) -> int:
    return log[position] | log[position + 1] << 8


def _find(log: bytearray, relative: int, end: int) -> int:
    """Byte position of the first entry whose day is not before `relative`."""
    if _day_at(log, end - _SIZE) < relative:
        return end
    low, high = 0, end // _SIZE - 1
    while low < high:
        middle = (low + high) // 2
        if _day_at(log, middle * _SIZE) < relative:
            low = middle + 1
        else:
            high = middle
    return low * _SIZE


def _shift_heads(state: CustomerState, index: int, day: int, as_of: int) -> None:
    """Account for an entry that was inserted at `index`: windows that don't cover its day begin one entry later."""
    for window, length in enumerate(WINDOW_DAYS):
        if day <= as_of - length:
            state.sums[window * _STRIDE] += 1
    first_shift = day + WINDOW_DAYS[0]
    if index == 0 or not state.shift_day or first_shift < state.shift_day:
        _plan_shift(state)


def _plan_shift(state: CustomerState) -> None:
    """Compute the day on which the next entry leaves a window or the log."""
    log, end = state.days, len(state.days)
    shift = _day_at(log, 0) + LOG_DAYS
    for base, length in _WINDOWS:
        position = state.sums[base] * _SIZE
        if position < end:
            shift = min(shift, _day_at(log, position) + length)
    state.shift_day = shift + DAY_ZERO


def _purchase_day_added(state: CustomerState, day: int) -> None:
    state.purchase_days += 1
    state.first_day = min(state.first_day, day) if state.first_day else day
    state.last_day = max(state.last_day, day)


def _purchase_day_removed(state: CustomerState, day: int) -> None:
    """The last kept order of a day was taken back: the day no longer counts as a purchase day."""
    state.purchase_days -= 1
    if state.purchase_days == 0:
        state.first_day = state.last_day = 0
        return
    if day in {state.first_day, state.last_day}:
        bought = [entry[0] for entry in entries(state) if entry[ORDERS]]
        state.last_day = bought[-1] if bought else state.dropped_last_day
        if day == state.first_day:
            state.first_day = bought[0] if bought else state.dropped_last_day
