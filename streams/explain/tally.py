"""Which events a value is made of: every metric's parts as accounts of the ledger, within the days that count."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from streams.customer import series
from streams.explain.ledger import Account, Line
from streams.explain.report import Condition, Contribution, How, Unit
from streams.policy.metrics import METRICS
from streams.policy.model import NO_FILTER, Comparison
from streams.policy.windows import LIFETIME
from streams.standing.evidence import UNMET, asked_about, metric_name, window_name
from streams.standing.gauges import last_purchase_day
from streams.standing.moment import Moment
from streams.standing.rules import Reading
from streams.standing.spans import first_day
from streams.standing.sum_gauges import FilteredOrders

Part: TypeAlias = Callable[[Line], int]
"""How much of a line counts."""
_PURCHASED_ON: Final = frozenset({"recency", "purchase_gap", "p_alive", "p_no_purchase"})
_HOW: Final[dict[str, How]] = {
    "average_order_value": "average",
    "order_share": "share",
    "promo_share": "share",
    "refund_rate": "refund_rate",
    "satisfaction": "satisfaction",
    "recency": "days_since",
    "tenure": "days_since",
    "categories": "distinct",
    "purchase_gap": "gap",
    "balance": "balance",
}


class Tally(NamedTuple):
    """How a value comes about."""

    how: How
    contributions: tuple[Contribution, ...]


def condition_of(
    reading: Reading,
    moment: Moment,
    lines: Sequence[Line],
    balance: str,
    asked: dict[str, str],
    earlier: Moment | None = None,
) -> Condition:
    """A reading with the events that it is made of; `balance` says what the ladder's balance adds up.

    With an `earlier` moment, what counted then and no longer does stands beside.
    """
    c = reading.comparison
    windowed = METRICS[c.metric].windows != "none"
    first = first_day(c.window, moment) if windowed else None
    tally = tally_of(c, moment, lines, balance)
    begins = None if first is None else date.fromordinal(first).isoformat()
    left: tuple[Contribution, ...] = ()
    if earlier is not None and begins is not None and not reading.met:
        left = tuple(each for each in tally_of(c, earlier, lines, balance).contributions if each.day < begins)
    return Condition(
        asked=asked,
        metric=metric_name(c),
        window=window_name(c),
        where=asked_about(c),
        from_day=begins,
        to_day=date.fromordinal(moment.day).isoformat(),
        unit=_unit(c, balance),
        value=reading.value,
        operator=c.operator if reading.met else UNMET[c.operator],
        threshold=c.threshold,
        met=reading.met,
        how=tally.how,
        deducted=moment.deducted if c.metric == "balance" else 0,
        contributions=tally.contributions,
        left=left,
    )


def _unit(c: Comparison, balance: str) -> Unit:
    unit = METRICS[c.metric].unit
    if unit != "word":
        return unit
    if c.metric == "balance":
        return "money" if balance == "spend" else "count"
    return "text" if isinstance(c.threshold, str | tuple) else "count"


def tally_of(c: Comparison, moment: Moment, lines: Sequence[Line], balance: str) -> Tally:
    """The events that a comparison's value is made of at a moment."""
    how = _HOW.get(c.metric, "sum" if METRICS[c.metric].sums else "stated")
    if c.metric == "categories":
        return Tally(how, tuple(_categories(c, moment, lines)))
    if c.metric in _PURCHASED_ON:
        if how == "gap" and any(line.old for line in lines):  # bought before the day log begins: days of their own
            how = "stated"
        return Tally(how, tuple(_purchase_days(c.metric, moment, lines)))
    if c.metric == "tenure":
        return Tally(how, tuple(_joined(moment, lines)))
    if how == "stated":
        return Tally(how, tuple(_told(c, lines)))
    part, whole = _parts(c, moment, balance)
    return Tally(how, tuple(_added(lines, part, whole)))


def _added(lines: Iterable[Line], part: Part, whole: Part | None) -> Iterator[Contribution]:
    for line in lines:
        amount, of = part(line), whole(line) if whole is not None else 0
        if amount or of:
            yield _contribution(line, line.purchase_day(), amount, of)


def _parts(c: Comparison, moment: Moment, balance: str) -> tuple[Part, Part | None]:
    """What is added up, and what it is a part of."""
    whole: Part | None = None
    match c.metric:
        case "balance":
            part = _logged("spend" if balance == "spend" else "orders", _lifetime(c), moment)
        case "spend" | "orders":
            part = _money(c, moment, spend=c.metric == "spend")
        case "average_order_value":
            part, whole = _money(c, moment, spend=True), _money(c, moment, spend=False)
        case "order_share":
            part, whole = _money(c, moment, spend=False), _logged("orders", c, moment)
        case "promo_share":
            part, whole = _series(series.SALES, "count", c, moment), _logged("orders", c, moment)
        case "refund_rate":
            part, whole = _series(series.SALES, "amount", c, moment), _logged("spend", c, moment)
        case "satisfaction":
            part, whole = (_series(series.RATINGS, what, c, moment) for what in ("amount", "count"))
        case _:
            part = _logged(c.metric, c, moment)
    return part, whole


def _money(c: Comparison, moment: Moment, *, spend: bool) -> Part:
    first, where, kind = first_day(c.window, moment), c.where, "spend" if spend else "orders"
    if where.counted:
        return _series(where.name, "amount" if spend else "count", c, moment)
    if where == NO_FILTER:
        return _logged(kind, c, moment)
    if first is None and where.channel:
        accounts: list[Account] = [("channel", channel, kind) for channel in where.channel]
        return lambda line: sum(line.between(account, None, None) for account in accounts)
    if first is None:
        account = ("channel_type", where.channel_type, kind)
        return lambda line: line.between(account, None, None)
    passing = {
        order.hash
        for order in FilteredOrders(where, c.window, spend=spend).passing(moment, first)
        if moment.last is None or order.day <= moment.last
    }
    return lambda line: (line.remaining if spend else line.kept) if line.order in passing else 0


def _logged(metric: str, c: Comparison, moment: Moment) -> Part:
    """An account of the day log."""
    first, account = first_day(c.window, moment), ("log", metric)
    return lambda line: line.between(account, first, moment.last)


def _series(name: str, what: str, c: Comparison, moment: Moment) -> Part:
    first, account = first_day(c.window, moment), ("series", name, what)
    return lambda line: line.between(account, first, moment.last)


def _lifetime(c: Comparison) -> Comparison:
    return Comparison(c.metric, c.operator, c.threshold, LIFETIME)


def _purchase_days(metric: str, moment: Moment, lines: Iterable[Line]) -> Iterator[Contribution]:
    """What was bought; for recency, on the last day."""
    newest = last_purchase_day(moment)
    for line in lines:
        amount, day = line.between(("log", "orders"), None, None), line.purchase_day()
        if amount and (metric != "recency" or day == newest):
            yield _contribution(line, day, amount)


def _joined(moment: Moment, lines: Iterable[Line]) -> Iterator[Contribution]:
    """What told when the customer joined: the sign-up, else the first purchase, else the first record."""
    state, day = moment.state, moment.joined()
    if state.signed_up_at:
        told = [line for line in lines if ("joined", "") in line.touched][-1:]
    elif state.first_day:
        told = [x for x in lines if x.between(("log", "orders"), None, None) > 0 and x.purchase_day() == day][:1]
    else:
        told = [line for line in lines if ("seen", "") in line.touched][:1]
    yield from (_contribution(line, day, 1) for line in told)


def _categories(c: Comparison, moment: Moment, lines: Sequence[Line]) -> Iterator[Contribution]:
    """Of each category that counts, the event that last bought from it."""
    first = first_day(c.window, moment)
    for category, (_, last_day) in moment.state.categories.items():
        if first is None or last_day >= first:
            line = next((line for line in reversed(lines) if ("category", category) in line.touched), None)
            if line is not None:
                yield _contribution(line, last_day, 1, what=category)


def _told(c: Comparison, lines: Sequence[Line]) -> Iterator[Contribution]:
    """The events that said what is known."""
    if c.metric == "tickets_open":
        newest = {line.what: line for line in lines if ("tickets", "") in line.touched}
        told = [line for line in newest.values() if getattr(line.event, "status", "") not in {"solved", "closed"}]
    elif c.metric == "override":
        told = [line for line in lines if getattr(line.event, "ladder", None) == c.name][-1:]
    else:
        fact = {"preferred_channel": "channel", "top_category": "category"}.get(c.metric, c.metric)
        every = fact in {"channel", "category"}
        about = [x for x in lines if any(kind == fact and (every or name == c.name) for kind, name in x.touched)]
        told = about if every else about[-1:]
    yield from (_contribution(line, line.day, 1) for line in told)


def _contribution(line: Line, day: int, amount: int, of: int = 0, what: str | None = None) -> Contribution:
    return Contribution(
        event_id=line.event_id,
        type=line.type,
        what=what or line.what,
        day=date.fromordinal(day).isoformat(),
        amount=amount,
        of=of,
    )
