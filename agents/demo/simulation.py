"""What the simulator adds to the demo: visits and tickets around the real purchases, or a whole shop instead of them.

Nothing here is measured. Each event says so in its `source` and its id, and one seed gives one result on every machine.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from agents.demo.cdnow import BEGINS_AT, ENDS_AT, Purchase
from agents.demo.ground import CURRENCY, TIME_ZONE
from agents.simulator.catalogue import Catalogue
from agents.simulator.habits import Habits
from agents.simulator.happenings import Happening, Person
from agents.simulator.shop import Options, Shop
from agents.simulator.shop_time import ShopTime
from agents.simulator.tickets import ticket_after, ticket_happenings
from agents.simulator.variates import stream
from agents.simulator.visits import Bought, Stay, Visits
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent
from streams.models.mbgnbd import CDNOW_1997, p_alive

SEED = 1997
SOURCE = "tierstream-demo/simulated"

AROUND = Habits(visits_per_week=0.035, gone_visits_per_week=0.004, wandering=0.2, checkouts=0.75, tickets=0.025)
"""Fewer visits than of a shop today: this was a time of modems."""
STYLES = ("rock", "pop", "jazz", "classical", "country", "soundtracks", "world", "hip-hop")
AVERAGE_MINOR = 3_500
START = format_instant(BEGINS_AT)[:10]
DAYS = (ENDS_AT - BEGINS_AT) // MS_PER_DAY - 1
"""The last one ends some hours before the data do: its midnight is the shop's."""


def whole_shop(customers: int, seed: int = SEED) -> Iterator[InputEvent]:
    """Every event of a made-up shop in the demo's months, in no order over all."""
    shop = Shop(Options(customers=customers, days=DAYS, seed=seed, start=START, currency=CURRENCY, time_zone=TIME_ZONE))
    for number in range(1, customers + 1):
        for happening in shop.customer(number).happenings:
            yield happening.event


def simulate(purchases: Sequence[Purchase], seed: int = SEED) -> Iterator[InputEvent]:
    """Visits and tickets around real purchases, in no order over all; none at or after the end of the data."""
    time = ShopTime(START, DAYS, TIME_ZONE)
    around = _Around(time, seed)
    by_customer: dict[str, list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        by_customer[purchase.customer].append(purchase)
    for customer, theirs in by_customer.items():
        for happening in around.customer(int(customer), theirs):
            if happening.occurred_at < ENDS_AT:
                yield happening.event


class _Around:
    """The simulator's layers of browsing and support, laid over lives that are real."""

    def __init__(self, time: ShopTime, seed: int) -> None:
        self._time, self._seed = time, seed
        self._catalogue = Catalogue(dict.fromkeys(STYLES, ("CD",)), AVERAGE_MINOR)
        self._visits = Visits(time, self._catalogue, AROUND)

    def customer(self, number: int, purchases: Sequence[Purchase]) -> Iterator[Happening]:
        dice = stream(self._seed, "around", number)
        favourite = self._catalogue.favourite(dice)
        who = Person(source=SOURCE, stem=f"simulated-{number}-", customer_id=purchases[0].customer_id)
        bought = []
        for purchase in purchases:
            item = self._catalogue.any_of(self._catalogue.line_for(favourite, dice), dice)
            at = self._time.day_of(purchase.occurred_at)
            bought.append(Bought(at, purchase.occurred_at, online=True, product_id=item.id, category=item.category))
        left = inf if dice.random() < _still_there(bought) else bought[-1].at
        yield from self._visits.of(who, Stay(bought, left), favourite, dice)
        for count, (order, purchase) in enumerate(zip(bought, purchases, strict=True), 1):
            ticket = ticket_after(count, order.at, AROUND, dice)
            if ticket is not None:
                yield from ticket_happenings(ticket, purchase.id, who, self._time)


def _still_there(bought: Sequence[Bought]) -> float:
    """Nobody knows who is gone; the model says how likely it is that somebody is not."""
    first, last = bought[0].at, bought[-1].at
    repeats = len({int(order.at) for order in bought}) - 1
    return p_alive(CDNOW_1997, repeats, (last - first) / 7.0, (DAYS - first) / 7.0)
