"""Where a partition stands in its input: a changelog record written with every commit and checked at every start.

It holds, per source topic, the topic's id and partition count and the next offset to fold: a topic that was made again,
grew, or lost records past the position must be refused, since reading on would skip or repeat records without a word.
And it names the writer to which the partition belongs: whoever takes it over must fence that one first.
"""

from collections.abc import Mapping

import msgspec

from agents.errors import RefusedPositionError
from agents.runtime.cluster import TopicIdentity
from agents.runtime.stage import RUNTIME_KEYS

POSITION_KEY = RUNTIME_KEYS + b":position"
POSITION_SCHEMA = 2


class TopicPosition(msgspec.Struct, frozen=True, array_like=True):
    """The next offset of one source topic, and which topic that was."""

    topic_id: str
    partitions: int
    offset: int


class Position(msgspec.Struct, frozen=True):
    """The position record; topics that are no source any more stay in it."""

    topics: dict[str, TopicPosition]
    app_version: str
    schema: int = POSITION_SCHEMA
    writer: str = ""
    """Transactional id of the stage's writer that the partition belongs to; empty when it was given back in order."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Position).decode


def encode_position(position: Position) -> bytes:
    """Write the record's value."""
    return _encode(position)


def decode_position(value: bytes, where: str) -> Position:
    """Read the record's value; one of a later version is refused rather than misread."""
    position = _decode(value)
    if position.schema > POSITION_SCHEMA:
        raise RefusedPositionError(
            "The state was written by a later version.",
            where=where,
            why=f"position schema {position.schema} of version {position.app_version}, known up to {POSITION_SCHEMA}",
            next_step="start the version that wrote it, or a later one",
        )
    return position


def check_topic(
    stored: TopicPosition | None,
    topic: str,
    partition: int,
    actual: TopicIdentity | None,
    span: tuple[int, int],
) -> int:
    """Return the offset to go on from; raises RefusedPositionError with the remedy.

    `span` is the partition's log start and end. Without a stored position the partition is fresh: its log start.
    """
    where = f"{topic}-{partition}"
    begin, end = span
    if actual is None:
        raise RefusedPositionError(
            "A source topic does not exist.", where=topic, next_step="tierstream topics apply, then start again"
        )
    if stored is None:
        return begin
    if stored.topic_id != actual.topic_id:
        raise RefusedPositionError(
            "A source topic was deleted and made again.",
            where=where,
            why=f"position {stored.offset} belongs to topic id {stored.topic_id}; now the id is {actual.topic_id}",
            next_step=f"check that its records are wanted, then: tierstream worker --accept-topic {topic}",
        )
    if stored.partitions != actual.partitions:
        raise RefusedPositionError(
            "A source topic has another number of partitions.",
            where=topic,
            why=f"{stored.partitions} when the state was built, {actual.partitions} now: customers would move",
            next_step="send to a new topic with the old number of partitions and bind that one (intake.source)",
        )
    if stored.offset < begin:
        raise RefusedPositionError(
            "Records were deleted before they were read.",
            where=where,
            why=f"the position is {stored.offset}, but the topic begins at {begin}: its retention is too short",
            next_step=f"lengthen retention.ms; to go on without them: tierstream worker --accept-topic {topic}",
        )
    if stored.offset > end:
        raise RefusedPositionError(
            "The topic ends before the position.",
            where=where,
            why=f"the position is {stored.offset}, but the topic ends at {end}: its log was lost or truncated",
            next_step=f"find out what was lost; to go on from its begin: tierstream worker --accept-topic {topic}",
        )
    return stored.offset


def advance(
    position: Position | None,
    offsets: Mapping[str, int],
    identities: Mapping[str, TopicIdentity],
    app_version: str,
    writer: str = "",
) -> Position:
    """Return the position record after the given next offsets, as this writer's."""
    topics = dict(position.topics) if position else {}
    for topic, offset in offsets.items():
        identity = identities[topic]
        topics[topic] = TopicPosition(identity.topic_id, identity.partitions, offset)
    return Position(topics, app_version, writer=writer)
