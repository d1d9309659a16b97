"""A finished demo without Kafka: the journal of a few customers, and the outputs that folding it leads to."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from agents.customers import CustomersStage
from agents.demo.cdnow import BEGINS_AT, ENDS_AT, Purchase, order_events
from agents.demo.reading import Held
from agents.replay.event_files import CHANGES, PROFILES
from agents.runtime.stage import Record
from schemas.catalog import TOPICS
from schemas.clock import format_instant
from schemas.events import InputEvent
from schemas.journal import ClockClosed, JournalRecord, PolicyActivated, encode_journal
from streams.policy.model import Policy
from streams.policy.parse import canonical, parse
from streams.policy.presets import preset_text

PARTITIONS = 2
NEVER = float("inf")


def demo_policy() -> Policy:
    """The default preset in US dollars and days of New York."""
    policy = parse(preset_text("default"), currency="USD", time_zone="America/New_York")
    assert isinstance(policy, Policy), policy
    return policy


def orders_of(purchases: Iterable[Purchase]) -> list[InputEvent]:
    """The purchases as events in the order of the feed."""
    events: list[InputEvent] = list(order_events(list(purchases)))
    return sorted(events, key=lambda event: (event.time, event.id))


def raw_of(events: Iterable[InputEvent]) -> list[Held]:
    """The raw topic: customers part by the last digit of their id."""
    ends = [0] * PARTITIONS
    held = []
    for event in events:
        partition = int(event.customer_id[-1]) % PARTITIONS
        held.append(Held(partition, ends[partition], event.customer_id.encode(), msgspec.json.encode(event), []))
        ends[partition] += 1
    return held


def journal_of(events: Iterable[InputEvent]) -> list[Held]:
    """The journal after them: the policy first, the clock's end last, in every partition."""
    policy = demo_policy()
    begin, end = format_instant(BEGINS_AT), format_instant(ENDS_AT)
    first = PolicyActivated(id="first", effective_at=begin, name=policy.name, hash=policy.hash, text=canonical(policy))
    stamped = [msgspec.structs.replace(event, recordedtime=event.time) for event in events]
    records = [*_control(first), *raw_of(stamped), *_control(ClockClosed(instant=end))]
    return [record._replace(offset=offset) for offset, record in enumerate(records)]


def outputs_of(journal: list[Held]) -> dict[str, list[Held]]:
    """What the customers stage publishes of it, in one commit per partition: topic to records."""
    outputs: dict[str, list[Held]] = {topic: [] for topic in (*CHANGES, PROFILES)}
    topics = {name: name for name in TOPICS}
    stage = CustomersStage("customer-events", topics, PARTITIONS, decoded_max=1_000, dedupe=True, counts=Counter())
    for number in range(PARTITIONS):
        partition = stage.partition(number)
        partition.ready()
        for held in journal:
            if held.partition == number:
                partition.fold([Record("customer-events", number, held.offset, 0, 1, held.key, held.value, [])], NEVER)
        while partition.work(NEVER):
            pass
        for (topic, _), records in partition.drain().outputs.items():
            if topic in outputs:
                outputs[topic] += [Held(number, 0, key, value, []) for key, value, _ in records]
    return outputs


def _control(record: JournalRecord) -> list[Held]:
    key = b"\x00" + str(record.__struct_config__.tag).encode()
    return [Held(partition, 0, key, encode_journal(record), []) for partition in range(PARTITIONS)]
