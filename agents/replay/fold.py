"""Folds the customers of one journal partition without a broker, a commit or a due index: the meaning alone.

Time is lazy here. A tick says that everybody's time has passed up to its instant; by the law of time a customer's time
may pass as well just before the customer's next record, or at the end, with the same changes at the same instants. So a
tick costs nothing, and no customer depends on another: any share of a partition's customers folds to the same.
What cannot wait is done for everybody at once: an activation, a go-live, the begin of a history.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from agents.errors import ConfigurationError
from agents.partition_records import NO_TICK, HistoryRecord, history_record, take_history
from agents.policy_log import PolicyLog
from agents.replay.entry import Entry, Told
from agents.runtime.stage import StateRecord
from schemas.clock import format_instant, parse_canonical, parse_instant
from schemas.events import InputEvent
from schemas.journal import (
    Activated,
    ClockTick,
    Control,
    ControlRecord,
    CountersDeclared,
    CountersRestated,
    GoLive,
    JournalRecord,
    ModelActivated,
    PolicyActivated,
    decode_journal,
    is_control_key,
)
from schemas.rejections import Rejected
from streams.backfill import go_live
from streams.customer.record import decode_state, encode_state, head
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.policy.canonical import canonical
from streams.policy.model import Declaration, Policy
from streams.process import new_state, pass_time, process
from streams.recount import restate

DECODED_MAX: Final = 100_000
FOR_EVER: Final = 2**62
"""An `until` that leaves nothing out."""


class JournalFold:
    """One partition's customers, or any share of them. Records must come in the partition's order."""

    def __init__(
        self,
        home: tuple[int, int] | None,
        told: Told,
        *,
        dedupe: bool = True,
        policy: Policy | None = None,
        until: int = FOR_EVER,
        decoded_max: int = DECODED_MAX,
        effects: Effects | None = None,
        policies: PolicyLog | None = None,
    ) -> None:
        """Make an empty one. Ticks and go-lives of another `home` are left out; with None, there are none.

        `policy` decides instead of all that were activated, with the models that were. What is stamped after `until` is
        left out. `effects` collects what is published, where somebody wants to look at the moment of publishing.
        `policies` keeps the activations, where more is to be counted or others are to decide than they say.
        """
        self._home, self._told, self._dedupe, self._until = home, told, dedupe, until
        self._decoded_max, self._forced = decoded_max, policy
        self._policies = PolicyLog() if policies is None else policies
        if policy is not None:
            self._policies.begin_with(canonical(policy), 0)
        self.regimes = self._policies.regimes
        """The policies that decide, in the order of their activation."""
        self._store: dict[bytes, bytes] = {}
        self._decoded: dict[bytes, CustomerState] = {}
        self.effects = Effects() if effects is None else effects
        self._tick = NO_TICK
        self._after_tick: set[bytes] = set()
        """Customers whose record came after the tick: it did not concern them as they are now."""
        self._latest = self._tick_text = ""
        self.passed = NO_TICK
        """Up to which instant everybody's time has passed."""
        self._until_text = "~" if until == FOR_EVER else format_instant(until)
        self.events = 0
        self.left_out = False
        """Whether anything stamped after `until` was left out: what is folded is then no prefix of the journal."""
        self.over = False
        """Whether no record to come can be stamped up to `until`: a tick has passed it, and none overtakes input."""

    def __len__(self) -> int:
        return len(self._store) + sum(key not in self._store for key in self._decoded)

    @property
    def latest(self) -> int:
        """The latest instant that was folded, of a record or a tick; -1 before the first."""
        return parse_canonical(self._latest) if self._latest else NO_TICK

    def restore(self, records: Iterable[StateRecord], latest: int = NO_TICK) -> None:
        """Begin where `states` and `latest` were asked."""
        self._latest = "" if latest == NO_TICK else format_instant(latest)
        self._store = {key: value for key, value in records if value is not None}
        self._policies.restore(self._store)
        self.effects.backfill = take_history(self._store).loading
        for key in [key for key in self._store if is_control_key(key)]:
            del self._store[key]

    def state_now(self, key: bytes) -> CustomerState | None:
        """A customer's state as it is right now, also while it is being folded; None when nothing is known of them."""
        record = self._store.get(key)
        return self._decoded.get(key) or (None if record is None else decode_state(record))

    @property
    def declaration(self) -> Declaration | None:
        """The counters that were declared for a policy to come."""
        return self._policies.declaration

    def take(self, entry: Entry) -> None:
        """Fold a record."""
        key, value = entry.key, entry.value
        event: JournalRecord = decode_journal(value)
        if isinstance(event, Control):
            self._control(event, entry)
        else:
            self.fold(key, event, entry)

    def fold(self, key: bytes, event: InputEvent, entry: Entry) -> CustomerState | None:
        """Fold one customer's event; the state as it is then, None when the event is left out."""
        recorded = event.recordedtime  # its text sorts as time does: nothing is parsed here
        if recorded > self._until_text:
            self.left_out = True
            return None
        effects = self.effects
        if event.backfill and not effects.backfill:
            self.begin_history()
        state = self._decoded.get(key) or self._state_of(key, recorded)
        effects.key = key
        if self._tick != NO_TICK:
            if recorded < self._tick_text and key not in self._after_tick:
                pass_time(state, self.regimes, self._tick, effects)
                self._tell(None)
            self._after_tick.add(key)
        self._latest = max(self._latest, recorded)
        process(state, event, entry.value, self.regimes, effects, dedupe=self._dedupe)
        self.events += 1
        if not effects.empty:
            self._tell(entry)
        return state

    def begin_history(self) -> None:
        """From here on, until the go-live, the partition loads a history: its first event has come, whosever it was."""
        self.settle()
        self.effects.backfill = True

    def pass_time(self, instant: int) -> None:
        """Say that time has passed up to an instant, as a tick does."""
        instant = min(instant, self._until)
        if instant < self._tick:
            self.settle()
        self._tick, self._tick_text = instant, format_instant(instant)
        self._after_tick.clear()
        self._latest = max(self._latest, self._tick_text)

    def close(self) -> None:
        """End: let everybody's time pass up to the last tick, and up to `until` if one was given."""
        if self._until != FOR_EVER:
            self.pass_time(self._until)
        self.settle()

    def settle(self) -> None:
        """Let everybody's time pass up to the last tick."""
        until, self._tick = self._tick, NO_TICK
        if until == NO_TICK:
            return
        self.passed = max(self.passed, until)
        passed_by, self._after_tick = self._after_tick, set()
        behind = len(self.regimes) - 1
        for key in [key for key in self._keys() if key not in passed_by]:
            state = self._decoded.get(key)
            due, ordinal = head(self._store[key]) if state is None else (state.due, state.ordinal)
            if due <= until or ordinal < behind:
                self._run(key, lambda state: pass_time(state, self.regimes, until, self.effects))

    def customers(self) -> Iterator[tuple[bytes, CustomerState]]:
        """Everybody, in no order; settle first."""
        for key in self._keys():
            state = self._decoded.get(key)
            yield key, decode_state(self._store[key]) if state is None else state

    def encoded(self) -> Mapping[bytes, bytes]:
        """Everybody's state as the changelog has it; settle first."""
        for key, state in self._decoded.items():
            self._store[key] = encode_state(state)
        return self._store

    def states(self) -> Iterator[StateRecord]:
        """All that `restore` needs. Time passes for everybody first, as it would have anyway."""
        self.settle()
        yield from self._policies.records()
        yield history_record(HistoryRecord(loading=self.effects.backfill))
        yield from self.encoded().items()

    def _keys(self) -> list[bytes]:
        return [*self._store, *(key for key in self._decoded if key not in self._store)]

    def _state_of(self, key: bytes, recorded: str) -> CustomerState:
        """A state that is not decoded, or a new customer's."""
        record = self._store.get(key)
        if record is not None:
            state = decode_state(record)
        else:
            if not self.regimes:
                raise ConfigurationError(
                    "The journal holds events before its first policy.",
                    next_step="give one: `--policy FILE` of replay, `--against FILE` of policy backtest",
                )
            state = new_state(self.regimes, parse_canonical(recorded))
            self._after_tick.add(key)  # the tick found nobody here
        decoded = self._decoded
        if len(decoded) >= self._decoded_max:
            for old in list(decoded)[: self._decoded_max // 2 + 1]:
                self._store[old] = encode_state(decoded.pop(old))
        decoded[key] = state
        return state

    def _run(self, key: bytes, run: Callable[[CustomerState], None]) -> None:
        state = self._decoded.get(key) or self._state_of(key, "")
        self.effects.key = key
        run(state)
        self._tell(None)

    def _tell(self, entry: Entry | None) -> None:
        if not self.effects.empty:
            self._told(self.effects, entry)
            self.effects.take_over(self.effects.key)

    def _restate(self, event: CountersRestated, entry: Entry) -> None:
        """Take what was counted anew for a customer."""
        key, effects = entry.key, self.effects
        if self._forced is not None or (key not in self._decoded and key not in self._store):
            return
        state = self._decoded.get(key) or self._state_of(key, "")
        effects.key = key
        if self._tick != NO_TICK and key not in self._after_tick:
            pass_time(state, self.regimes, self._tick, effects)
            self._tell(None)
        became = restate(state, event, self.regimes[state.ordinal])
        if isinstance(became, Rejected):
            effects.refuse(became, entry.value)
            self._tell(entry)

    def _activate(self, event: Activated) -> None:
        # Who was counted anew may not be without the records that are left out.
        too_early = isinstance(event, PolicyActivated) and event.everybody_counted and self.left_out
        if too_early or parse_instant(event.effective_at) > self._until:
            self.left_out = True
        elif self._forced is None or isinstance(event, ModelActivated):
            self.settle()
            self._policies.activate(event)

    def _control(self, event: ControlRecord, entry: Entry) -> None:
        if isinstance(event, Activated):
            self._activate(event)
        elif isinstance(event, CountersDeclared):
            if self._forced is None:
                self.settle()
                self._policies.declare(event)
        elif isinstance(event, CountersRestated):
            self._restate(event, entry)
        elif self._home is None or event.home in (None, self._home):
            instant = parse_canonical(event.instant)
            self.left_out = self.left_out or instant > self._until
            if isinstance(event, GoLive):
                self._go_live(instant)
            else:
                self.pass_time(instant)
                self.over = self.over or (isinstance(event, ClockTick) and instant > self._until)

    def _go_live(self, instant: int) -> None:
        if self.effects.backfill and instant <= self._until:
            self.settle()
            self._latest = max(self._latest, format_instant(instant))
            for key in self._keys():
                self._run(key, lambda state: go_live(state, self.regimes, instant, self.effects))
            self.effects.backfill = False
