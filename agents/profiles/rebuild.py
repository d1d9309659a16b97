"""Has every partition written again from the begin of the topic, without a moment in which a reader finds less.

It is a request, laid into the markers: whoever projects a partition carries it out. This process joins the group for as
long as it takes, so that it also happens when no projection runs.
"""

import time
from collections.abc import Iterable
from typing import Final

import msgspec
from kafka import TopicPartition

from agents.errors import ConfigurationError, StalledError
from agents.kafka_clients import consumer
from agents.profiles.connection import RedisOutage
from agents.profiles.metrics import ProjectionMetrics
from agents.profiles.run import group_of, projecting, topic_id, topic_of
from agents.profiles.store import Position, ProfileStore
from agents.profiles.topic_view import Progress
from agents.settings import Settings

STALLED_S: Final = 120.0
"""Longer than a lost join of the group and a restarted projection together; an outage of Redis does not count."""


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did."""

    partitions: int
    seconds: float


def rebuild(settings: Settings, progress: Progress) -> Rebuilt:
    """Request it, help with it, return when every partition is done.

    RedisOutage when Redis is away at the begin, StalledError when nobody carries it out for two minutes.
    """
    begun = time.monotonic()
    store = ProfileStore(settings)
    spans = _spans(settings)
    identity = topic_id(settings)
    for number in spans:
        store.restart(number, identity)
    done: set[int] = set()
    moved_at, places = begun, dict[int, Position]()
    with projecting(settings, ProjectionMetrics()) as step:
        while len(done) < len(spans):
            step()
            positions = _looked(store, spans)
            done = {number for number, position in positions.items() if position.state == "ready"}
            read = sum(
                min(max(positions[n].offset, first), end) - first for n, (first, end) in spans.items() if n in positions
            )
            progress(read, sum(end - first for first, end in spans.values()))
            if positions != places or not positions:
                moved_at, places = time.monotonic(), positions
            elif time.monotonic() - moved_at > STALLED_S:
                raise _stalled(settings, sorted(spans.keys() - done))
    store.close()
    return Rebuilt(len(spans), time.monotonic() - begun)


def _stalled(settings: Settings, left: list[int]) -> StalledError:
    numbers = ", ".join(map(str, left))
    return StalledError(
        "Whoever projects these partitions does not write them again.",
        where=f"{topic_of(settings)}, partition{'s' * (len(left) > 1)} {numbers}",
        why=f"nothing moved for {STALLED_S:.0f} s; another member of the group {group_of(settings)} has them",
        next_step="end the group's other members (kafka-consumer-groups.sh names them), then tierstream redis rebuild",
    )


def _spans(settings: Settings) -> dict[int, tuple[int, int]]:
    """First and next offset of every partition."""
    topic = topic_of(settings)
    with consumer(settings) as reader:
        places = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic) or ()]
        if not places:
            raise ConfigurationError("The topic does not exist.", where=topic, next_step="tierstream topics apply")
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
    return {place.partition: (begins[place], ends[place]) for place in places}


def _looked(store: ProfileStore, partitions: Iterable[int]) -> dict[int, Position]:
    try:
        return dict(store.positions(partitions))
    except RedisOutage:  # an outage on the way is waited for, as the projection does
        return {}
