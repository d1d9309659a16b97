"""Checks a finished demo: all that went in was journalled once, and what was published is what the journal folds to.

Reads with kafka-python and folds anew; it knows nothing of the workers, their positions, batches or ticks.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from agents.demo.reading import Held
from agents.demo.refold import Tick, identity_of, refold
from schemas.events import Event
from schemas.journal import is_control_key

EXAMPLES_MAX = 5


class _EventId(msgspec.Struct):
    """As much of an event as its identity takes."""

    type: str
    id: str = ""
    source: str = ""


class _Published(msgspec.Struct):
    """As much of an output as the comparison takes."""

    id: str
    data: msgspec.Raw


class Verdict(msgspec.Struct):
    """What the check found; exact if all counts but `events` are 0."""

    events: int = 0
    """Journalled."""
    lost: int = 0
    """Events or changes that should be there and are not."""
    doubled: int = 0
    """Events or changes that are there more often than they should be."""
    wrong: int = 0
    """Changes that the fold does not give, or gives with other contents or in another order; likewise events."""
    examples: list[str] = msgspec.field(default_factory=list)
    """The first few of them."""

    @property
    def exact(self) -> bool:
        """Nothing lost, doubled or wrong."""
        return not (self.lost or self.doubled or self.wrong)

    def compare(self, what: str, expected: Sequence[bytes], found: Sequence[bytes]) -> None:
        """Count the differences of two sequences of identities (`id NUL contents`)."""
        if expected == found:
            return
        wanted, held = Counter(expected), Counter(found)
        missing, extra = wanted - held, held - wanted
        known = {identity.partition(b"\0")[0] for identity in wanted}
        stand_ins = Counter(identity.partition(b"\0")[0] for identity in missing.elements())
        for identity in extra.elements():
            name = identity.partition(b"\0")[0]
            if stand_ins[name] > 0:  # there, but with other contents: neither lost nor doubled
                stand_ins[name] -= 1
                self._count("wrong", what, name)
            else:
                self._count("doubled" if name in known else "wrong", what, name)
        for name in stand_ins.elements():
            self._count("lost", what, name)
        if not missing and not extra:
            self._count("wrong", what, b"order")

    def _count(self, kind: str, what: str, name: bytes) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(f"{kind}: {what} {name.decode(errors='replace')}")


def verify(
    sent: Iterable[Event],
    raw: Iterable[Held],
    journal: Sequence[Held],
    published: Mapping[str, Iterable[Held]],
    *,
    tick: Tick | None = None,
) -> Verdict:
    """Compare what the feed sent, the raw topic, the journal and the outputs (by topic)."""
    verdict = Verdict()
    intended = [_identity(event.source, event.id) for event in sent]
    arrived = _events(raw)
    journalled = _events(journal)
    verdict.events = sum(len(ids) for ids in journalled.values())
    verdict.compare("event on the raw topic", sorted(intended), sorted(i for ids in arrived.values() for i in ids))
    for key in arrived.keys() | journalled.keys():
        verdict.compare("event in the journal", arrived.get(key, []), journalled.get(key, []))
    expected = refold(journal, tick=tick)
    for topic, changes in expected.items():
        found = _changes(published[topic])
        for key in found.keys() | changes.keys():
            verdict.compare(f"change on {topic} of {key.decode()}:", changes.get(key, []), found.get(key, []))
    return verdict


def _events(records: Iterable[Held]) -> dict[bytes, list[bytes]]:
    """Identities of the events by key, in topic order; control records left out."""
    decode = msgspec.json.Decoder(_EventId).decode
    events: dict[bytes, list[bytes]] = defaultdict(list)
    for held in records:
        if not is_control_key(held.key):
            event = decode(held.value or b"")
            events[held.key or b""].append(_identity(event.source, event.id))
    return events


def _changes(records: Iterable[Held]) -> dict[bytes, list[bytes]]:
    decode = msgspec.json.Decoder(_Published).decode
    changes: dict[bytes, list[bytes]] = defaultdict(list)
    for held in records:
        output = decode(held.value or b"")
        changes[held.key or b""].append(identity_of(output.id, bytes(output.data)))
    return changes


def _identity(source: str, event_id: str) -> bytes:
    """An event's identity; with nothing behind it that a comparison of contents could differ in."""
    return f"{source}#{event_id}".encode()
