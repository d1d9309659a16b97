"""The reader of the latency runs, in a process of its own: when could which event's effect be read?"""

import asyncio
import re
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

from aiokafka import TopicPartition

from agents.bench.loading import connected
from agents.runtime.cluster import Cluster, Instant
from agents.runtime.records import unpack
from agents.settings import Settings

FETCH_BYTES = 4_000_000
FETCH_WAIT_MS = 100
PROFILES = "customer-profiles"
_CAUSE = re.compile(rb'"event_id":"([0-9a-f]{8})-bench-event-number-(\d+)"')

Profile = tuple[bytes, bytes, float]
"""Key, value, and when the reader had them, epoch seconds."""


class Seen(NamedTuple):
    """One profile that was read."""

    customer: int
    number: int
    """Of the event that caused it."""
    at_s: float
    """When the reader had it, epoch seconds."""


def read_profiles(settings: Settings, seed: int, parent: Connection) -> None:
    """Say when ready, read committed profiles until told to end, and hand over what was seen, in order.

    Only profiles that events of this seed caused are handed over.
    """
    with suppress(EOFError):  # the parent was killed: nobody wants to know
        asyncio.run(_read(settings, seed, parent))


async def _read(settings: Settings, seed: int, parent: Connection) -> None:
    topic = settings.topic(PROFILES)
    places = [TopicPartition(topic, number) for number in range(settings.kafka.partitions)]
    profiles: list[Profile] = []
    async with connected(settings.kafka.bootstrap) as cluster:
        positions = await cluster.offsets(places, Instant.END)
        parent.send("ready")
        while not parent.poll():  # the parent's end is an answer too
            profiles += await _turn(cluster, positions)
        parent.recv()
        ends = await cluster.offsets(places, Instant.END)
        while any(positions[place] < end for place, end in ends.items()):
            profiles += await _turn(cluster, positions)
    parent.send([seen for profile in profiles if (seen := seen_in(profile, seed)) is not None])


async def _turn(cluster: Cluster, positions: dict[TopicPartition, int]) -> list[Profile]:
    """Fetch once from all partitions and move the positions on."""
    fetched = await cluster.fetch(positions, bytes_max=FETCH_BYTES, wait_ms=FETCH_WAIT_MS, lane="read")
    now, found = time.time(), list[Profile]()
    for place, (records, aborted) in fetched.items():
        begin = positions[place]
        batches, positions[place] = unpack(records, aborted, begin)
        found += [(r.key, r.value, now) for batch in batches for r in batch if r.offset >= begin]
    return found


def seen_in(profile: Profile, seed: int) -> Seen | None:
    """What a profile tells; None when time, or an event of another seed, caused it."""
    key, value, at_s = profile
    cause = _CAUSE.search(value)
    if cause is None or int(cause[1], 16) != seed:
        return None
    return Seen(int(key[1:]), int(cause[2]), at_s)
