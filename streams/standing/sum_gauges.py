"""Gauges of what adds up: sums of the day log, of daily series and of the order index, and what is made of them."""

from collections.abc import Callable

from streams.customer import daylog, orders, series
from streams.customer.outcome import Booked
from streams.policy.model import OrderFilter
from streams.policy.windows import Window
from streams.standing.gauge import Gauge, Value
from streams.standing.moment import FOREVER, Moment
from streams.standing.spans import first_day, next_leaving, next_reset


class LoggedSum(Gauge):
    """A column of the day log over a window; the common windows have running sums."""

    __slots__ = ("_column", "_window", "place")
    sinks = True

    def __init__(self, metric: str, window: Window) -> None:
        self._column, self._window = daylog.METRICS[metric], window
        days = window.days if window.kind == "days" else None
        common = window.kind in {"days", "lifetime"}
        self.place = daylog.PLACES.get((metric, days)) if common else None
        """Where the state's running sums have it; None: they have not."""

    def value(self, moment: Moment) -> int:
        if self.place is not None and (moment.present or self._window.kind == "lifetime"):
            return moment.state.sums[self.place] - self._after(moment)
        if self._window.kind == "since-change":
            return self._since_change(moment) - self._after(moment)
        first = first_day(self._window, moment)
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

    def _after(self, moment: Moment) -> int:
        """What came after the end of a closed moment."""
        return daylog.between(moment.state, self._column, moment.day + 1, None) if moment.closed else 0

    def _since_change(self, moment: Moment) -> int:
        """All of life but what the days up to the change held, as they are known by now."""
        life = moment.state.sums[daylog.PLACES["orders" if self._column == daylog.ORDERS else "spend", None]]
        return life - moment.base[self._column == daylog.SPEND] if moment.since else life


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

    def restated(self, value: Value, moment: Moment, booked: Booked) -> Value:
        share = series.share_of(moment.state, self._name, booked.order.hash)
        if share is None or not isinstance(value, int) or booked.day < (first_day(self._window, moment) or 0):
            return value
        if not self._amount:
            return value + booked.orders
        order = booked.order
        left, before = order.remaining, order.remaining - booked.spend
        return value + (share * left // order.total - share * before // order.total if order.total else 0)


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
        found = (o for o in self.passing(moment, first) if moment.last is None or o.day <= moment.last)
        return sum(order.remaining if self._spend else 1 for order in found)

    def next_change(self, moment: Moment) -> int:
        first = first_day(self._window, moment)
        if first is None:
            return FOREVER
        days = [order.day for order in self.passing(moment, first)]
        return next_leaving(self._window, moment, min(days, default=None))

    def restated(self, value: Value, moment: Moment, booked: Booked) -> Value:
        if not isinstance(value, int) or booked.day < (first_day(self._window, moment) or 0):
            return value
        added = booked.spend if self._spend else booked.orders
        return value + added if self._filter(moment)(booked.order) else value

    def passing(self, moment: Moment, first: int) -> "list[orders.Order]":
        return list(filter(self._filter(moment), orders.since(moment.state, first)))

    def _filter(self, moment: Moment) -> "Callable[[orders.Order], bool]":
        where = self._where
        channels = {place for place, name in enumerate(moment.state.channels, 1) if name in where.channel}
        wanted = {"online": orders.ONLINE, "offline": orders.OFFLINE, "": 0}[where.channel_type]
        least, below = where.order_at_least or 0, where.order_below

        def passes(order: orders.Order) -> bool:
            return (
                (not where.channel or order.channel in channels)
                and order.flags & wanted == wanted
                and order.total >= least
                and (below is None or order.total < below)
            )

        return passes

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
