"""How far the numbers of a partition's customers have been published: no number is ever given twice.

A later version of the application may come to fewer changes from the same journal. Consumers and the Redis projection
take a smaller `revision` for old news, so whoever makes states anew goes on from the larger number.
"""

from typing import Final

import msgspec
from kafka import TopicPartition

from agents.kafka_clients import consumer
from agents.lookup import BULK, whole
from agents.settings import Settings
from streams.customer.state import CustomerState
from streams.standing.announce_band import RISK_SEQUENCE
from streams.standing.announce_tier import NOTICE_SEQUENCE, TIER_SEQUENCE

SEQUENCES: Final = {"tier-changes": TIER_SEQUENCE, "churn-risk": RISK_SEQUENCE, "notices": NOTICE_SEQUENCE}
PROFILES: Final = "customer-profiles"


class _Numbers(msgspec.Struct, gc=False):
    revision: int = 0
    sequence: int = 0


class _Output(msgspec.Struct, gc=False):
    data: _Numbers = msgspec.field(default_factory=_Numbers)


_decode: Final = msgspec.json.Decoder(_Output).decode


class Published:
    """The largest numbers by customer. Topics whose first records are gone still hold the newest."""

    def __init__(self) -> None:
        self._revisions: dict[bytes, int] = {}
        self._sequences: dict[bytes, list[int]] = {}

    def add(self, topic: str, key: bytes, value: bytes) -> None:
        """Take note of an output; `topic` by its catalogue name."""
        numbers = _decode(value).data
        self._revisions[key] = max(numbers.revision, self._revisions.get(key, 0))
        place = SEQUENCES.get(topic)
        if place is not None:
            sequences = self._sequences.setdefault(key, [0] * len(SEQUENCES))
            sequences[place] = max(sequences[place], numbers.sequence)

    def raise_numbers(self, key: bytes, state: CustomerState) -> bool:
        """Let a state go on from what was published; whether that was ahead of it."""
        revision = max(state.revision, self._revisions.get(key, 0))
        sequences = list(map(max, state.sequences, self._sequences.get(key, state.sequences)))
        if revision == state.revision and sequences == state.sequences:
            return False
        state.revision, state.sequences = revision, sequences
        return True


def published_by(settings: Settings, partition: int) -> Published:
    """Read a partition of every topic that carries the numbers."""
    found = Published()
    with consumer(settings, **BULK) as reader:
        for topic in (*SEQUENCES, PROFILES):
            for record in whole(reader, TopicPartition(settings.topic(topic), partition)):
                if record.key and record.value:
                    found.add(topic, record.key, record.value)
    return found
