"""Sends events at a steady rate, as producers would: small batches, no keys, a partitioner of their own."""

import asyncio
import time
from functools import partial
from itertools import islice
from typing import NamedTuple

from agents.bench.loading import PRODUCER_BATCH_BYTES, Load, connected, load
from agents.bench.workload import Workload, events, raw_partition
from agents.settings import Settings

TICK_S = 0.005
"""How long a producer collects (`linger.ms`)."""


class Sent(NamedTuple):
    """One event that was sent."""

    customer: int
    number: int
    """Counted from 1."""
    at_s: float
    """Just before its request left, epoch seconds."""


class Pace(NamedTuple):
    """What is sent how fast."""

    customers: int
    rate: int
    """Events per second."""
    seconds: float
    seed: int


async def send_paced(settings: Settings, topic: str, workload: Workload, pace: Pace) -> list[Sent]:
    """Send for so many seconds; returns what was sent, in order. A late tick sends what the rate owes.

    The events are made before: whoever shares a machine with the worker must not do work that producers would do
    elsewhere.
    """
    customers, rate, seconds, seed = pace
    begins_ms = int(time.time() * 1000)
    arrival = partial(_arrival, begins_ms, rate)
    source = iter(list(events(workload, customers, int(rate * seconds), arrival, seed=seed)))
    partitions, sent = settings.kafka.partitions, list[Sent]()
    async with connected(settings.kafka.bootstrap) as cluster, asyncio.TaskGroup() as requests:
        started = time.monotonic()
        while batch := list(islice(source, max(1, int((time.monotonic() - started) * rate) - len(sent)))):
            at_s = time.time()
            records = [
                Load(raw_partition(event.customer, partitions), int(at_s * 1000), None, event.value) for event in batch
            ]
            sent += [Sent(event.customer, number, at_s) for number, event in enumerate(batch, len(sent) + 1)]
            requests.create_task(load(cluster, topic, records, PRODUCER_BATCH_BYTES))  # one slow answer delays no other
            await asyncio.sleep(TICK_S)
    return sent


def _arrival(begins_ms: int, rate: int, number: int) -> int:
    """When the n-th event arrives, counted from 1, as far as its own time depends on it."""
    return begins_ms + number * 1000 // rate
