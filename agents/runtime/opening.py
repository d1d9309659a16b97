"""How a tenure begins: take over the producer's name, restore, check the position, and only then read input."""

from aiokafka import TopicPartition

from agents.runtime import names
from agents.runtime.cluster import Instant, Isolation, TopicIdentity
from agents.runtime.context import Context
from agents.runtime.position import POSITION_KEY, Position, TopicPosition, advance, check_topic, encode_position
from agents.runtime.producer import TransactionalProducer
from agents.runtime.restore import restore
from agents.runtime.stage import OutputRecord, Stage
from agents.runtime.tenure import Tenure


async def open_tenure(context: Context, stage: Stage, partition: int) -> Tenure:
    """Make a tenure ready to fetch. Raises a TenureFailure, or a RefusedPositionError with its remedy."""
    producer = TransactionalProducer(
        context.cluster, names.transactional_id(context.application, stage.name, partition)
    )
    changelog = TopicPartition(names.changelog(context.application, stage.name), partition)
    try:
        await producer.start()  # before the state is read: a zombie may write until it is fenced
        state = stage.partition(partition)
        async with context.restore_slots:
            stored = await restore(context.cluster, changelog, state, context.restores)
        identities = await context.cluster.topics(stage.sources)
        position = await _checked(context, stage, partition, stored, identities)
        if position != stored:  # a fresh partition, a new source: its begin is written down before anything is read
            record: OutputRecord = (POSITION_KEY, encode_position(position), [])
            await producer.commit({tuple(changelog): [record]})
        return Tenure(context, stage, partition, producer, state, position, identities)
    except BaseException:
        await producer.close()
        raise


async def _checked(
    context: Context, stage: Stage, partition: int, stored: Position | None, identities: dict[str, TopicIdentity]
) -> Position:
    tps = [TopicPartition(topic, partition) for topic in stage.sources if topic in identities]
    begins = await context.cluster.offsets(tps, Instant.BEGIN)
    ends = await context.cluster.offsets(tps, Instant.END, Isolation.UNCOMMITTED)
    offsets = {}
    for topic in stage.sources:
        tp = TopicPartition(topic, partition)
        known = stored.topics.get(topic) if stored else None
        actual = identities.get(topic)
        if topic in context.accepted_topics and known and actual and known.partitions == actual.partitions:
            known = _given_up(known, actual, begins[tp], ends[tp])
        offsets[topic] = check_topic(known, topic, partition, actual, (begins.get(tp, 0), ends.get(tp, 0)))
    position = advance(stored, offsets, identities, context.app_version)
    return stored if stored and stored.topics == position.topics else position


def _given_up(known: TopicPosition, actual: TopicIdentity, begin: int, end: int) -> TopicPosition | None:
    """Return None, a fresh start, for a position that would be refused; the operator asked for it."""
    fits = known.topic_id == actual.topic_id and begin <= known.offset <= end
    return known if fits else None
