"""Which positions are gone on from, and which are refused with what remedy."""

import pytest

from agents.errors import RefusedPositionError
from agents.runtime.cluster import TopicIdentity
from agents.runtime.position import (
    POSITION_SCHEMA,
    Position,
    TopicPosition,
    advance,
    check_topic,
    decode_position,
    encode_position,
)

NOW = TopicIdentity("id-1", 12)


def stored(offset: int, topic_id: str = "id-1", partitions: int = 12) -> TopicPosition:
    """Make a stored position."""
    return TopicPosition(topic_id, partitions, offset)


def test_a_fresh_partition_begins_where_the_log_does() -> None:
    """Without a stored position everything that is there is read."""
    assert check_topic(None, "t", 3, NOW, (17, 90)) == 17


@pytest.mark.parametrize("offset", [17, 50, 90])
def test_a_position_within_the_log_is_gone_on_from(offset: int) -> None:
    """Both ends are good positions."""
    assert check_topic(stored(offset), "t", 3, NOW, (17, 90)) == offset


@pytest.mark.parametrize(
    ("position", "what", "remedy"),
    [
        (stored(50, topic_id="id-0"), "made again", "--accept-topic t"),
        (stored(50, partitions=6), "number of partitions", "intake.source"),
        (stored(16), "deleted before they were read", "retention.ms"),
        (stored(91), "ends before the position", "lost"),
    ],
)
def test_a_position_that_does_not_fit_is_refused(position: TopicPosition, what: str, remedy: str) -> None:
    """The message says what, where, and what to do."""
    with pytest.raises(RefusedPositionError) as caught:
        check_topic(position, "t", 3, NOW, (17, 90))

    assert what in caught.value.what
    assert caught.value.where.startswith("t")
    assert remedy in caught.value.next_step


def test_a_missing_topic_is_refused() -> None:
    """A source that does not exist is a mistake of the operator, not an empty one."""
    with pytest.raises(RefusedPositionError, match="does not exist"):
        check_topic(stored(0), "t", 3, None, (0, 0))


def test_the_record_survives_its_encoding() -> None:
    """All that a start needs is in it."""
    position = Position({"t": stored(5), "u": stored(6, "id-2")}, "1.2.3")

    assert decode_position(encode_position(position), "c-0") == position


def test_a_record_of_a_later_version_is_not_misread() -> None:
    """An older program must not go on with what it does not know."""
    later = encode_position(Position({}, "9.0.0", schema=POSITION_SCHEMA + 1))

    with pytest.raises(RefusedPositionError, match="later version"):
        decode_position(later, "c-0")


def test_topics_that_are_no_source_any_more_keep_their_position() -> None:
    """A source that is taken out of the settings and put back goes on where it was."""
    before = Position({"gone": stored(5), "t": stored(1)}, "1")

    after = advance(before, {"t": 9}, {"t": NOW}, "2")

    assert after == Position({"gone": stored(5), "t": stored(9)}, "2")
