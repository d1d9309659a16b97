"""Everything known of one member in plain lists, and what each metric says of it as of any moment.

No running sums, no index, no counters: every reading goes over all orders again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from operator import eq, ge, gt, le, lt
from typing import Any, Final, NamedTuple

from schemas.clock import MS_PER_DAY, parse_instant
from schemas.events import (
    BrowseActivity,
    Identified,
    InputEvent,
    MembershipEnded,
    MembershipStarted,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    SatisfactionRated,
    TicketCreated,
    TicketSolved,
)
from streams.calendar import Calendar
from streams.models.mbgnbd import after_silence
from streams.policy.model import AllOf, AnyOf, ChurnRules, Comparison, NotMet, OrderFilter, Requirement
from streams.policy.windows import Window

WAITING_MS: Final = 30 * MS_PER_DAY
REMEMBERED_DAYS: Final = 402
"""After so many days nobody asks about an order any more."""
FOREVER: Final = 2**62
COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": ge,
    ">": gt,
    "<=": le,
    "<": lt,
    "==": eq,
    "in": lambda value, among: value in among,
}

Value = int | float | str | bool | None
Taking = OrderRefunded | OrderCancelled


class View(NamedTuple):
    """As of when, and from which place, something is read."""

    at: int
    day: int
    last: int | None
    """The last day that counts; None: all."""
    since: int = 0
    """Instant of the last change on the ladder."""
    deducted: int = 0
    balance: str = ""


@dataclass
class Bought:
    """An order as it is known by now."""

    event: OrderCompleted
    day: int
    left: int
    kept: bool = True

    def part(self, where: OrderFilter) -> int | None:
        """What of its total passes a filter, in minor units; None: it does not pass."""
        order, total = self.event, self.event.total_minor
        if (
            (where.channel and order.channel not in where.channel)
            or (where.channel_type and order.channel_type != where.channel_type)
            or (where.store and order.store_id not in where.store)
            or (where.order_at_least is not None and total < where.order_at_least)
            or (where.order_below is not None and total >= where.order_below)
        ):
            return None
        if not where.category:
            return total
        priced = all(p.price_minor is not None for p in order.products)
        worth = [p.quantity * (p.price_minor or 0) if priced else p.quantity for p in order.products]
        worth = worth if sum(worth) else [p.quantity for p in order.products]
        inside = [w for w, p in zip(worth, order.products, strict=True) if p.category in where.category]
        return total * sum(inside) // sum(worth) if inside else None


@dataclass
class Member:
    """One customer."""

    calendar: Calendar
    churn: ChurnRules
    first_seen_day: int
    signed_up_day: int | None = None
    locale: str | None = None
    orders: dict[str, Bought] = field(default_factory=dict)
    waiting: list[tuple[int, Taking]] = field(default_factory=list)
    taken: set[tuple[str, str]] = field(default_factory=set)
    days: dict[str, list[int]] = field(default_factory=lambda: {"visits": [], "views": [], "carts": [], "tickets": []})
    ratings: list[tuple[int, int]] = field(default_factory=list)
    tickets: dict[str, tuple[int, bool]] = field(default_factory=dict)
    membership: tuple[int, int] | None = None

    def hear(self, event: InputEvent, now: int) -> bool:  # noqa: C901, PLR0912 - one branch for each kind of event
        """Take an event; whether it took something from the day of a purchase."""
        at = parse_instant(event.time)
        day = self.calendar.day_of(at)
        match event:
            case OrderCompleted():
                self.orders[event.order_id] = Bought(event, day, event.total_minor)
                settled = [taking for _, taking in self.waiting if taking.order_id == event.order_id]
                self.waiting = [w for w in self.waiting if w[1].order_id != event.order_id]
                return any([self._take(taking) for taking in settled])  # noqa: C419 - every one is taken
            case OrderRefunded() | OrderCancelled():
                order = self.orders.get(event.order_id)
                if order is not None and order.day > self.calendar.day_of(now) - REMEMBERED_DAYS:
                    return self._take(event)
                self.waiting.append((now, event))
            case BrowseActivity():
                self.days["visits"].append(day)
                if event.action != "search":
                    self.days["views" if event.action == "view_item" else "carts"].append(day)
            case TicketCreated() | TicketSolved():
                if isinstance(event, TicketCreated):
                    self.days["tickets"].append(day)
                if at >= self.tickets.get(event.ticket_id, (0, False))[0]:
                    self.tickets[event.ticket_id] = at, event.status == "new"
            case SatisfactionRated():
                self.ratings.append((day, round(1_000 * event.rating / event.scale_max)))
            case MembershipStarted():
                until = parse_instant(event.valid_until) if event.valid_until else FOREVER
                held = self.membership or (at, until)
                meets = at <= held[1] and held[0] <= until
                self.membership = (min(held[0], at), max(held[1], until)) if meets else max(held, (at, until))
            case MembershipEnded() if self.membership is not None:
                until = parse_instant(event.valid_until) if event.valid_until else at
                if at >= self.membership[0]:
                    self.membership = self.membership[0], min(self.membership[1], until)
            case Identified() if event.traits is not None:
                self.locale = event.traits.locale
                if event.traits.signup_time:
                    self.signed_up_day = self.calendar.day_of(parse_instant(event.traits.signup_time))
            case _:
                pass
        return False

    def purchase_days(self, last: int | None = None) -> list[int]:
        """The days with a kept order."""
        return sorted({o.day for o in self.orders.values() if o.kept and (last is None or o.day <= last)})

    def joined(self) -> int:
        """The day of the sign-up, else of the first purchase, else of the first record."""
        days = self.purchase_days()
        return self.signed_up_day or (days[0] if days else self.first_seen_day)

    def read(self, c: Comparison, view: View) -> Value:  # noqa: PLR0911 - one branch for each kind of metric
        """What a comparison looks at, as of a view."""
        first, where = self.first_day(c.window, view), c.where
        kept = [o for o in self._between(first, view.last) if o.kept]
        match c.metric:
            case "spend" | "orders" | "average_order_value" | "order_share":
                parts = [(o, part) for o in kept if (part := o.part(where)) is not None]
                spend = sum(part * o.left // o.event.total_minor if o.left else 0 for o, part in parts)
                if c.metric == "order_share":
                    return len(parts) / len(kept) if kept else None
                if c.metric == "average_order_value":
                    return spend // len(parts) if parts else None
                return spend if c.metric == "spend" else len(parts)
            case "promo_share":
                return sum(bool(o.event.coupon) for o in kept) / len(kept) if kept else None
            case "refund_rate":
                back = sum(o.event.total_minor - o.left for o in self._between(first, view.last))
                paid = back + sum(o.left for o in kept)
                return back / paid if paid else None
            case "visits" | "views" | "carts" | "tickets":
                return sum(1 for day in self.days[c.metric] if _inside(day, first, view.last))
            case "satisfaction":
                given = [share for day, share in self.ratings if _inside(day, first, view.last)]
                return sum(given) / (10 * len(given)) if given else None
            case "categories":
                bought = [o for o in self.orders.values() if o.day >= first]
                return len({p.category for o in bought for p in o.event.products if p.category})
            case _:
                return self._read_plain(c, view)

    def first_day(self, window: Window, view: View) -> int:
        """The first day that a window counts."""
        if window.kind == "since-change":
            return self.calendar.day_of(view.since) + 1 if view.since else 0
        return _first_day(window, view.day, self.joined())

    def _read_plain(self, c: Comparison, view: View) -> Value:  # noqa: PLR0911 - one branch for each metric
        days = self.purchase_days(view.last)
        match c.metric:
            case "recency":
                return view.day - days[-1] if days else None
            case "tenure":
                return view.day - self.joined()
            case "purchase_gap":
                return (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else None
            case "tickets_open":
                return sum(is_open for _, is_open in self.tickets.values())
            case "membership":
                return self.membership is not None and self.membership[0] <= view.at < self.membership[1]
            case "trait":
                return self.locale
            case "balance":
                kept = [o for o in self._between(0, view.last) if o.kept]
                life = sum(o.left for o in kept) if view.balance == "spend" else len(kept)
                return max(0, life - view.deducted)
            case "p_alive" | "p_no_purchase":
                return self._probability(c, view, days)
            case _:
                raise AssertionError(c.metric)

    def _probability(self, c: Comparison, view: View, days: list[int]) -> float | None:
        if not days:
            return None
        silence = max(0, view.at - self.calendar.start_of(days[-1])) / (7 * MS_PER_DAY)
        weeks, horizon = (days[-1] - days[0]) / 7, (c.horizon_days or self.churn.horizon_days) / 7
        bought, alive = after_silence(self.churn.model, len(days) - 1, weeks, silence, horizon)
        return alive if c.metric == "p_alive" else 1.0 - bought

    def _between(self, first: int, last: int | None) -> list[Bought]:
        return [o for o in self.orders.values() if _inside(o.day, first, last)]

    def _take(self, event: Taking) -> bool:
        order = self.orders[event.order_id]
        amount = order.left if isinstance(event, OrderCancelled) else min(order.left, event.refund_minor)
        free = order.event.total_minor == 0 and not isinstance(event, OrderCancelled)
        order.left -= amount
        gone = order.kept and not order.left and not free
        order.kept = order.kept and not gone
        return amount > 0 or gone


def _inside(day: int, first: int, last: int | None) -> bool:
    return first <= day and (last is None or day <= last)


@cache
def _first_day(window: Window, day: int, joined: int) -> int:
    """Go back day by day until one is the first of its period."""
    if window.kind == "lifetime":
        return 0
    if window.kind == "days":
        return day - window.days + 1
    while not begins_period(window.kind, day, joined, (window.month, window.day)):
        day -= 1
        if window.kind == "membership-year" and day <= joined:
            return joined
    return day


def begins_period(kind: str, day: int, joined: int, year_start: tuple[int, int]) -> bool:
    """Whether a period of a calendar begins with a day."""
    on, anchor = date.fromordinal(day), date.fromordinal(joined)
    match kind:
        case "calendar-month":
            return on.day == 1
        case "calendar-quarter":
            return on.day == 1 and on.month in {1, 4, 7, 10}
        case "fixed-year":
            return (on.month, on.day) == year_start
        case "membership-year" | "anniversary":
            if (anchor.month, anchor.day) == (2, 29) and (on.month, on.day) == (2, 28):
                return on.year % 4 != 0 or (on.year % 100 == 0 and on.year % 400 != 0)
            return (on.month, on.day) == (anchor.month, anchor.day)
        case _:
            return (on.month, on.day) == (1, 1)


def met_by(requirement: Requirement, values: dict[Comparison, Value]) -> bool:
    """Whether a requirement holds for given values."""
    match requirement:
        case Comparison():
            value = values[requirement]
            return value is not None and bool(COMPARE[requirement.operator](value, requirement.threshold))
        case NotMet():
            return not met_by(requirement.part, values)
        case AllOf():
            return all(met_by(part, values) for part in requirement.parts)
        case AnyOf():
            return any(met_by(part, values) for part in requirement.parts)


def months_later(day: int, months: int) -> int:
    """The same day of a later month, or the last that it has."""
    on = date.fromordinal(day)
    year, month = on.year + (on.month - 1 + months) // 12, (on.month - 1 + months) % 12 + 1
    for day_of_month in range(on.day, 0, -1):
        try:
            return date(year, month, day_of_month).toordinal()
        except ValueError:
            continue
    raise AssertionError
