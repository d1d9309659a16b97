"""One partition that the consumer group gave to this projection, and how it is opened."""

from collections.abc import Callable
from typing import Any

import msgspec
from kafka import TopicPartition

from agents.profiles.store import ProfileStore, State
from agents.profiles.waiting import WaitingProfiles


class Lane(msgspec.Struct):
    """A partition of ours."""

    place: TopicPartition
    claimed: bool = False
    """Redis knows us as the partition's only writer."""
    opened: bool = False
    """The consumer stands where Redis stands, or later with everything in between waiting here."""
    epoch: str = ""
    offset: int = 0
    """Everything before it is in Redis, as the marker says."""
    read_to: int = 0
    """Everything before it was read."""
    state: State = "ready"
    target: int = 0
    """While rebuilding: the end of the topic when that began."""


def open_lane(
    lane: Lane,
    consumer: Any,  # noqa: ANN401 - kafka-python is untyped
    store: ProfileStore,
    topic_id: Callable[[], str],
    waiting: WaitingProfiles,
) -> bool:
    """Claim the partition and stand where its marker says; True when that is the begin of the topic.

    After an outage that cost Redis nothing the marker stands where we left it, and what waits is still what it lacks.
    """
    number, identity = lane.place.partition, topic_id()
    end = consumer.end_offsets([lane.place])[lane.place]
    position = store.claim(number, identity)
    if position.offset > end:  # the broker lost the topic's end, and Redis has what is nowhere else any more
        store.restart(number, identity)
        position = store.claim(number, identity)
    same = lane.opened and (position.epoch, position.offset) == (lane.epoch, lane.offset)
    if not same:
        waiting.forget(number)
        consumer.seek(lane.place, position.offset)
        lane.offset = lane.read_to = position.offset
    lane.epoch, lane.state = position.epoch, position.state
    lane.target = end if position.state == "rebuilding" else 0
    lane.claimed = lane.opened = True
    return not same and position.offset == 0
