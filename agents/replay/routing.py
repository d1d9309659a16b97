"""Which of a unit's folds a journal record concerns: a file holds the customers of several homes."""

from collections.abc import Sequence
from typing import Final

from agents.errors import ConfigurationError
from agents.partitioning import home_of
from agents.replay.entry import Entry
from agents.replay.journal_file import Home, home_in
from schemas.journal import is_control_key

_FIRST: Final = (0,)


class Routes:
    """A unit's homes, one fold each; a customer's is worked out once."""

    def __init__(self, journal: str, homes: Sequence[Home | None]) -> None:
        """`journal` is what errors call it."""
        self._journal, self._homes = journal, list(homes)
        self._all = tuple(range(len(homes)))
        self._of: dict[bytes, tuple[int]] = {}

    def of(self, entry: Entry) -> Sequence[int]:
        """The places of the folds that take a record."""
        if is_control_key(entry.key):
            return self._control(entry)
        if len(self._homes) == 1:
            return _FIRST
        found = self._of.get(entry.key)
        if found is None:
            found = self._of[entry.key] = (home_of(entry.key, len(self._homes)),)
        return found

    def _control(self, entry: Entry) -> Sequence[int]:
        home = home_in(entry)
        if home is None or (len(self._homes) == 1 and self._homes != [None]):  # which leaves out what is not its own
            return self._all
        if home in self._homes:
            return (home[0],)
        raise ConfigurationError(
            "Records of this journal were written for different numbers of partitions.",
            where=f"{self._journal} at {entry.offset}",
            why=f"this one has the home {home}, the first one {self._homes[0]}",
            next_step="fold the journal of each number of partitions by itself",
        )
