"""A journal written by hand and the customers stage that folds it: no broker, no runtime, one partition.

Here live what scenarios, laws and unit tests share: records of a journal, a stage with everything that it would have
committed, and the outputs as a consumer reads them. What a test asserts stays in the test.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, NamedTuple

from agents.customers import CustomersPartition, CustomersStage
from agents.partition_records import BACKFILL_KEY, COUNTERS_KEY, DUE_WORK_KEY, POLICIES_KEY
from agents.runtime.stage import Batch, Headers, Record
from schemas.catalog import TOPICS
from schemas.clock import format_instant
from schemas.events import InputEvent
from schemas.journal import (
    ClockAdvanced,
    ClockClosed,
    ClockTick,
    ControlRecord,
    CountersDeclared,
    CountersRestated,
    GoLive,
    ModelActivated,
    PolicyActivated,
    control_key,
    encode_journal,
    journal_key,
)
from streams.customer.record import decode_state
from streams.customer.state import CustomerState
from streams.models.churn_model import ChurnModel, canonical_model, model_hash
from streams.policy.model import OrderFilter, Policy
from streams.policy.parse import canonical, parse
from streams.policy.presets import preset_text
from streams.recount import declaration_id, filters_text

JOURNAL = "customer-events"
HOME = (0, 1)
LOG_APPEND_TIME = 1


def default_policy(currency: str = "USD", time_zone: str = "UTC") -> Policy:
    """The preset that ships."""
    return policy_of(preset_text("default"), currency, time_zone)


def policy_of(text: str, currency: str | None = None, time_zone: str | None = None) -> Policy:
    """A policy's TOML text as a policy; it must have no mistake."""
    policy = parse(text, currency=currency, time_zone=time_zone)
    assert isinstance(policy, Policy), policy
    return policy


class Journal:
    """The records of one journal partition, in the order of their writing."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def event(self, event: InputEvent, recorded_at: int) -> bytes:
        """Write an event as intake would; the value as written."""
        event.recordedtime = format_instant(recorded_at)
        return self.raw(journal_key(event), encode_journal(event))

    def activate(self, policy: Policy, effective_at: int, *, everybody_counted: bool = False) -> None:
        """Put a policy in force."""
        text = canonical(policy)
        since = format_instant(effective_at)
        self._control(
            PolicyActivated(
                id="p",
                effective_at=since,
                name=policy.name,
                hash=policy.hash,
                text=text,
                everybody_counted=everybody_counted,
            )
        )

    def declare(self, filters: tuple[OrderFilter, ...]) -> None:
        """Have counters counted for who is new."""
        text = filters_text(filters)
        self._control(CountersDeclared(id=declaration_id(text), text=text))

    def restate(self, record: CountersRestated) -> None:
        """Tell what was counted anew for a customer."""
        self._control(record)

    def activate_model(self, model: ChurnModel, effective_at: int) -> None:
        """Put a churn model in force."""
        text, since = canonical_model(model), format_instant(effective_at)
        self._control(ModelActivated(id="m", effective_at=since, name=model.name, hash=model_hash(text), text=text))

    def tick(self, instant: int, home: tuple[int, int] = HOME) -> None:
        """Let time pass for the customers of a home."""
        self._control(ClockTick(instant=format_instant(instant), home=home))

    def advance(self, instant: int) -> None:
        """Let a feed's time pass."""
        self._control(ClockAdvanced(instant=format_instant(instant)))

    def close(self, instant: int) -> None:
        """End a feed's time."""
        self._control(ClockClosed(instant=format_instant(instant)))

    def go_live(self, instant: int) -> None:
        """End the history that was loaded."""
        self._control(GoLive(instant=format_instant(instant)))

    def raw(self, key: bytes, value: bytes) -> bytes:
        """Write any record."""
        self.records.append(Record(JOURNAL, 0, len(self.records), 0, LOG_APPEND_TIME, key, value, ()))
        return value

    def _control(self, record: ControlRecord) -> None:
        self.raw(control_key(record), encode_journal(record))


class Published(NamedTuple):
    """One record of an output topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def data(self) -> dict[str, Any]:
        """The decision in a CloudEvent, with the envelope's id beside."""
        envelope = json.loads(self.value or b"{}")
        data: dict[str, Any] = envelope["data"]
        return data | {"id": envelope["id"]}

    @property
    def header(self) -> dict[str, bytes]:
        """The headers by name."""
        return {name: value or b"" for name, value in self.headers}


class Committed:
    """What a broker would hold after each commit."""

    def __init__(self) -> None:
        self.changelog: dict[bytes, bytes | None] = {}
        self.topics: dict[str, list[Published]] = defaultdict(list)

    def commit(self, batch: Batch) -> None:
        """One transaction."""
        self.changelog |= dict(batch.states)
        for (topic, _), records in batch.outputs.items():
            self.topics[topic] += [Published(*record) for record in records]

    def of(self, topic: str, key: bytes) -> list[Published]:
        """One customer's records of a topic."""
        return [record for record in self.topics[topic] if record.key == key]

    def state(self, key: bytes) -> CustomerState:
        """A customer's state as last committed."""
        record = self.changelog[key]
        assert record is not None
        return decode_state(record)

    def customers(self) -> list[bytes]:
        """Keys of all customers with a state."""
        return sorted(self.changelog.keys() - {POLICIES_KEY, COUNTERS_KEY, DUE_WORK_KEY, BACKFILL_KEY})


def customers_stage(*, decoded_max: int = 1_000, dedupe: bool = True, partitions: int = 1) -> CustomersStage:
    """The stage as an application with one or more partitions has it."""
    names = {name: name for name in TOPICS}
    return CustomersStage(JOURNAL, names, partitions, decoded_max=decoded_max, dedupe=dedupe, counts=Counter())


def restored(stage: CustomersStage, committed: Committed) -> CustomersPartition:
    """A new partition with everything that was committed, as after a crash."""
    partition = stage.partition(0)
    partition.restore(committed.changelog.items())
    partition.ready()
    return partition


def fold_all(partition: CustomersPartition, records: Sequence[Record]) -> None:
    """Fold records and do all the work that they leave."""
    assert partition.fold(records, inf) == len(records)
    while partition.work(inf):
        pass


def folded(records: Iterable[Record], *, dedupe: bool = True) -> Committed:
    """Everything that a journal leads to, folded in one go."""
    committed = Committed()
    partition = customers_stage(dedupe=dedupe).partition(0)
    partition.ready()
    fold_all(partition, list(records))
    committed.commit(partition.drain())
    partition.committed()
    return committed
