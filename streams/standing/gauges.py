"""Gauges: each reads one metric of a customer at a moment, and tells when time alone may change what it reads.

All but facts change at local midnight only; what the churn model says has gauges of its own (`model_gauges`). Amounts
and counts of a window fall as days leave it; days since something rise; shares may do either.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from streams.customer import daylog, facts, orders, series
from streams.customer.booking import Booked
from streams.customer.standing import NO_RANK
from streams.customer.state import NEVER
from streams.policy.model import OrderFilter
from streams.policy.windows import Window
from streams.standing.moment import FOREVER, Moment
from streams.standing.spans import first_day, next_leaving, next_reset

Value: TypeAlias = int | float | str | bool | None
"""None: nothing is known. It meets no comparison."""


class Gauge:
    """Reads a metric. `sinks`: time alone can only lower it; `constant`: time alone never changes it."""

    __slots__ = ()
    sinks = False
    constant = False

    def value(self, moment: Moment) -> Value:
        """What is read at a moment."""
        raise NotImplementedError

    def next_change(self, _moment: Moment) -> int:
        """The first instant after the moment at which time alone may have changed the value; FOREVER: never."""
        return FOREVER

    def restated(self, value: Value, _moment: Moment, _booked: Booked) -> Value:
        """A value that was read at an earlier moment, after a record of an order has changed what is known of it."""
        return value


class LoggedSum(Gauge):
    """A column of the day log over a window; the common windows have running sums."""

    __slots__ = ("_column", "_place", "_window")
    sinks = True

    def __init__(self, metric: str, window: Window) -> None:
        self._column, self._window = daylog.METRICS[metric], window
        days = window.days if window.kind == "days" else None
        common = window.kind in {"days", "lifetime"}
        self._place = daylog.PLACES.get((metric, days)) if common else None

    def value(self, moment: Moment) -> int:
        if self._place is not None and (moment.present or self._window.kind == "lifetime"):
            return moment.state.sums[self._place]
        first = first_day(self._window, moment)
        if self._window.kind == "since-change":
            return self._since_change(moment)
        return daylog.between(moment.state, self._column, first or 0, moment.last)

    def next_change(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None or self._window.kind == "since-change":
            return FOREVER
        return next_leaving(self._window, moment, daylog.first_day(moment.state, self._column, first))

    def sinks_below(self, moment: Moment, threshold: float) -> int:
        """The instant at which the value, which reaches the threshold, no longer does; FOREVER: never."""
        first = first_day(self._window, moment)
        if first is None or self._window.kind == "since-change":
            return FOREVER
        if self._window.kind != "days":
            return next_reset(self._window, moment) if threshold > 0 else FOREVER
        day = daylog.last_day_of(moment.state, self._column, first, threshold)
        return FOREVER if day is None else moment.calendar.start_of(day + self._window.days)

    def restated(self, value: Value, moment: Moment, booked: Booked) -> Value:
        first = first_day(self._window, moment)
        if not isinstance(value, int) or self._window.kind == "since-change" or booked.day < (first or 0):
            return value
        return value + {daylog.SPEND: booked.spend, daylog.ORDERS: booked.orders}.get(self._column, 0)

    def _since_change(self, moment: Moment) -> int:
        """All of life but what the days up to the change held, as they are known by now."""
        life = moment.state.sums[daylog.PLACES["orders" if self._column == daylog.ORDERS else "spend", None]]
        return life - moment.standing.base[self._column == daylog.SPEND] if moment.standing.since else life


class SeriesSum(Gauge):
    """Count or amount of a daily series over a window; `absent`: what to read where the series was never begun."""

    __slots__ = ("_amount", "_name", "_window")
    sinks = True

    def __init__(self, name: str, window: Window, *, amount: bool) -> None:
        self._name, self._window, self._amount = name, window, amount

    def value(self, moment: Moment) -> int:
        return series.totals(moment.state, self._name, first_day(self._window, moment), moment.last)[self._amount]

    def next_change(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None:
            return FOREVER
        return next_leaving(self._window, moment, series.first_day(moment.state, self._name, first))


class FilteredOrders(Gauge):
    """Orders, or their net spend, that pass a filter by channel and amount: looked up in the order index."""

    __slots__ = ("_spend", "_where", "_window")
    sinks = True

    def __init__(self, where: OrderFilter, window: Window, *, spend: bool) -> None:
        self._where, self._window, self._spend = where, window, spend

    def value(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None:
            return self._lifetime(moment)
        found = (o for o in self._passing(moment, first) if moment.last is None or o.day <= moment.last)
        return sum(order.remaining if self._spend else 1 for order in found)

    def next_change(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None:
            return FOREVER
        days = [order.day for order in self._passing(moment, first)]
        return next_leaving(self._window, moment, min(days, default=None))

    def _passing(self, moment: Moment, first: int) -> "list[orders.Order]":
        where, state = self._where, moment.state
        channels = {place for place, name in enumerate(state.channels, 1) if name in where.channel}
        wanted = {"online": orders.ONLINE, "offline": orders.OFFLINE, "": 0}[where.channel_type]
        least, below = where.order_at_least or 0, where.order_below
        return [
            order
            for order in orders.since(state, first)
            if (not where.channel or order.channel in channels)
            and order.flags & wanted == wanted
            and order.total >= least
            and (below is None or order.total < below)
        ]

    def _lifetime(self, moment: Moment) -> int:
        """Over the whole life channels are counted, and kinds of channels; a filter by both takes the channels."""
        state, where = moment.state, self._where
        if where.channel:
            return sum(state.channels[name][1 + self._spend] for name in where.channel if name in state.channels)
        return state.channel_types[2 * (where.channel_type == "offline") + self._spend]


class Ratio(Gauge):
    """One gauge divided by another; nothing known where the divisor is 0."""

    __slots__ = ("_compute", "_part", "_whole")

    def __init__(self, part: Gauge, whole: Gauge, compute: Callable[[int, int], Value]) -> None:
        self._part, self._whole, self._compute = part, whole, compute

    def value(self, moment: Moment) -> Value:
        part, whole = self._part.value(moment), self._whole.value(moment)
        return self._compute(part, whole) if isinstance(part, int) and isinstance(whole, int) and whole else None

    def next_change(self, moment: Moment) -> int:
        return min(self._part.next_change(moment), self._whole.next_change(moment))


class Sum(Gauge):
    """Two gauges added up."""

    __slots__ = ("_one", "_other")
    sinks = True

    def __init__(self, one: Gauge, other: Gauge) -> None:
        self._one, self._other = one, other

    def value(self, moment: Moment) -> int:
        one, other = self._one.value(moment), self._other.value(moment)
        return int(one or 0) + int(other or 0)

    def next_change(self, moment: Moment) -> int:
        return min(self._one.next_change(moment), self._other.next_change(moment))


class DaysSince(Gauge):
    """Local days since a day that stands still while nothing happens."""

    __slots__ = ("_day",)

    def __init__(self, day: Callable[[Moment], int | None]) -> None:
        self._day = day

    def value(self, moment: Moment) -> int | None:
        day = self._day(moment)
        return None if day is None else moment.day - day

    def next_change(self, moment: Moment) -> int:
        return FOREVER if self._day(moment) is None else moment.calendar.start_of(moment.day + 1)

    def passes(self, moment: Moment, threshold: int) -> list[int]:
        """The instants at which the value reaches the threshold, and at which it exceeds it."""
        day = self._day(moment)
        if day is None:
            return []
        return [moment.calendar.start_of(day + threshold), moment.calendar.start_of(day + threshold + 1)]


class Categories(Gauge):
    """How many categories were bought from within a window."""

    __slots__ = ("_window",)

    def __init__(self, window: Window) -> None:
        self._window = window

    def value(self, moment: Moment) -> int:
        return facts.categories_since(moment.state, first_day(self._window, moment))

    def next_change(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None:
            return FOREVER
        inside = [last for _, last in moment.state.categories.values() if last >= first]
        return next_leaving(self._window, moment, min(inside, default=None))


class Membership(Gauge):
    """Whether a membership runs."""

    __slots__ = ("_programme",)

    def __init__(self, programme: str) -> None:
        self._programme = programme

    def value(self, moment: Moment) -> bool:
        held = moment.state.memberships.get(self._programme)
        return held is not None and held[0] <= moment.at < held[1]

    def next_change(self, moment: Moment) -> int:
        held = moment.state.memberships.get(self._programme, ())
        return min((at for at in held if moment.at < at < NEVER), default=FOREVER)


class Override(Gauge):
    """Whether a tier set by hand is in force on a ladder."""

    __slots__ = ("_ladder",)

    def __init__(self, ladder: int) -> None:
        self._ladder = ladder

    def value(self, moment: Moment) -> bool:
        hand = moment.state.ladders[self._ladder].hand
        return hand is not None and hand.override != NO_RANK and moment.at < hand.override_until

    def next_change(self, moment: Moment) -> int:
        hand = moment.state.ladders[self._ladder].hand
        ends = hand is not None and hand.override != NO_RANK and moment.at < hand.override_until < FOREVER
        return hand.override_until if hand is not None and ends else FOREVER


class Constant(Gauge):
    """What only records change."""

    __slots__ = ("_read",)
    constant = True

    def __init__(self, read: Callable[[Moment], Value]) -> None:
        self._read = read

    def value(self, moment: Moment) -> Value:
        return self._read(moment)


def _share(part: int, whole: int) -> float:
    return part / whole


def _floored(part: int, whole: int) -> int:
    return part // whole


def _per_cent(thousandths: int, count: int) -> float:
    return thousandths / (10 * count)


def _purchase_gap(moment: Moment) -> float | None:
    state = moment.state
    return (state.last_day - state.first_day) / (state.purchase_days - 1) if state.purchase_days > 1 else None


def _top_category(moment: Moment) -> str | None:
    return next(iter(facts.top_categories(moment.state)), None)


_CONSTANTS: Final[dict[str, Callable[[Moment], Value]]] = {
    "purchase_gap": _purchase_gap,
    "top_category": _top_category,
    "preferred_channel": lambda moment: facts.preferred_channel(moment.state),
    "tickets_open": lambda moment: facts.tickets_open(moment.state),
}


def money(window: Window, where: OrderFilter, *, spend: bool) -> Gauge:
    """Orders or net spend over a window, of the orders that pass a filter."""
    if where.counted:
        return SeriesSum(where.name, window, amount=spend)
    if where.name:
        return FilteredOrders(where, window, spend=spend)
    return LoggedSum("spend" if spend else "orders", window)


def plain_gauge(metric: str, window: Window, where: OrderFilter) -> Gauge:
    """The gauge of a metric that needs nothing but a window and a filter."""
    if metric in {"spend", "orders"}:
        return money(window, where, spend=metric == "spend")
    if metric in daylog.METRICS:
        return LoggedSum(metric, window)
    if metric in _CONSTANTS:
        return Constant(_CONSTANTS[metric])
    return _COMPOSED[metric](window, where)


def _order_share(window: Window, where: OrderFilter) -> Gauge:
    return Ratio(money(window, where, spend=False), LoggedSum("orders", window), _share)


def _average_order_value(window: Window, where: OrderFilter) -> Gauge:
    return Ratio(money(window, where, spend=True), money(window, where, spend=False), _floored)


def _refund_rate(window: Window, _where: OrderFilter) -> Gauge:
    refunded = SeriesSum(series.SALES, window, amount=True)
    return Ratio(refunded, Sum(LoggedSum("spend", window), refunded), _share)


def _satisfaction(window: Window, _where: OrderFilter) -> Gauge:
    ratings = SeriesSum(series.RATINGS, window, amount=False)
    return Ratio(SeriesSum(series.RATINGS, window, amount=True), ratings, _per_cent)


_COMPOSED: Final[dict[str, Callable[[Window, OrderFilter], Gauge]]] = {
    "average_order_value": _average_order_value,
    "order_share": _order_share,
    "promo_share": lambda window, _: Ratio(
        SeriesSum(series.SALES, window, amount=False), LoggedSum("orders", window), _share
    ),
    "refund_rate": _refund_rate,
    "satisfaction": _satisfaction,
    "recency": lambda _window, _: DaysSince(lambda moment: moment.state.last_day or None),
    "tenure": lambda _window, _: DaysSince(Moment.joined),
    "categories": lambda window, _: Categories(window),
}
