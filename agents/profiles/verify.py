"""Compares Redis with the compacted topic, customer by customer and index by index.

Both move while we look: what differs is looked at again, after reading the topic on, before it is reported. Takes about
400 bytes of memory per customer.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from agents.kafka_clients import consumer
from agents.profiles.run import FETCH_BYTES, POLL_RECORDS_MAX, topic_of
from agents.profiles.store import ProfileStore
from agents.profiles.topic_view import Expected, Progress, TopicView, digest_of
from agents.settings import Settings

Kind = Literal["missing", "older", "newer", "different", "surplus", "index_missing", "index_surplus"]
PAGE = 500
ROUNDS = 5
ROUND_PAUSE_S = 1.0


class Difference(msgspec.Struct, frozen=True, order=True):
    """One customer of whom Redis says something else than the topic."""

    kind: Kind
    customer: bytes
    index: str = ""
    """The index in question, without the prefix."""


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison found."""

    customers: int
    """Customers that Redis should hold."""
    unreadable: int
    """Customers whose newest record in the topic is no profile; they are not compared."""
    differences: tuple[Difference, ...]


def verify(settings: Settings, progress: Progress) -> Verdict:
    """Compare everything; raises RedisOutage when Redis cannot be asked."""
    store = ProfileStore(settings)
    with consumer(
        settings,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=FETCH_BYTES // 4,
        max_poll_records=POLL_RECORDS_MAX,
    ) as reader:
        view = TopicView(reader, topic_of(settings), store.layout)
        view.read_on(progress)
        judge = _Judge(store, view)
        suspects = list(judge.everything())
        for _ in range(ROUNDS):
            if not suspects:
                break
            time.sleep(ROUND_PAUSE_S)
            view.read_on()
            suspects = list(judge.again(suspects))
    store.close()
    return Verdict(sum(1 for _ in judge.living()), len(view.unreadable), tuple(sorted(set(suspects))))


class _Judge:
    """Looks at Redis with the topic's view at hand."""

    def __init__(self, store: ProfileStore, view: TopicView) -> None:
        self._store, self._expected, self._unreadable = store, view.customers, view.unreadable

    def living(self) -> Iterator[bytes]:
        """The customers that Redis should hold now."""
        return (name for name, wanted in self._expected.items() if not self._store.expired(wanted.as_of_ms))

    def everything(self) -> Iterator[Difference]:
        """All customers of the topic, all of Redis, all index entries."""
        yield from self._customers(list(self.living()))
        layout = self._store.layout
        for keys in self._store.scan(layout.hashes):
            names = (layout.customer_of(key) for key in keys)
            yield from self._customers(
                [name for name in names if self._wanted(name) is None and name not in self._unreadable]
            )
        for pattern in layout.indexes:
            for indexes in self._store.scan(pattern):
                for index in indexes:
                    place = index.decode().removeprefix(layout.prefix)
                    for members in self._store.members(index.decode()):
                        yield from self._surplus((place, name) for name, _ in members)

    def again(self, suspects: list[Difference]) -> Iterator[Difference]:
        """Those that still differ."""
        yield from self._customers(list(dict.fromkeys(d.customer for d in suspects if d.kind != "index_surplus")))
        entries = [(d.index, d.customer) for d in suspects if d.kind == "index_surplus"]
        scores = self._store.scores(entries)
        yield from self._surplus(entry for entry, score in zip(entries, scores, strict=True) if score is not None)

    def _customers(self, names: list[bytes]) -> Iterator[Difference]:
        for page in (names[at : at + PAGE] for at in range(0, len(names), PAGE)):
            for name, found in zip(page, self._store.hashes(page), strict=True):
                if (kind := _compared(self._wanted(name), found)) is not None:
                    yield Difference(kind, name)
            yield from self._listed(page)

    def _listed(self, page: Iterable[bytes]) -> Iterator[Difference]:
        """Index entries that should be there, with their scores."""
        entries = [(place, name) for name in page if (w := self._wanted(name)) for place in w.places]
        scores = self._store.scores([(place.key, name) for place, name in entries])
        for (place, name), score in zip(entries, scores, strict=True):
            if score != place.score:
                yield Difference("index_missing", name, place.key)

    def _surplus(self, entries: Iterable[tuple[str, bytes]]) -> Iterator[Difference]:
        """Index entries that should not be there."""
        for index, name in entries:
            wanted = self._wanted(name)
            if name in self._unreadable:
                continue
            if wanted is None or all(place.key != index for place in wanted.places):
                yield Difference("index_surplus", name, index)

    def _wanted(self, name: bytes) -> Expected | None:
        wanted = self._expected.get(name)
        return None if wanted is None or self._store.expired(wanted.as_of_ms) else wanted


def _compared(wanted: Expected | None, found: dict[bytes, bytes]) -> Kind | None:
    """What is wrong with a hash; None when nothing is."""
    if wanted is None:
        return "surplus" if found else None
    if not found:
        return "missing"
    revision = int(found.get(b"revision", b"-1"))
    if revision != wanted.revision:
        return "older" if revision < wanted.revision else "newer"
    places = "\n".join(sorted(place.key for place in wanted.places))
    same_places = "\n".join(sorted(found.get(b"_in", b"").decode().split("\n"))) == places
    return None if same_places and digest_of(found.items()) == wanted.digest else "different"
