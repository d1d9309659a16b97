"""Folds a whole journal anew to what must have been published: without the workers' ticks and commits."""

from collections import defaultdict
from hashlib import blake2b

import msgspec

from agents.demo.reading import Held
from agents.replay.entry import Entry
from agents.replay.event_files import CHANGES, PROFILES
from agents.replay.fold import JournalFold
from streams.effects import Effects
from streams.standing.profile import profile, profile_id

_encode = msgspec.json.Encoder().encode


class Refold:
    """Takes the journal record by record, and gives what must have been published."""

    def __init__(self) -> None:
        self._outputs: dict[str, dict[bytes, list[bytes]]] = {
            topic: defaultdict(list) for topic in (*CHANGES, PROFILES)
        }
        self._partitions: dict[int, JournalFold] = {}

    def take(self, record: Held) -> None:
        """Fold a record; those of one partition must come in their order."""
        fold = self._partitions.get(record.partition)
        if fold is None:
            fold = self._partitions[record.partition] = JournalFold(None, self._collect)
        fold.take(Entry(record.key or b"", record.value or b""))

    def published(self) -> dict[str, dict[bytes, list[bytes]]]:
        """After the last record: topic and customer to the identities of the changes, in order, and of the profile."""
        for fold in self._partitions.values():
            fold.close()
            for key, state in fold.customers():
                standing = profile(state, fold.regimes[state.ordinal], key.decode())
                self._outputs[PROFILES][key] = [identity_of(profile_id(standing), _encode(standing))]
        return self._outputs

    def _collect(self, effects: Effects, _entry: Entry | None) -> None:
        for topic, decision, change_id in effects.changes:
            self._outputs[topic][effects.key].append(identity_of(change_id, _encode(decision)))


def identity_of(change_id: str, data: bytes) -> bytes:
    """What makes two published records the same: id and contents, these as a digest."""
    return change_id.encode() + b"\0" + blake2b(data, digest_size=16).digest()
