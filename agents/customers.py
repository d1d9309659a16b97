"""The customers stage: folds the journal per customer and publishes what changed.

Here lives what concerns a partition as a whole: decoded states, the policies in force, who is due. The meaning is in
`streams.process`.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from time import perf_counter
from typing import Final

from agents.audit_entries import DECIDED_BY_HAND, Entry, activation, by_hand, declaration
from agents.backfill import Backfill
from agents.customer_figures import CustomerFigures, FiguresByPartition
from agents.freshness import Freshness
from agents.outputs import Outbox
from agents.partition_records import NO_TICK, DueWork, due_work_of, heads, take_due_work, work_record
from agents.policy_log import PolicyLog
from agents.restating import take_restatement
from agents.runtime.stage import Batch, Record, StateRecord
from agents.stage_metrics import POLICY_REFUSED, StageCounts
from schemas.clock import format_instant, parse_canonical
from schemas.events import Event
from schemas.journal import (
    Activated,
    ClockTick,
    Control,
    ControlRecord,
    CountersDeclared,
    CountersRestated,
    JournalRecord,
    Passing,
    control_key,
    decode_journal,
    encode_journal,
)
from streams.backfill import go_live
from streams.customer.record import decode_state, encode_state, head
from streams.customer.state import CustomerState
from streams.due import DueIndex
from streams.effects import Effects
from streams.process import due_under, new_state, pass_time, process

STAGE: Final = "customers"
_CHECK_EVERY: Final = 8


class CustomersStage:
    """The stage as the runtime runs it."""

    name = STAGE

    def __init__(
        self,
        journal: str,
        topics: dict[str, str],
        partitions: int,
        *,
        decoded_max: int,
        dedupe: bool,
        counts: StageCounts,
        freshness: Freshness | None = None,
    ) -> None:
        """`topics` maps catalogue names to full ones, `decoded_max` bounds a partition's decoded states."""
        self.sources = (journal,)
        self.topics, self.partitions = topics, partitions
        self.decoded_max, self.dedupe, self.counts = decoded_max, dedupe, counts
        self.freshness = freshness
        self.figures = FiguresByPartition()

    def partition(self, number: int) -> "CustomersPartition":
        """An empty partition."""
        return CustomersPartition(self, number)


class CustomersPartition:
    """The customers whose home is one partition."""

    def __init__(self, stage: CustomersStage, number: int) -> None:
        self._stage, self._number = stage, number
        self._store: dict[bytes, bytes] = {}
        self._decoded: dict[bytes, CustomerState] = {}
        self._dirty: dict[bytes, bool] = {}  # whether the world is told of it
        self._policies = PolicyLog()
        self._regimes = self._policies.regimes
        self._due = DueIndex(self._due_of)
        self._due_work = self._due_work_written = DueWork()
        self._tick_under_way = False
        self._effects = Effects()
        self._outbox = Outbox(stage.topics, number, stage.counts)
        self._backfill = Backfill(self._effects, self._outbox)
        self._figures = CustomerFigures(stage.freshness, self._store, self._regimes)
        stage.figures.add(number, self._figures)

    def __len__(self) -> int:
        return len(self._store)

    def restore(self, records: Iterable[StateRecord]) -> None:
        """Take changelog records; states stay encoded."""
        store = self._store
        for key, value in records:
            if value is None:
                store.pop(key, None)
            else:
                store[key] = value

    def ready(self) -> None:
        """Rebuild what is derived: the policies in force and who is due."""
        self._due_work = self._due_work_written = take_due_work(self._store)
        self._policies.restore(self._store)
        self._backfill.restore(self._store)
        for key, due, ordinal in heads(self._store):
            self._due.add(key, due_under(self._regimes, due, ordinal))
        self._figures.restored()
        if self._regimes:
            self._outbox.audit({"type": "partition.restored", "home": self._home, "customers": len(self._store)})

    def fold(self, records: Sequence[Record], deadline: float) -> int:
        """Fold records until the deadline. One stamped before a tick waits until all that was due then has run."""
        for taken, record in enumerate(records):
            if not self._fold_one(record, deadline):
                return taken
            if taken % _CHECK_EVERY == _CHECK_EVERY - 1 and perf_counter() > deadline:
                return taken + 1
        return len(records)

    def work(self, deadline: float) -> bool:
        """Run customers whose time has come, in (due, id) order, until the deadline."""
        until, closing = self._due_work.until, self._due_work.closing
        if until == NO_TICK:
            return self._backfill.going_live and self._backfill.introduce(self._go_live, deadline)
        for count, key in enumerate(self._due.take(until), 1):
            self._run_due(key, until)
            if count % _CHECK_EVERY == 0 and perf_counter() > deadline:
                return True
        self._due_work = DueWork()
        if closing is not None:
            self._outbox.audit({"type": "clock.closed", "instant": closing, "home": self._home})
        return False

    def poll(self, watermark_ms: int | None) -> None:
        """Write a tick into the journal when somebody is due and all input up to then is in it."""
        self._figures.turn()
        if watermark_ms is None or self._tick_under_way or self._due_work.until != NO_TICK or self._backfill.holds_time:
            return
        if self._due.earliest(watermark_ms) is not None:
            tick = ClockTick(instant=format_instant(watermark_ms), home=self._home)
            self._outbox.put(self._stage.sources[0], control_key(tick), encode_journal(tick))
            self._tick_under_way = True

    def drain(self) -> Batch:
        """Encode every touched customer once: state for the changelog, profile for the world."""
        states = self._policies.changed()
        if self._due_work != self._due_work_written:
            states.append(work_record(self._due_work))
            self._due_work_written = self._due_work
        states += self._backfill.changed()
        store, decoded = self._store, self._decoded
        for key, told in self._dirty.items():
            state = decoded[key]
            record = store[key] = encode_state(state)
            states.append((key, record))
            if told:
                self._outbox.profile(key, state, self._regimes[state.ordinal])
        self._figures.drained(decoded[key].clock for key in self._dirty)
        self._dirty = {}
        for key in list(islice(decoded, max(0, len(decoded) - self._stage.decoded_max))):
            del decoded[key]
        return Batch(states, self._outbox.drain())

    def committed(self) -> None:
        """Only the figures wait for a commit: what was drained is in the store already."""
        self._figures.committed()

    @property
    def _home(self) -> tuple[int, int]:
        return self._number, self._stage.partitions

    def _fold_one(self, record: Record, deadline: float) -> bool:
        """Fold one record; False if due work must come first, and the deadline came before its end."""
        key, value = record.key, record.value
        if key is None or value is None:
            raise ValueError("the journal holds a record without key or value: something else writes to it")
        event: JournalRecord = decode_journal(value)
        if isinstance(event, Control):
            if self.work(deadline):
                return False
            self._control(event, record)
            return True
        until = self._due_work.until
        if until != NO_TICK and parse_canonical(event.recordedtime) < until and self.work(deadline):
            return False
        if (event.backfill or self._backfill.going_live) and not self._meet_history(event, key, deadline):
            return False
        state = self._state(key)
        if state is None:
            if not self._regimes:
                raise ValueError("the journal holds events before its first policy: run `tierstream topics apply`")
            state = self._decoded[key] = new_state(self._regimes, parse_canonical(event.recordedtime))
            self._due.add(key, self._due_of(key))  # a policy may wait to take effect
        before, effects = state.due, self._effects
        effects.key = key
        process(state, event, value, self._regimes, effects, dedupe=self._stage.dedupe)
        self._dirty[key] = True
        self._figures.folded(event)
        if type(event) in DECIDED_BY_HAND and effects.taken:
            self._audit(by_hand(event, key, state, self._regimes[state.ordinal]), record)
        if state.due < before:
            self._due.add(key, state.due)
        self._publish(key, record)
        return True

    def _meet_history(self, event: Event, key: bytes, deadline: float) -> bool:
        """An event that is part of a history, or comes while one ends; False if that end must come first."""
        if not event.backfill:
            self._go_live(key)
        elif not self._effects.backfill:
            if self.work(deadline):
                return False
            self._backfill.begin(self._home)
        return True

    def _go_live(self, key: bytes) -> None:
        self._run_due(key, self._backfill.live_at, go_live)

    def _run_due(self, key: bytes, until: int, run: Callable[..., None] = pass_time) -> None:
        """Run a customer up to an instant, if there is such a customer."""
        state = self._state(key)
        if state is None:
            return
        effects, revision = self._effects, state.revision
        effects.key = key
        run(state, self._regimes, until, effects)
        if state.revision != revision:
            self._dirty[key] = True
        self._due.add(key, self._due_of(key))
        self._publish(key, None)

    def _publish(self, key: bytes, record: Record | None) -> None:
        """Hand over what folding left of one customer; `record` is None where time alone is behind it."""
        if not self._effects.empty:
            self._outbox.collect(key, self._effects, record)
            self._figures.published(self._effects.changes)
            self._effects.take_over(key)

    def _control(self, event: ControlRecord, record: Record) -> None:
        if isinstance(event, Passing):
            self._tick_under_way = self._tick_under_way and not isinstance(event, ClockTick)
            if event.home in (None, self._home):
                self._due_work = due_work_of(event)
        elif isinstance(event, Activated):
            self._activate(event, record)
        elif isinstance(event, CountersRestated):
            self._restate(event, record)
        elif isinstance(event, CountersDeclared):
            if declared := self._policies.declare(event):
                self._audit(declaration(event, declared.filters), record)
        elif self._effects.backfill and event.home in (None, self._home):
            new = [key for key in self._decoded if key not in self._store]
            self._backfill.end(event, [*self._store, *new], self._home, record.offset)

    def _restate(self, event: CountersRestated, record: Record) -> None:
        """What was counted anew for a customer is kept, and nobody is told."""
        key = event.customer_id.encode()
        if take_restatement(self._state(key), event, self._regimes, self._effects, self._stage.counts):
            self._dirty.setdefault(key, False)
        self._publish(key, record)

    def _activate(self, event: Activated, record: Record) -> None:
        lacking = self._policies.activate(event)
        if lacking:
            self._stage.counts[(POLICY_REFUSED,)] += 1
        elif len(self._regimes) > 1:
            for key in [*self._store, *self._decoded]:
                self._due.add(key, self._regimes[-1].effective_at)
        self._audit(activation(event, lacking), record)

    def _audit(self, entry: Entry, record: Record) -> None:
        """An entry with the journal record behind it."""
        self._outbox.audit({**entry, "home": self._home, "offset": record.offset})

    def _state(self, key: bytes) -> CustomerState | None:
        """The decoded state, moved to the young end of the cache."""
        decoded = self._decoded
        state = decoded.pop(key, None)
        if state is None:
            if (record := self._store.get(key)) is None:
                return None
            state = decode_state(record)
        decoded[key] = state
        return state

    def _due_of(self, key: bytes) -> int:
        """When time or a new policy next concerns a customer."""
        state = self._decoded.get(key)
        due, ordinal = head(self._store[key]) if state is None else (state.due, state.ordinal)
        return due_under(self._regimes, due, ordinal)
