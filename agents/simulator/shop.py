"""A whole simulation, customer by customer: what each did, and the truth about them.

Every customer has dice of their own, drawn from the seed and their number: who they are depends neither on how many
others there are nor on the order in which they are made.
"""

from operator import attrgetter
from random import Random
from typing import Literal, NamedTuple

import msgspec

from agents.simulator.catalogue import GENERAL, Catalogue
from agents.simulator.habits import Habits
from agents.simulator.happenings import Happening, Person
from agents.simulator.life import Life, Reason, life_of, order_values
from agents.simulator.membership import BEFORE_ORDER_MS, joining
from agents.simulator.model import Model
from agents.simulator.orders import Order, OrderDesk
from agents.simulator.shop_time import ONLINE, STORE, ShopTime
from agents.simulator.stores import Stores, store_name
from agents.simulator.tickets import ticket_happenings
from agents.simulator.variates import stream
from agents.simulator.visits import Bought, Stay, Visits
from schemas.clock import format_instant
from schemas.money import EXPONENTS

SOURCE = "tierstream-simulate"
JOINING_DAYS_MAX = 84
"""As CDNOW's customers, who first bought within twelve weeks."""
FAITHFUL = 0.85
"""Orders on the preferred channel."""
APP_SHARE = 0.45

_arrival = attrgetter("arrived_at", "occurred_at")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What determines a simulation: equal options, equal bytes."""

    customers: int = 1_000
    days: int = 365
    seed: int = 1
    start: str = "2026-01-01"
    """First day, in the time zone."""
    joining_days: int | None = None
    """The days within which everybody comes; the first 84 if not given."""
    currency: str = "USD"
    time_zone: str = "UTC"
    order_value: float | None = None
    """Average order in the currency's units; the model's own if not given."""
    model: Model = Model()
    habits: Habits = Habits()
    test: bool = False
    """Mark every event as a test's."""


class Truth(msgspec.Struct, kw_only=True):
    """What no event tells: one line of `truth.jsonl`."""

    customer_id: str
    anonymous_id: str | None
    """The device on which they were before they were known."""
    joined_at: str
    rate_per_week: float
    """Orders while they are there."""
    leaving: float
    """Chance to leave after an order."""
    mean_order_minor: int
    """Their own average order, before coupons are rounded."""
    prefers: Literal["online", "offline"]
    store_id: str
    """Nearest to them."""
    favourite: str
    """Product line."""
    orders: int
    tickets: int
    left_at: str | None
    """Null for who is there at the end."""
    left_after: Reason
    alive_at_end: bool


class Made(NamedTuple):
    """One customer."""

    happenings: list[Happening]
    """In order of arrival."""
    truth: Truth


class Shop:
    """Makes the customers of a simulation."""

    def __init__(self, options: Options) -> None:
        """Raise ValueError for a date, a time zone or a currency that is none."""
        self.options = options
        self.time = ShopTime(options.start, options.days, options.time_zone)
        if options.currency not in EXPONENTS:
            raise ValueError(f"{options.currency!r} is not an ISO 4217 currency code")
        mean = options.model.spend.mean
        self._minor = 10.0 ** EXPONENTS[options.currency] * ((options.order_value or mean) / mean)
        self._joining_days = float(min(options.days, options.joining_days or JOINING_DAYS_MAX))
        self._catalogue = Catalogue(GENERAL, mean * self._minor)
        self._stores = Stores(options.seed, self.time, options.habits.late)
        self._desk = OrderDesk(self.time, self._stores, self._catalogue, options.habits, options.currency)
        self._visits = Visits(self.time, self._catalogue, options.habits)

    def life_of(self, number: int) -> Life:
        """When the n-th customer, counted from 1, comes, buys and leaves."""
        options = self.options
        return life_of(options.seed, number, options.model, options.habits, self.time.days, self._joining_days)

    def customer(self, number: int) -> Made:
        """The n-th customer, counted from 1."""
        options, life = self.options, self.life_of(number)
        dice = stream(options.seed, "person", number)
        prefers_stores = dice.random() < options.habits.offline
        channel = "app" if dice.random() < APP_SHARE else "web"
        home, favourite = self._stores.home_of(dice), self._catalogue.favourite(dice)
        stores = [self._store(home, prefers_stores=prefers_stores, dice=dice) for _ in life.orders]
        unknown = dice.random() < options.habits.anonymous and stores[0] is None
        first = self.time.instant(life.orders[0], ONLINE if stores[0] is None else STORE)
        stem = f"s{options.seed}-{number:07d}-"
        who = Person(
            source=SOURCE,
            stem=stem,
            customer_id=customer_id(number),
            channel=channel,
            anonymous_id=f"device-{options.seed}-{number:07d}" if unknown else "",
            known_from=max(self.time.begins_at, first - BEFORE_ORDER_MS),
            test=options.test,
        )
        happenings, orders = self._orders(who, number, life, stores, favourite)
        for told in joining(who, life.orders[0], happenings[0].arrived_at, self.time, dice):
            if stores[0] is not None and told.arrived_at != told.occurred_at:
                self._stores.stamp(told.event, stores[0])
            happenings.append(told)
        bought = [
            Bought(o.at, o.occurred_at, o.store is None, o.products[-1].product_id, o.products[-1].category)
            for o in orders
        ]
        happenings += self._visits.of(who, Stay(bought, life.left), favourite, stream(options.seed, "visits", number))
        for ticket in life.tickets:
            happenings += ticket_happenings(ticket, orders[ticket.number - 1].id, who, self.time)
        happenings.sort(key=_arrival)
        truth = Truth(
            customer_id=who.customer_id,
            anonymous_id=who.anonymous_id or None,
            joined_at=format_instant(first),
            rate_per_week=life.rate_per_week,
            leaving=life.leaving,
            mean_order_minor=int(life.mean_order * self._minor + 0.5),
            prefers="offline" if prefers_stores else "online",
            store_id=store_name(home),
            favourite=self._catalogue.categories[favourite],
            orders=len(orders),
            tickets=len(life.tickets),
            left_at=self._left_at(life, orders[-1]),
            left_after=life.left_after,
            alive_at_end=life.left_after is None,
        )
        return Made(happenings, truth)

    def _orders(
        self, who: Person, number: int, life: Life, stores: list[int | None], favourite: int
    ) -> tuple[list[Happening], list[Order]]:
        seed = self.options.seed
        dice, later = stream(seed, "orders", number), stream(seed, "aftermath", number)
        happenings, orders = list[Happening](), list[Order]()
        values = order_values(life, self.options.model, seed, number)
        for count, (at, store, value) in enumerate(zip(life.orders, stores, values, strict=True), 1):
            order, placed = self._desk.place(who, count, at, store, value * self._minor, favourite, dice)
            orders.append(order)
            happenings.append(placed)
            happenings += self._desk.aftermath(who, order, later)
        return happenings, orders

    def _store(self, home: int, *, prefers_stores: bool, dice: Random) -> int | None:
        """Where an order is placed; None online."""
        faithful, store = dice.random() < FAITHFUL, self._stores.visited(home, dice)
        return store if faithful == prefers_stores else None

    def _left_at(self, life: Life, last: Order) -> str | None:
        if life.left_after is None:
            return None
        left_at = last.occurred_at if life.left_after == "purchase" else self.time.instant(life.left, ONLINE)
        return format_instant(left_at)


def customer_id(number: int) -> str:
    """The id of the n-th customer."""
    return f"c{number:07d}"
