"""Folds a whole journal anew, customer by customer, to what must have been published.

Ticks are left aside: time passes here only before a customer's own records and at the end, which by the law of time
leads to the same changes at the same instants.
"""

from collections import defaultdict
from hashlib import blake2b

import msgspec

from agents.demo.files import PROFILES
from agents.demo.reading import Held
from schemas.clock import parse_instant
from schemas.events import InputEvent
from schemas.journal import (
    ClockAdvanced,
    ClockClosed,
    ClockTick,
    GoLive,
    ModelActivated,
    PolicyActivated,
    decode_journal,
)
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.process import new_state, pass_time, process
from streams.regime import Regime
from streams.regimes import with_model, with_policy
from streams.standing.profile import profile, profile_id

CHANGES = ("tier-changes", "churn-risk", "notices")

States = dict[bytes, CustomerState]

_encode = msgspec.json.Encoder().encode


class Refold:
    """Takes the journal record by record, and gives what must have been published."""

    def __init__(self) -> None:
        self._partitions: dict[int, _Partition] = defaultdict(_Partition)

    def take(self, record: Held) -> None:
        """Fold a record; those of one partition must come in their order."""
        self._partitions[record.partition].take(record.key or b"", record.value or b"")

    def published(self) -> dict[str, dict[bytes, list[bytes]]]:
        """After the last record: topic and customer to the identities of the changes, in order, and of the profile."""
        outputs: dict[str, dict[bytes, list[bytes]]] = {topic: {} for topic in (*CHANGES, PROFILES)}
        for partition in self._partitions.values():
            partition.close()
            for topic, changes in partition.outputs.items():
                outputs[topic] |= changes
        return outputs


def identity_of(change_id: str, data: bytes) -> bytes:
    """What makes two published records the same: id and contents, these as a digest."""
    return change_id.encode() + b"\0" + blake2b(data, digest_size=16).digest()


class _Partition:
    """The customers of one journal partition."""

    def __init__(self) -> None:
        self.outputs: dict[str, dict[bytes, list[bytes]]] = {topic: defaultdict(list) for topic in (*CHANGES, PROFILES)}
        self._states: States = {}
        self._regimes: list[Regime] = []
        self._closed_at: int | None = None
        self._effects = Effects()

    def take(self, key: bytes, value: bytes) -> None:
        """Fold one record."""
        match decode_journal(value):
            case PolicyActivated() as activated:
                effective_at = parse_instant(activated.effective_at)
                self._regimes.append(with_policy(self._regimes, activated.text, effective_at))
            case ModelActivated() as activated:
                effective_at = parse_instant(activated.effective_at)
                self._regimes.append(with_model(self._regimes, activated.text, effective_at))
            case ClockClosed() as closed:
                self._closed_at = parse_instant(closed.instant)
            case ClockTick() | ClockAdvanced() | GoLive():
                pass
            case event:
                self._fold(key, event, value)

    def _fold(self, key: bytes, event: InputEvent, value: bytes) -> None:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = new_state(self._regimes, parse_instant(event.recordedtime))
        self._effects.take_over(key)
        process(state, event, value, self._regimes, self._effects)
        self._collect(key)

    def close(self) -> None:
        """Let time pass for everybody up to the instant at which the feed closed its clock."""
        if self._closed_at is None:
            return
        for key, state in self._states.items():
            self._effects.take_over(key)
            pass_time(state, self._regimes, self._closed_at, self._effects)
            self._collect(key)
            standing = profile(state, self._regimes[state.ordinal], key.decode())
            self.outputs[PROFILES][key].append(identity_of(profile_id(standing), _encode(standing)))

    def _collect(self, key: bytes) -> None:
        for topic, decision, change_id in self._effects.changes:
            self.outputs[topic][key].append(identity_of(change_id, _encode(decision)))
