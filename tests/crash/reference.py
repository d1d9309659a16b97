"""The reference: the journal folded anew, one partition after the other, by the pure core alone.

Uses the meaning (`streams`) and the contract (`schemas`), and nothing of how the pipeline reads, batches, indexes or
restores: every tick looks at every customer, states are never encoded in between, nothing is ever cut into slices.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from schemas.clock import parse_instant
from schemas.journal import ControlRecord, GoLive, ModelActivated, PolicyActivated, decode_journal
from streams.backfill import go_live
from streams.customer.record import encode_state
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.process import new_state, pass_time, process
from streams.regime import Regime
from streams.regimes import with_model, with_policy
from streams.standing.profile import profile
from tests.crash.evidence import Entry

_encode = msgspec.json.Encoder().encode


class Change(NamedTuple):
    """One decision that must have been published: its id and its data, byte for byte."""

    id: str
    data: bytes


class Refusal(NamedTuple):
    """One journal record that must be in the dead letters."""

    reason: str
    value: bytes


class Expected:
    """What the journal folds to."""

    def __init__(self) -> None:
        self.states: dict[bytes, bytes] = {}
        self.changes: dict[str, dict[bytes, list[Change]]] = {
            "tier-changes": defaultdict(list),
            "churn-risk": defaultdict(list),
        }
        self.profiles: dict[bytes, bytes] = {}
        self.refusals: dict[bytes, list[Refusal]] = defaultdict(list)


def fold(journal: Iterable[Entry], partitions: int, *, dedupe: bool = True) -> Expected:
    """Fold a whole journal, given in (partition, offset) order."""
    expected = Expected()
    folds = [PartitionFold(number, partitions, expected, dedupe=dedupe) for number in range(partitions)]
    for entry in journal:
        folds[entry.partition].take(entry)
    for one in folds:
        one.finish()
    return expected


class PartitionFold:
    """The customers of one partition."""

    def __init__(self, number: int, partitions: int, expected: Expected, *, dedupe: bool) -> None:
        self._home = (number, partitions)
        self._expected = expected
        self._dedupe = dedupe
        self._states: dict[bytes, CustomerState] = {}
        self._regimes: list[Regime] = []
        self._loading = False

    def take(self, entry: Entry) -> None:
        """Fold one journal record."""
        assert entry.key is not None
        assert entry.value is not None
        event = decode_journal(entry.value)
        if isinstance(event, ControlRecord):
            self._control(event)
            return
        state = self._states.get(entry.key)
        if state is None:
            state = self._states[entry.key] = new_state(self._regimes, parse_instant(event.recordedtime))
        self._loading = self._loading or event.backfill
        effects = self._effects(entry.key)
        process(state, event, entry.value, self._regimes, effects, dedupe=self._dedupe)
        self._keep(entry.key, state, effects)

    def finish(self) -> None:
        """Hand over the final states."""
        for key, state in self._states.items():
            self._expected.states[key] = encode_state(state)
            regime = self._regimes[state.ordinal]
            self._expected.profiles[key] = _encode(profile(state, regime, key.decode()))

    def _control(self, event: ControlRecord) -> None:
        if isinstance(event, PolicyActivated):
            self._regimes.append(with_policy(self._regimes, event.text, parse_instant(event.effective_at)))
        elif isinstance(event, ModelActivated):
            self._regimes.append(with_model(self._regimes, event.text, parse_instant(event.effective_at)))
        elif event.home not in (None, self._home):
            return
        elif isinstance(event, GoLive):
            self._go_live(parse_instant(event.instant))
        else:
            self._pass_time(parse_instant(event.instant))

    def _pass_time(self, until: int) -> None:
        for key, state in self._states.items():
            following = state.ordinal + 1
            behind = following < len(self._regimes) and self._regimes[following].effective_at <= until
            if state.due <= until or behind:
                effects = self._effects(key)
                pass_time(state, self._regimes, until, effects)
                self._keep(key, state, effects)

    def _go_live(self, instant: int) -> None:
        if self._loading:
            self._loading = False
            for key, state in self._states.items():
                effects = Effects(key)
                go_live(state, self._regimes, instant, effects)
                self._keep(key, state, effects)

    def _effects(self, key: bytes) -> Effects:
        effects = Effects(key)
        effects.backfill = self._loading
        return effects

    def _keep(self, key: bytes, state: CustomerState, effects: Effects) -> None:
        for topic, decision, change_id in effects.changes:
            self._expected.changes[topic][key].append(Change(change_id, _encode(decision)))
        for rejected, value, _ in effects.refused:
            self._expected.refusals[key].append(Refusal(rejected.reason.value, value))
