"""What the topic has of one partition of a trial: so that nothing is written twice, lost, or left wrong. Pure.

A process that begins at a snapshot, or at the journal's begin, comes past differences that were published before. It is
level with the topic where the journal ended when it began; from there on, everything it finds is news.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from agents.shadow.differences import Differences, Known, Publication


class Newest(NamedTuple):
    """The newest record of a customer on the topic."""

    sequence: int
    """0: it is another trial's."""
    id: str


class Published:
    """The newest record per customer as they were found, kept up until the shadow has come level."""

    def __init__(self, newest: Mapping[bytes, Newest], level_at: int) -> None:
        """`level_at` is the journal's position from which on the topic can't know more than the shadow."""
        self._newest: dict[bytes, Newest] | None = dict(newest)
        self._level_at = level_at

    def news(self, found: Iterable[Publication]) -> list[Publication]:
        """Those that the topic does not have yet; from then on it counts as having them."""
        newest = self._newest
        if newest is None:
            return list(found)
        kept = []
        for one in found:
            if one.known.sequence > newest.get(one.key, Newest(0, "")).sequence:
                newest[one.key] = Newest(one.known.sequence, one.known.id)
                kept.append(one)
        return kept

    def corrections(self, position: int, differences: Differences) -> dict[bytes, Known | None]:
        """Once level: what the topic must say instead of what it says; None to remove a customer.

        Another trial left something behind, or another release found something else.
        """
        if self._newest is None or position < self._level_at:
            return {}
        newest, self._newest = self._newest, None
        corrected: dict[bytes, Known | None] = {}
        for key, found in sorted(newest.items()):
            known = differences.get(key)
            if known is None or not known.sequence:
                corrected[key] = None
            elif known.id != found.id:
                corrected[key] = known
        return corrected
