"""How a tenure begins: claim the partition, fence whoever wrote for it, restore, check the position, then read input.

The claim is a transaction under a name of the partition's own, of which only the last to ask for it can commit. So two
that take a partition over at once cannot both enter their writer into its position record, and whoever comes later
finds there whom to fence. Nothing of this asks the consumer group: a member that believes an assignment of yesterday is
fenced, or fences a partition for a moment, but never writes beside another.
"""

from aiokafka import TopicPartition

from agents.runtime import names
from agents.runtime.cluster import Cluster, Instant, Isolation, TopicIdentity
from agents.runtime.context import Context
from agents.runtime.position import POSITION_KEY, Position, TopicPosition, advance, check_topic, encode_position
from agents.runtime.producer import TransactionalProducer
from agents.runtime.restore import restore
from agents.runtime.stage import OutputRecord, Stage
from agents.runtime.tenure import Tenure
from agents.runtime.writer import StageWriter


async def open_tenure(context: Context, stage: Stage, partition: int, writer: StageWriter) -> Tenure:
    """Make a tenure ready to fetch. Raises a TenureFailure, or a RefusedPositionError with its remedy."""
    changelog = TopicPartition(names.changelog(context.application, stage.name), partition)
    term = await writer.ready()
    claim = TransactionalProducer(context.cluster, names.claim_id(context.application, stage.name, partition))
    try:
        await claim.start()  # from here on nobody else's claim succeeds, and the position record names whom to fence
        state = stage.partition(partition)

        async def end_term(found: str) -> None:
            await fence(context.cluster, found, writer.name)

        async with context.restore_slots:
            stored = await restore(context.cluster, changelog, state, context.restores, end_term)
        identities = await context.cluster.topics(stage.sources)
        offsets = await _checked(context, stage, partition, stored, identities)
        position = advance(stored, offsets, identities, context.app_version, writer.name)
        record: OutputRecord = (POSITION_KEY, encode_position(position), [])
        await claim.commit({tuple(changelog): [record]})
    finally:
        await claim.close()
    tenure = Tenure(context, stage, partition, writer, state, position, identities)
    writer.join(tenure, term)
    return tenure


async def fence(cluster: Cluster, found: str, ours: str) -> None:
    """End the term of the writer that a partition belongs to: what it left open is aborted, and it commits no more."""
    if found in {"", ours}:  # given back in order; or of an earlier term of our own, which the present one fenced
        return
    producer = TransactionalProducer(cluster, found)
    try:
        await producer.start()
    finally:
        await producer.close()


async def _checked(
    context: Context, stage: Stage, partition: int, stored: Position | None, identities: dict[str, TopicIdentity]
) -> dict[str, int]:
    """The offsets to go on from, by topic: a fresh partition's or a new source's begin is among them."""
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
    return offsets


def _given_up(known: TopicPosition, actual: TopicIdentity, begin: int, end: int) -> TopicPosition | None:
    """Return None, a fresh start, for a position that would be refused; the operator asked for it."""
    fits = known.topic_id == actual.topic_id and begin <= known.offset <= end
    return known if fits else None
