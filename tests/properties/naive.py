"""A policy's words read naively: plain lists of everything known, judged anew at every moment at which time could tell.

The second opinion for the law of time. No windows with running sums, no due instants, no index: every local midnight is
looked at, every sum is added up again, every crossing of a band's edge is searched by halving. Slow on purpose.
"""

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, NamedTuple

from schemas.clock import MS_PER_DAY, parse_instant
from schemas.events import BrowseActivity, InputEvent, OrderCancelled, OrderCompleted, OrderRefunded, TicketCreated
from streams.calendar import Calendar
from streams.models.crossing import score_at
from streams.policy.model import AnyOf, Comparison, Ladder, Policy, Requirement, comparisons
from streams.policy.windows import Window

WAITING_MS: Final = 30 * MS_PER_DAY
REMEMBERED_DAYS: Final = 402
"""After so many days nobody asks about an order any more."""


class Moved(NamedTuple):
    """A change that must be published: ranks, or indices of bands with -1 for none."""

    at: int
    previous: int
    current: int
    cause: str


@dataclass
class Bought:
    """An order as it is known by now."""

    day: int
    left: int
    kept: bool = True


@dataclass
class Place:
    """Where the customer stands, and what that rests on."""

    rank: int = 0
    since: int = 0
    grace_until: int | None = None
    earned: bool = False
    """Reached by `enter`, not by falling."""
    rose_from: int = 0
    seen_then: dict[str, int] = field(default_factory=dict)
    """Visits and tickets when it was reached: they are not looked at again."""
    fell_at: int | None = None


class Shopper:
    """One customer of a policy with one ladder."""

    def __init__(self, policy: Policy, since: int) -> None:
        self.ladder: Ladder = policy.ladders[0]
        self.churn = policy.churn
        self.calendar = Calendar(policy.time_zone)
        self.now = since
        self.orders: dict[str, Bought] = {}
        self.others: dict[str, list[int]] = {"visits": [], "tickets": []}
        self.waiting: list[tuple[int, OrderRefunded | OrderCancelled]] = []
        self.taken: set[tuple[str, str]] = set()
        self.place, self.band = Place(), -1
        self.tiers: list[Moved] = []
        self.bands: list[Moved] = []
        self.given_up = 0

    def hear(self, event: InputEvent, arrived_at: int) -> None:
        """Let an event arrive, after everything that time has changed before."""
        self.pass_time(arrived_at)
        days = self.purchase_days()
        day = self.calendar.day_of(parse_instant(event.time))
        took = False
        match event:
            case OrderCompleted() if event.order_id not in self.orders:
                self.orders[event.order_id] = Bought(day, event.total_minor)
                took = self._settle(event.order_id)
            case OrderRefunded() | OrderCancelled():
                took = self._take(event)
            case BrowseActivity():
                self.others["visits"].append(day)
            case TicketCreated():
                self.others["tickets"].append(day)
            case _:
                pass
        self._judge("event", happened_at=parse_instant(event.time), took=took)
        if self.purchase_days() != days:
            self._judge_risk("event")

    def pass_time(self, until: int) -> None:
        """Look at every moment up to an instant at which anything could end."""
        while (moment := self._next_moment()) <= until:
            self.now = moment
            self.given_up += sum(1 for since, _ in self.waiting if since + WAITING_MS <= moment)
            for since, event in self.waiting:
                if since + WAITING_MS <= moment:
                    self.taken.discard(_name(event))
            self.waiting = [w for w in self.waiting if w[0] + WAITING_MS > moment]
            self._judge("time")
            if self._score(moment) >= self._edge_above():
                self._judge_risk("time")
        self.now = until

    def purchase_days(self) -> list[int]:
        """The days with a kept order."""
        return sorted({order.day for order in self.orders.values() if order.kept})

    def _next_moment(self) -> int:
        """The next local midnight, end of grace, end of waiting or crossing of a band's edge."""
        moments = [self.calendar.start_of(self.calendar.day_of(self.now) + 1)]
        if self.place.grace_until is not None and self.place.grace_until > self.now:
            moments.append(self.place.grace_until)
        moments += [since + WAITING_MS for since, _ in self.waiting]
        midnight = moments[0]
        if self._score(self.now) < self._edge_above() <= self._score(midnight):
            low, high = self.now, midnight
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._score(middle) >= self._edge_above() else (middle, high)
            moments.append(high)
        return min(moments)

    def _take(self, event: OrderRefunded | OrderCancelled) -> bool:
        if _name(event) in self.taken:
            return False
        self.taken.add(_name(event))
        order = self.orders.get(event.order_id)
        if order is None or order.day <= self.calendar.day_of(self.now) - REMEMBERED_DAYS:
            self.waiting.append((self.now, event))
            return False
        amount = order.left if isinstance(event, OrderCancelled) else min(order.left, event.refund_minor)
        free = order.left == 0 and order.kept and not isinstance(event, OrderCancelled)
        order.left -= amount
        gone = order.kept and not order.left and not free
        order.kept = order.kept and not gone
        return amount > 0 or gone

    def _settle(self, order_id: str) -> bool:
        events = [event for _, event in self.waiting if event.order_id == order_id]
        self.waiting = [w for w in self.waiting if w[1].order_id != order_id]
        self.taken -= {_name(event) for event in events}
        took = [self._take(event) for event in events]
        return any(took)

    def _value(self, condition: Comparison, as_of: int) -> int:
        first = _before(condition.window, as_of)
        if condition.metric in self.others:
            return sum(1 for day in self.others[condition.metric] if day > first)
        kept = [order for order in self.orders.values() if order.kept and order.day > first]
        return len(kept) if condition.metric == "orders" else sum(order.left for order in kept)

    def _holds(self, requirement: Requirement, as_of: int) -> bool:
        met = [self._value(c, as_of) >= _threshold(c) for c in comparisons(requirement)]
        return any(met) if isinstance(requirement, AnyOf) else all(met)

    def _would_have_been_reached(self) -> bool:
        """Whether `enter` held on the day of the rise, by what is known of orders up to that day by now."""
        day, met = self.calendar.day_of(self.place.since), []
        requirement = self.ladder.tiers[self.place.rank - 1].enter
        for c in comparisons(requirement):
            first = _before(c.window, day)
            then = [order for order in self.orders.values() if order.kept and first < order.day <= day]
            values = {"orders": len(then), "spend": sum(order.left for order in then), **self.place.seen_then}
            met.append(values[f"{c.metric}{c.window.name}" if c.metric in self.others else c.metric] >= _threshold(c))
        return any(met) if isinstance(requirement, AnyOf) else all(met)

    def _judge(self, cause: str, *, happened_at: int | None = None, took: bool = False) -> None:
        as_of, place, tiers = self.calendar.day_of(self.now), self.place, self.ladder.tiers
        higher = [t.rank for t in tiers[place.rank :] if self._holds(t.enter, as_of)]
        if higher:
            late = place.fell_at is not None and happened_at is not None and happened_at < place.fell_at
            self._stand(higher[-1], "correction" if late else cause, earned=True)
        elif place.rank and not self._holds(tiers[place.rank - 1].keep, as_of):
            if took and place.earned and not self._would_have_been_reached():
                self._go_back(as_of)
                return
            if place.grace_until is None:
                day_end = self.calendar.start_of(as_of + self.ladder.grace_days)
                place.grace_until = day_end + self.now - self.calendar.start_of(as_of)
            if place.grace_until <= self.now:
                self._stand(self._highest_kept(place.rank - 1, as_of), cause, earned=False)
        else:
            place.grace_until = None

    def _go_back(self, as_of: int) -> None:
        """The rise rested on what was taken back: what lies between if it is earned, or what was kept before."""
        place, tiers = self.place, self.ladder.tiers
        between = [t.rank for t in tiers[place.rose_from : place.rank - 1] if self._holds(t.enter, as_of)]
        rank = between[-1] if between else self._highest_kept(place.rose_from, as_of)
        rose_from = place.rose_from if between else rank - 1
        earned = rank > 0 and self._holds(tiers[rank - 1].enter, as_of)
        self._stand(rank, "correction", earned=earned)
        self.place.rose_from = rose_from

    def _highest_kept(self, up_to: int, as_of: int) -> int:
        return max((t.rank for t in self.ladder.tiers[:up_to] if self._holds(t.keep, as_of)), default=0)

    def _stand(self, rank: int, cause: str, *, earned: bool) -> None:
        before = self.place.rank
        self.tiers.append(Moved(self.now, before, rank, cause))
        as_of = self.calendar.day_of(self.now)
        conditions = comparisons(self.ladder.tiers[rank - 1].enter) if rank else ()
        seen = {f"{c.metric}{c.window.name}": self._value(c, as_of) for c in conditions if c.metric in self.others}
        self.place = Place(rank, self.now, None, earned, before, seen, self.now if rank < before else None)

    def _score(self, at: int) -> float:
        days = self.purchase_days()
        if not days or self.churn is None:
            return -1.0
        weeks, anchor = (days[-1] - days[0]) / 7, self.calendar.start_of(days[-1])
        return score_at(self.churn.model, len(days) - 1, weeks, self.churn.horizon_days / 7, anchor, at)

    def _edge_above(self) -> float:
        bands = self.churn.bands if self.churn else ()
        return bands[self.band + 1].lower_edge if self.band + 1 < len(bands) else 2.0

    def _judge_risk(self, cause: str) -> None:
        score, before = self._score(self.now), self.band
        if self.churn is None:
            return
        if score < 0:
            self.band = -1
        else:
            raw = len(list(takewhile(lambda band: band.lower_edge <= score, self.churn.bands))) - 1
            while self.band > raw and score < self.churn.bands[self.band].lower_edge - self.churn.hysteresis:
                self.band -= 1
            self.band = max(raw, self.band)
        if self.band != before:
            self.bands.append(Moved(self.now, before, self.band, cause))


def _before(window: Window, day: int) -> int:
    """The last day that a window leaves out."""
    return day - window.days if window.kind == "days" else -1


def _threshold(condition: Comparison) -> int:
    assert isinstance(condition.threshold, int)
    return condition.threshold


def _name(event: OrderRefunded | OrderCancelled) -> tuple[str, str]:
    return event.order_id, event.refund_id if isinstance(event, OrderRefunded) else ""
