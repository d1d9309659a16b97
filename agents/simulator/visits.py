"""Browsing: it goes on while a customer is there, thins out when they have left, and grows before they buy.

The first layer of evidence is the rhythm of visits, Poisson at one rate before a customer leaves and at a lower one
after. On top come the visits that lead to an order: some days before it, and the one in which it is placed.
"""

from collections.abc import Iterator, Sequence
from math import inf
from random import Random
from typing import NamedTuple

from agents.simulator.catalogue import Catalogue
from agents.simulator.habits import Habits
from agents.simulator.happenings import Happening, Person
from agents.simulator.shop_time import ONLINE, ShopTime
from agents.simulator.variates import exponential, wait
from schemas.clock import MS_PER_MINUTE, MS_PER_SECOND, format_instant
from schemas.events import BrowseActivity

DAYS_PER_WEEK = 7.0
VISIT_EVENTS_MAX = 5
LOOKED_UP_BEFORE_STORE = 0.3
"""Purchases in a store that were looked at online the days before."""
WANDERED_BEFORE_DAYS = 4.0
CHECKOUT_MINUTES = (6.0, 30.0)
STAY_SECONDS_LEAST, STAY_SECONDS_MORE = 5.0, 45.0
"""On a page; the second is a mean."""
UNKNOWN_FOR_DAYS, UNKNOWN_VISITS_MAX = 12.0, 3
FIRST_STEPS = ("view_item_list", "view_item_list", "view_item_list", "search", "view_item")
LATER_STEPS = ("view_item", "view_item", "view_item", "view_item", "view_item", "add_to_cart")
BUYING_STEPS = ("view_item", "add_to_cart", "begin_checkout")
OF_ONE_PRODUCT = frozenset(LATER_STEPS)


class Bought(NamedTuple):
    """An order as far as visits depend on it."""

    at: float
    """Days since the shop's opening."""
    occurred_at: int
    online: bool
    product_id: str = ""
    category: str = ""


class Stay(NamedTuple):
    """How long a customer was there, in days since the shop's opening."""

    orders: Sequence[Bought]
    left: float = inf


class Visits:
    """Makes the visits of a simulation's customers."""

    def __init__(self, time: ShopTime, catalogue: Catalogue, habits: Habits) -> None:
        self._time, self._catalogue, self._habits = time, catalogue, habits

    def of(self, who: Person, stay: Stay, favourite: int, dice: Random) -> list[Happening]:
        """Every browsing event of one customer before the simulation's end, in no order over all."""
        seen: list[Happening] = []
        for number, (begin, bought) in enumerate(self._visits(who, stay, dice), 1):
            if bought is None:
                self._look(seen, who, number, begin, favourite, dice)
            else:
                self._buy(seen, who, number, bought, dice)
        return seen

    def _visits(self, who: Person, stay: Stay, dice: Random) -> Iterator[tuple[int, Bought | None]]:
        """When each visit begins, epoch milliseconds, and what is bought in it."""
        first = stay.orders[0].at
        if who.anonymous_id:
            for _ in range(1 + int(dice.random() * UNKNOWN_VISITS_MAX)):
                at = first - 0.02 - UNKNOWN_FOR_DAYS * dice.random()
                if at >= 0.0:
                    yield self._time.instant(at, ONLINE), None
        for bought in stay.orders:
            likely = self._habits.wandering if bought.online else LOOKED_UP_BEFORE_STORE * self._habits.wandering
            wandered = dice.random() < likely
            at = bought.at - 0.05 - WANDERED_BEFORE_DAYS * exponential(dice)
            if wandered and at >= first:
                yield self._time.instant(at, ONLINE), None
            if dice.random() < self._habits.checkouts and bought.online:
                yield bought.occurred_at, bought
        left = min(stay.left, self._time.days)
        yield from self._rhythm(first, left, self._habits.visits_per_week, dice)
        yield from self._rhythm(left, self._time.days, self._habits.gone_visits_per_week, dice)

    def _rhythm(self, begin: float, end: float, per_week: float, dice: Random) -> Iterator[tuple[int, Bought | None]]:
        at = begin + wait(dice, per_week) * DAYS_PER_WEEK
        while at < end:
            yield self._time.instant(at, ONLINE), None
            at += wait(dice, per_week) * DAYS_PER_WEEK

    def _look(
        self, seen: list[Happening], who: Person, number: int, instant: int, favourite: int, dice: Random
    ) -> None:
        count = 1 + int(dice.random() * dice.random() * VISIT_EVENTS_MAX)
        line = self._catalogue.line_for(favourite, dice)
        for step in range(count):
            actions = LATER_STEPS if step else FIRST_STEPS
            action, item = actions[int(dice.random() * len(actions))], self._catalogue.any_of(line, dice)
            product_id = item.id if action in OF_ONE_PRODUCT else ""
            seen.append(self._event(who, number, step, instant, action, product_id, item.category))
            if step + 1 < count:
                instant += int((STAY_SECONDS_LEAST + STAY_SECONDS_MORE * exponential(dice)) * MS_PER_SECOND)
                if instant >= self._time.ends_at:
                    return

    def _buy(self, seen: list[Happening], who: Person, number: int, bought: Bought, dice: Random) -> None:
        """The last steps before an order, one to three of them."""
        least, most = CHECKOUT_MINUTES
        lasts = int((least + (most - least) * dice.random()) * MS_PER_MINUTE)
        steps = BUYING_STEPS[int(dice.random() * len(BUYING_STEPS)) :]
        instant = max(self._time.begins_at, bought.occurred_at - lasts)
        for step, action in enumerate(steps):
            seen.append(self._event(who, number, step, instant, action, bought.product_id, bought.category))
            instant += int((bought.occurred_at - instant) * (0.2 + 0.5 * dice.random()))

    def _event(
        self, who: Person, number: int, step: int, instant: int, action: str, product_id: str, category: str
    ) -> Happening:
        known = not who.anonymous_id or instant >= who.known_from
        session = f"{who.stem}v{number}"
        event = BrowseActivity(
            id=f"{session}-{step}",
            source=who.source,
            time=format_instant(instant),
            customer_id=who.customer_id if known else "",
            anonymous_id="" if known else who.anonymous_id,
            channel=who.channel,
            channel_type="online",
            test=who.test,
            action=action,
            product_id=product_id,
            category=category,
            session_id=session,
        )
        return Happening(instant, instant, event)
