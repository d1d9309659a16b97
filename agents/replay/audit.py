"""Judges a partition: what was published, and the state that is kept, against what its journal folds to.

Compares every value and header byte by byte, in the order of each customer. Knows nothing of Kafka: what it is given
are plain records. Of two folds the second keeps the outputs of the customers in question, to show what was expected.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple

import msgspec

from agents.outputs import Outbox
from agents.replay.entry import Entry
from agents.replay.event_files import CHANGES, DEAD_LETTERS, JOURNAL, PROFILES, Headers
from agents.replay.fold import JournalFold
from agents.runtime.stage import Record
from schemas.rejections import HEADER_PREFIX
from streams.customer.record import UnknownStateError, decode_state
from streams.effects import Effects

STATE: Final = "state"
"""In place of a topic: the changelog."""
JUDGED: Final = (*CHANGES, DEAD_LETTERS)
"""Topics of which every record is judged; of profiles the last one of each customer is."""
Kind = Literal["missing", "doubled", "different", "unexpected", "out of order"]

SHOWN_MAX: Final = 80
"""Characters of a value in a report."""
_DIGEST_BYTES: Final = 16
_VERSION_HEADER: Final = HEADER_PREFIX + "app-version"
_HIDDEN: Final = {"customer_id", "subject", "partitionkey"}


class Output(NamedTuple):
    """A record of an output topic, or of the changelog with the topic STATE."""

    topic: str
    offset: int
    key: bytes
    digest: bytes
    """Of its value and headers: of millions of records only what differs is looked at again."""


class Difference(NamedTuple):
    """Something that is not as it should be."""

    kind: Kind
    topic: str
    offset: int
    """-1: it is not there."""
    customer: bytes
    digest: bytes
    """Of what was expected; empty when nothing was."""


class Seen(NamedTuple):
    """What the topics hold, up to a position of the journal or a little beyond."""

    states: Mapping[bytes, Output]
    profiles: Mapping[bytes, Output]
    records: Mapping[str, list[Output]]
    """Of JUDGED, in the order of their offsets."""
    cut: Collection[str]
    """Topics whose first records are gone (retention): a customer's first ones may be missing."""
    moved: bool
    """Whether the partition went on meanwhile: then there may be newer records."""


class Expected:
    """What a partition's journal folds to, as digests; the values themselves of the customers in `keep`."""

    def __init__(
        self,
        topics: Mapping[str, str],
        home: tuple[int, int],
        *,
        dedupe: bool,
        keep: Collection[bytes] = (),
    ) -> None:
        self._topics, self._partition, self._keep = dict(topics), home[0], keep
        self._names = {full: name for name, full in topics.items()}
        self._outbox = Outbox(self._topics, home[0], Counter())
        self.fold = JournalFold(home, self._tell, dedupe=dedupe)
        self.outputs: dict[str, dict[bytes, list[bytes]]] = {topic: defaultdict(list) for topic in (*JUDGED, PROFILES)}
        self.states: Mapping[bytes, bytes] = {}
        self.values: dict[bytes, bytes] = {}
        """What a digest stands for, of the customers kept."""

    def close(self) -> None:
        """After the last record."""
        self.fold.close()
        for key, state in self.fold.customers():
            self._outbox.profile(key, state, self.fold.regimes[state.ordinal])
            self._take_out()
        self.states = self.fold.encoded()
        for key in self._keep:
            if key in self.states:
                self.values[digest_of(self.states[key])] = self.states[key]

    def _tell(self, effects: Effects, entry: Entry | None) -> None:
        record = None
        if entry is not None:
            record = Record(
                self._topics[JOURNAL], self._partition, entry.offset, entry.timestamp, 1, entry.key, entry.value, ()
            )
        self._outbox.collect(effects.key, effects, record)
        self._take_out()

    def _take_out(self) -> None:
        for (topic, _), records in self._outbox.drain().items():
            for key, value, headers in records:
                digest = digest_of(value or b"", headers)
                self.outputs[self._names[topic]][key or b""].append(digest)
                if key in self._keep:
                    self.values[digest] = value or b""


def digest_of(value: bytes, headers: Headers = ()) -> bytes:
    """What makes two records the same: value and headers, without the application's version."""
    told = [(name, content) for name, content in headers if name != _VERSION_HEADER]
    return blake2b(msgspec.msgpack.encode((value, told)), digest_size=_DIGEST_BYTES).digest()


def differences(expected: Expected, seen: Seen) -> Iterator[Difference]:
    """States first, then profiles, then each topic in the order of its offsets; what is missing after what is there."""
    yield from _states(expected.states, seen)
    yield from _profiles(expected.outputs[PROFILES], seen)
    for topic in JUDGED:
        yield from _records(topic, expected.outputs[topic], seen)


def _states(expected: Mapping[bytes, bytes], seen: Seen) -> Iterator[Difference]:
    for key, output in seen.states.items():
        wanted = expected.get(key)
        if wanted is None:
            yield Difference("unexpected", STATE, output.offset, key, b"")
        elif digest_of(wanted) != output.digest:
            yield Difference("different", STATE, output.offset, key, digest_of(wanted))
    for key in expected.keys() - seen.states.keys():
        yield Difference("missing", STATE, -1, key, digest_of(expected[key]))


def _profiles(expected: Mapping[bytes, list[bytes]], seen: Seen) -> Iterator[Difference]:
    if seen.moved:  # the last of each is all that is kept, and may be newer
        return
    for key, output in seen.profiles.items():
        wanted = expected.get(key)
        if not wanted:
            yield Difference("unexpected", PROFILES, output.offset, key, b"")
        elif wanted[-1] != output.digest:
            yield Difference("different", PROFILES, output.offset, key, wanted[-1])
    for key in expected.keys() - seen.profiles.keys():
        yield Difference("missing", PROFILES, -1, key, expected[key][-1])


def _records(topic: str, expected: Mapping[bytes, list[bytes]], seen: Seen) -> Iterator[Difference]:
    found: dict[bytes, list[Output]] = defaultdict(list)
    for output in seen.records[topic]:
        found[output.key].append(output)
    for key, outputs in found.items():
        wanted = expected.get(key, [])
        digests = [output.digest for output in outputs]
        if topic in seen.cut and digests:  # begins where the first that is left is expected
            begins = wanted.index(digests[0]) if digests[0] in wanted else max(0, len(wanted) - len(digests))
            wanted = wanted[begins:]
        if digests != wanted:
            yield from _one(topic, key, wanted, outputs, newer=seen.moved)
    if topic not in seen.cut:
        for key in expected.keys() - found.keys():
            yield Difference("missing", topic, -1, key, expected[key][0])


def _one(topic: str, key: bytes, wanted: list[bytes], found: list[Output], *, newer: bool) -> Iterator[Difference]:
    """The differences of one customer on one topic."""
    missing = Counter(wanted) - Counter(output.digest for output in found)
    stand_ins = [digest for digest in wanted if missing[digest]]
    known, met = set(wanted), Counter[bytes]()
    for place, output in enumerate(found):
        digest = output.digest
        met[digest] += 1
        if digest in known and met[digest] == 1:
            continue
        if digest in known:
            yield Difference("doubled", topic, output.offset, key, digest)
        elif stand_ins:  # something else stands where one is missing
            digest_missing = stand_ins.pop(0)
            missing[digest_missing] -= 1
            yield Difference("different", topic, output.offset, key, digest_missing)
        elif not (newer and place >= len(wanted)):
            yield Difference("unexpected", topic, output.offset, key, b"")
    for digest in missing.elements():
        yield Difference("missing", topic, -1, key, digest)
    in_order = [output.digest for output in found if output.digest in known]
    if sorted(in_order) == sorted(wanted) and in_order != wanted:
        yield Difference("out of order", topic, found[0].offset, key, wanted[0])


def parting(topic: str, expected: bytes, found: bytes) -> tuple[str, str, str]:
    """Where two values part: the field's path, and what it should be and is; ids of customers are left out."""
    wanted, got = _plain(topic, expected), _plain(topic, found)
    if wanted is None or got is None:
        return "", "another value" if expected else "", "unreadable" if found and got is None else ""
    return next(_walk("", wanted, got), ("headers", "others", "these"))


def _plain(topic: str, value: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.to_builtins(decode_state(value)) if topic == STATE else msgspec.json.decode(value)
    except (msgspec.DecodeError, UnknownStateError, IndexError):
        return None


def _walk(path: str, wanted: Any, got: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(wanted, dict) and isinstance(got, dict):
        pairs: Iterable[tuple[str, Any, Any]] = ((k, wanted.get(k), got.get(k)) for k in {**wanted, **got})
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = ((str(n), a, b) for n, (a, b) in enumerate(zip(wanted, got, strict=True)))
    else:
        if wanted != got:
            hidden = path.rpartition(".")[2] in _HIDDEN
            yield path, *(("(an id)",) * 2 if hidden else (_short(wanted), _short(got)))
        return
    for name, a, b in pairs:
        yield from _walk(f"{path}.{name}" if path else name, a, b)


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"
