"""Which gauge reads a metric."""

from collections.abc import Callable
from typing import Final

from streams.customer import daylog, facts, series
from streams.policy.model import OrderFilter
from streams.policy.windows import Window
from streams.standing.fact_gauges import Categories, Constant, DaysSince
from streams.standing.gauge import Gauge, Value
from streams.standing.moment import Moment
from streams.standing.sum_gauges import FilteredOrders, LoggedSum, Ratio, SeriesSum, Sum


def _share(part: int, whole: int) -> float:
    return part / whole


def _floored(part: int, whole: int) -> int:
    return part // whole


def _per_cent(thousandths: int, count: int) -> float:
    return thousandths / (10 * count)


def last_purchase_day(moment: Moment) -> int | None:
    """The day of the last purchase that counts as of a moment; None: nothing was bought by then."""
    state = moment.state
    if not moment.closed or state.last_day <= moment.day:
        return state.last_day or None
    logged = (entry[0] for entry in daylog.entries(state) if entry[daylog.ORDERS] and entry[0] <= moment.day)
    return max(logged, default=state.dropped_last_day) or None


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
    "recency": lambda _window, _: DaysSince(last_purchase_day),
    "tenure": lambda _window, _: DaysSince(Moment.joined),
    "categories": lambda window, _: Categories(window),
}
