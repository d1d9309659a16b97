"""The shop's stores: who buys where, and when a store's tills send what was bought in a day."""

from random import Random

from agents.simulator.shop_time import ShopTime
from agents.simulator.variates import stream
from schemas.clock import MS_PER_DAY, MS_PER_HOUR
from schemas.events import Event

STORES = 24
HOME_STORE_SHARE = 0.8
CLOSED_AT_HOUR = 20
NIGHT_HOURS = 4.0
LATE_DAYS_MAX = 3


class Stores:
    """All stores of a simulation."""

    def __init__(self, seed: int, time: ShopTime, late: float) -> None:
        """`late` is the share of batches that come days late."""
        self._seed, self._time, self._late = seed, time, late
        self._arrivals: dict[tuple[int, int], int] = {}

    def home_of(self, dice: Random) -> int:
        """Somebody's nearest store."""
        return int(dice.random() * STORES)

    def visited(self, home: int, dice: Random) -> int:
        """Where they buy this time."""
        near, other = dice.random() < HOME_STORE_SHARE, self.home_of(dice)
        return home if near else other

    def batch_arrives_at(self, store: int, day: int) -> int:
        """When a store's purchases of a day reach us, epoch milliseconds: all together, after it has closed."""
        arrival = self._arrivals.get((store, day))
        if arrival is None:
            dice = stream(self._seed, f"batch/{store}", day)
            hours = CLOSED_AT_HOUR + 0.25 + NIGHT_HOURS * dice.random()
            is_late, days = dice.random() < self._late, 1 + int(dice.random() * LATE_DAYS_MAX)
            arrival = self._time.start_of(day) + int(hours * MS_PER_HOUR) + (days * MS_PER_DAY if is_late else 0)
            self._arrivals[store, day] = arrival
        return arrival

    def stamp(self, event: Event, store: int) -> None:
        """Mark an event as one of a store's tills."""
        event.channel, event.channel_type, event.store_id = "pos", "offline", store_name(store)


def store_name(store: int) -> str:
    """The id of a store."""
    return f"store-{store + 1:02d}"
