"""The reference: the journal folded anew, one partition after the other, by the fold of replay.

That uses the meaning (`streams`) and the contract (`schemas`), and nothing of how the pipeline reads, batches, indexes
or restores: no due index, no slices, no commits; states are never encoded in between. A law (tests/properties) holds it
to the customers stage for any journal, so that a finding here is the runtime's.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from agents.replay import entry as replayed
from agents.replay import fold as replay
from streams.effects import Effects
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
            "notices": defaultdict(list),
        }
        self.profiles: dict[bytes, bytes] = {}
        self.refusals: dict[bytes, list[Refusal]] = defaultdict(list)

    def take(self, effects: Effects, _entry: replayed.Entry | None) -> None:
        """What a record or the passing of time led to."""
        for topic, decision, change_id in effects.changes:
            self.changes[topic][effects.key].append(Change(change_id, _encode(decision)))
        for rejected, value, _ in effects.refused:
            self.refusals[effects.key].append(Refusal(rejected.reason.value, value))


def fold(journal: Iterable[Entry], partitions: int, *, dedupe: bool = True) -> Expected:
    """Fold a whole journal, given in (partition, offset) order."""
    expected = Expected()
    folds = [replay.JournalFold((number, partitions), expected.take, dedupe=dedupe) for number in range(partitions)]
    for entry in journal:
        assert entry.key is not None
        assert entry.value is not None
        folds[entry.partition].take(replayed.Entry(entry.key, entry.value, entry.partition, entry.offset))
    for one in folds:
        one.close()
        expected.states |= one.encoded()
        for key, state in one.customers():
            expected.profiles[key] = _encode(profile(state, one.regimes[state.ordinal], key.decode()))
    return expected
