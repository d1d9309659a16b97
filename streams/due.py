"""The due index of one partition: which customers time alone may have changed by a given instant.

Buckets of an hour hold the customers whose due instant may lie in that hour. An entry may be too early (the
customer's due instant has moved on since), never too late; it is checked against the truth when its hour comes. So an
event costs nothing here as long as the due instant moves later, which is the ordinary case.
"""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Final

BUCKET_MS: Final = 3_600_000
_FAR: Final = 2**61


class DueIndex:
    """Customers by due instant. `due_of` tells the truth about one customer."""

    def __init__(self, due_of: Callable[[bytes], int]) -> None:
        self._due_of = due_of
        self._buckets: dict[int, set[bytes]] = {}
        self._order: list[int] = []
        self._open: list[tuple[int, bytes]] = []
        self._open_until = -1

    def add(self, key: bytes, due: int) -> None:
        """Enter a customer; one that never is due is left out."""
        if due >= _FAR:
            return
        bucket = due // BUCKET_MS
        if bucket <= self._open_until:
            heappush(self._open, (due, key))
            return
        members = self._buckets.get(bucket)
        if members is None:
            self._buckets[bucket] = {key}
            heappush(self._order, bucket)
        else:
            members.add(key)

    def moved(self, key: bytes, before: int, after: int) -> None:
        """A customer's due instant changed. Later: the old entry will find out. Earlier: a new entry is needed."""
        if after < before:
            self.add(key, after)

    def earliest(self, until: int) -> int | None:
        """The earliest true due instant not after `until`; None if there is none.

        Opens the hours that have come, each when those before it are done: after a long silence they would be many.
        """
        queue = self._open
        while queue or self._open_hour(until):
            if not queue:
                continue
            due, key = queue[0]
            true = self._due_of(key)
            if true == due:
                return due if due <= until else None
            heappop(queue)
            if true > due:
                self.add(key, true)
            elif true < due:
                heappush(queue, (true, key))
        return None

    def take(self, until: int) -> Iterator[bytes]:
        """Take out the customers due not after `until`, in (due, id) order.

        The caller runs each before taking the next, then adds it again.
        """
        while self.earliest(until) is not None:
            _, key = heappop(self._open)
            while self._open and self._open[0][1] == key and self._open[0][0] == self._due_of(key):
                heappop(self._open)
            yield key

    def _open_hour(self, until: int) -> bool:
        """Open the earliest hour that has come; False if none has."""
        last = until // BUCKET_MS
        if not self._order or self._order[0] > last:
            self._open_until = max(self._open_until, last)
            return False
        hour = heappop(self._order)
        self._open_until = max(self._open_until, hour)
        for key in self._buckets.pop(hour):
            due = self._due_of(key)
            if due // BUCKET_MS <= hour:
                self._open.append((due, key))
            else:
                self.add(key, due)
        heapify(self._open)
        return True
