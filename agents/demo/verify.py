"""Checks a finished demo: all that went in was journalled once, and what was published is what the journal folds to.

Reads with kafka-python and folds anew; it knows nothing of the workers, their positions, batches or ticks.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from agents.demo.reading import Held
from agents.demo.refold import Refold, identity_of
from agents.replay.event_files import PROFILES
from schemas.events import Event
from schemas.journal import is_control_key

EXAMPLES_MAX = 5


class _EventId(msgspec.Struct):
    """As much of an event as its identity takes."""

    type: str
    id: str = ""
    source: str = ""


_decode_id = msgspec.json.Decoder(_EventId).decode


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
        """Count the differences of two sequences of identities (id, NUL, digest of the contents)."""
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

    def add(self, other: "Verdict") -> None:
        """Take over what was found in other partitions."""
        self.events += other.events
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong
        self.examples = [*self.examples, *other.examples][:EXAMPLES_MAX]

    def _count(self, kind: str, what: str, name: bytes) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(f"{kind}: {what} {name.decode(errors='replace')}")


def verify(raw: Iterable[Held], journal: Iterable[Held], published: Mapping[str, Iterable[Held]]) -> Verdict:
    """Compare the raw topic, the journal and the outputs (by topic); any set of whole partitions may be given."""
    verdict, refold = Verdict(), Refold()
    arrived, journalled = events_of(raw), events_of(_passing(journal, refold.take))
    verdict.events = sum(len(ids) for ids in journalled.values())
    for key in arrived.keys() | journalled.keys():
        verdict.compare("event in the journal", arrived.get(key, []), journalled.get(key, []))
    for topic, changes in refold.published().items():
        found = _changes(published[topic], last_only=topic == PROFILES)
        for key in found.keys() | changes.keys():
            verdict.compare(f"record on {topic} of {key.decode()}:", changes.get(key, []), found.get(key, []))
    return verdict


def _passing(records: Iterable[Held], take: Callable[[Held], None]) -> Iterator[Held]:
    for record in records:
        take(record)
        yield record


def verify_arrival(verdict: Verdict, sent: Iterable[Event], arrived: Iterable[bytes]) -> None:
    """Compare what the feed sent with what is on the raw topic, given as identities."""
    intended = [identity_of_event(event.source, event.id) for event in sent]
    verdict.compare("event on the raw topic", sorted(intended), sorted(arrived))


def event_identity(value: bytes) -> bytes:
    """The identity of an event's JSON, as raw topic and journal have it."""
    event = _decode_id(value)
    return identity_of_event(event.source, event.id)


def events_of(records: Iterable[Held]) -> dict[bytes, list[bytes]]:
    """Identities of the events by key, in topic order; control records left out."""
    events: dict[bytes, list[bytes]] = defaultdict(list)
    for held in records:
        if not is_control_key(held.key):
            events[held.key or b""].append(event_identity(held.value or b""))
    return events


def _changes(records: Iterable[Held], *, last_only: bool) -> dict[bytes, list[bytes]]:
    """Identities by key. How often a profile is written depends on the commits; the last one does not."""
    decode = msgspec.json.Decoder(_Published).decode
    changes: dict[bytes, list[bytes]] = defaultdict(list)
    for held in records:
        output = decode(held.value or b"")
        identities = changes[held.key or b""]
        if last_only:
            identities.clear()
        identities.append(identity_of(output.id, bytes(output.data)))
    return changes


def identity_of_event(source: str, event_id: str) -> bytes:
    """An event's identity; with nothing behind it that a comparison of contents could differ in."""
    return f"{source}#{event_id}".encode()
