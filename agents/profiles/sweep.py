"""Removes what a round from the begin has not met: customers unknown to the topic, and index entries of nobody."""

from collections import Counter
from collections.abc import Iterator

from agents.partitioning import home_of
from agents.profiles.store import ProfileStore


class Sweep:
    """One walk over the hashes of some partitions, or of none, and over all indexes, a page at a time."""

    def __init__(self, store: ProfileStore, partitions: frozenset[int], partitions_total: int) -> None:
        self.partitions = partitions
        self.removed: Counter[int] = Counter()
        """Customers removed, by partition."""
        self.unlisted = 0
        self._store = store
        self._total = partitions_total
        self._pages = self._walk()

    def step(self) -> bool:
        """Walk over a page; True when there is none left."""
        return next(self._pages, True)

    def _walk(self) -> Iterator[bool]:
        layout = self._store.layout
        for keys in self._store.scan(layout.hashes) if self.partitions else ():
            customers = [layout.customer_of(key) for key in keys]
            for number, theirs in self._by_partition(customers).items():
                self.removed[number] += self._store.drop_leftovers(theirs, number)
            yield False
        for pattern in layout.indexes:
            for indexes in self._store.scan(pattern):
                for index in indexes:
                    yield from self._through(index.decode())

    def _by_partition(self, customers: list[bytes]) -> dict[int, list[bytes]]:
        ours: dict[int, list[bytes]] = {}
        for customer in customers:
            if (number := home_of(customer, self._total)) in self.partitions:
                ours.setdefault(number, []).append(customer)
        return ours

    def _through(self, index: str) -> Iterator[bool]:
        for members in self._store.members(index):
            customers = [customer for customer, _ in members]
            places = self._store.places(customers)
            place = index.removeprefix(self._store.layout.prefix)
            orphans = [customer for customer, named in zip(customers, places, strict=True) if place not in named]
            self.unlisted += self._store.unlist(index, orphans)
            yield False
