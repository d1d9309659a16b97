"""The events of the benchmark: made up, seeded, spread over simulated time. Nothing here talks to a broker.

Time passes as for a real company of that size: each customer sends EVENTS_PER_YEAR events a year, on days of their own,
so that windows move, grace ends and silence is judged between a customer's events, as in production.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple
from zlib import crc32

import msgspec

from schemas.clock import MS_PER_DAY, format_instant

CURRENCY = "USD"
TIME_ZONE = "America/New_York"
EVENTS_PER_YEAR = 52
"""Of an average customer; the most active tenth has about six times as many."""
SKEW = 0.8
"""Exponent of the Zipf-like law of who acts: the 20,000 customers' first sends 3 % of all events."""
ARRIVAL_MS_MAX = 3_000
"""From an event to its arrival at the broker."""
LOG_AMOUNT_MEAN, LOG_AMOUNT_SIGMA = 8.0, 0.8
"""Log-normal order totals: median 30, mean 41, in the currency's units."""
REFUND_AFTER_ORDERS = 500
"""A refund is of the order that lies so many orders back, over all customers."""
PRODUCTS = 5_000
SOURCE = "bench-shop"


class Workload(msgspec.Struct, frozen=True):
    """A named mix of event types; the rest is browsing."""

    name: str
    orders: float
    refunds: float = 0.0
    tickets: float = 0.0


MIX = Workload("mix", orders=0.18, refunds=0.02, tickets=0.02)
"""A shop: 78 % of what happens is browsing."""
ORDERS = Workload("orders", orders=1.0)
"""What costs most, alone."""
WORKLOADS = (MIX, ORDERS)


class BenchEvent(NamedTuple):
    """One raw event."""

    customer: int
    """Rank by activity, 0 for the most active."""
    arrived_at: int
    """When the broker received it, epoch milliseconds, never running backwards."""
    value: bytes


def customer_id(rank: int) -> str:
    """The id of a customer."""
    return f"c{rank:07d}"


def raw_partition(rank: int, partitions: int) -> int:
    """Where a producer puts a customer's events: another partitioner than Java's, as librdkafka's clients have it.

    So each customer's events keep their order, but lie on another partition than the customer's home.
    """
    return crc32(b"%d" % rank) % partitions


def spacing_ms(customers: int) -> float:
    """Simulated milliseconds between two events of all customers together."""
    return 365 * MS_PER_DAY / EVENTS_PER_YEAR / customers


def spread(customers: int, count: int, ends_at: int) -> Callable[[int], int]:
    """When the n-th of `count` events arrives, so that simulated time passes as it should and ends at `ends_at`."""
    step = spacing_ms(customers)
    return lambda number: ends_at - int((count - number) * step)


def events(
    workload: Workload, customers: int, count: int, arrival: Callable[[int], int], *, seed: int = 1
) -> Iterator[BenchEvent]:
    """`count` events; the n-th, counted from 1, arrives at `arrival(n)`. The same arguments give the same events."""
    dice = Random(seed)  # noqa: S311 - a workload is no secret
    weights = list(itertools.accumulate((rank + 1) ** -SKEW for rank in range(customers)))
    maker = _Maker(dice, seed)
    tickets, refunds = workload.tickets, workload.tickets + workload.refunds
    orders = refunds + workload.orders
    number = 0
    while number < count:
        for rank in dice.choices(range(customers), cum_weights=weights, k=min(10_000, count - number)):
            number += 1
            arrived_at = arrival(number)
            roll = dice.random()
            if roll < tickets:
                yield maker.ticket(number, rank, arrived_at)
            elif roll < refunds and len(maker.bought) == REFUND_AFTER_ORDERS:
                yield maker.refund(number, arrived_at)
            elif roll < orders:
                yield maker.order(number, rank, arrived_at)
            else:
                yield maker.browse(number, rank, arrived_at)


class _Maker:
    """Writes events as JSON."""

    def __init__(self, dice: Random, seed: int) -> None:
        self._dice, self._seed = dice, seed
        self.bought: deque[tuple[int, str, int]] = deque(maxlen=REFUND_AFTER_ORDERS)
        """Customer, order id and total of the latest orders that were not refunded."""

    def browse(self, number: int, rank: int, at: int) -> BenchEvent:
        product, head = int(self._dice.random() * PRODUCTS), self._head("browse.activity", number, rank, at)
        session = f"s{number // 7}-{rank}"
        text = f'{head},"action":"view_item","product_id":"p{product}","session_id":"{session}"}}'
        return BenchEvent(rank, at, text.encode())

    def order(self, number: int, rank: int, at: int) -> BenchEvent:
        order_id = f"o{self._seed}-{number:09d}"
        total = int(self._dice.lognormvariate(LOG_AMOUNT_MEAN, LOG_AMOUNT_SIGMA)) + 1
        self.bought.append((rank, order_id, total))
        head = self._head("order.completed", number, rank, at)
        text = f'{head},"order_id":"{order_id}","currency":"{CURRENCY}","total_minor":{total}}}'
        return BenchEvent(rank, at, text.encode())

    def refund(self, number: int, at: int) -> BenchEvent:
        rank, order_id, total = self.bought.popleft()
        head = self._head("order.refunded", number, rank, at)
        refund = f'"refund_id":"r1","currency":"{CURRENCY}","refund_minor":{total // 2}'
        return BenchEvent(rank, at, f'{head},"order_id":"{order_id}",{refund}}}'.encode())

    def ticket(self, number: int, rank: int, at: int) -> BenchEvent:
        head = self._head("support.ticket_created", number, rank, at)
        return BenchEvent(rank, at, f'{head},"ticket_id":"t{self._seed}-{number:09d}","status":"new"}}'.encode())

    def _head(self, kind: str, number: int, rank: int, arrived_at: int) -> str:
        """The members that all types have; the object is left open."""
        time = format_instant(arrived_at - int(self._dice.random() * ARRIVAL_MS_MAX))
        return (
            f'{{"type":"{kind}","id":"{event_id(self._seed, number)}","source":"{SOURCE}","time":"{time}",'
            f'"customer_id":"{customer_id(rank)}","channel":"web","channel_type":"online"'
        )


def event_id(seed: int, number: int) -> str:
    """The id of the n-th event, counted from 1; as long as a producer's UUID would be."""
    return f"{seed:08x}-bench-event-number-{number:013d}"
