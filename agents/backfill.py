"""How far one partition is with its history: loading it, or telling the world where its customers stand now.

From the first event that is part of a history to the go-live, decisions carry `cause = backfill` and time passes by the
history's own events alone. Which customer has been told since stands in the customer's own state, in the same
transaction as the telling: a go-live that was interrupted simply begins anew, and passes over who was told.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from agents.outputs import Outbox
from agents.partition_records import NO_TICK, HistoryRecord, history_record, take_history
from agents.runtime.stage import StateRecord
from schemas.clock import parse_canonical
from schemas.journal import GoLive
from streams.effects import Effects

_CHECK_EVERY: Final = 32


class Backfill:
    """A partition that never loads a history stays as it is made, and writes nothing."""

    __slots__ = ("_effects", "_now", "_outbox", "_untold", "_written", "going_live")

    def __init__(self, effects: Effects, outbox: Outbox) -> None:
        """`effects` are the partition's: their `backfill` says whether it loads a history."""
        self._effects, self._outbox = effects, outbox
        self._now = self._written = HistoryRecord()
        self._untold: list[bytes] = []
        self.going_live = False
        """Whether a go-live has not been told to everybody yet."""

    def restore(self, store: dict[bytes, bytes]) -> None:
        """Take the changelog's record, if there is one, out of the store; what is left there are customers."""
        self._now = self._written = take_history(store)
        self._effects.backfill = self._now.loading
        self.going_live = self._now.live_at != NO_TICK
        self._untold = list(store) if self.going_live else []

    @property
    def live_at(self) -> int:
        """The instant of the go-live under way."""
        return self._now.live_at

    @property
    def holds_time(self) -> bool:
        """Whether time must not pass by ticks: a history brings its own time, and the go-live ends it."""
        return self.going_live or self._now.loading

    def begin(self, home: tuple[int, int]) -> None:
        """The first event of a history has come."""
        self._now = HistoryRecord(loading=True)
        self._effects.backfill = True
        self._outbox.audit({"type": "backfill.began", "home": home})

    def end(self, event: GoLive, customers: list[bytes], home: tuple[int, int], offset: int) -> None:
        """The history is loaded; these customers are to be introduced."""
        self._now, self._untold = HistoryRecord(live_at=parse_canonical(event.instant)), customers
        self.going_live, self._effects.backfill = True, False
        self._outbox.audit({"type": "go-live", "instant": event.instant, "home": home, "offset": offset})

    def introduce(self, tell: Callable[[bytes], None], deadline: float) -> bool:
        """Tell of customers until the deadline; True when more remain."""
        untold = self._untold
        for count in range(1, len(untold) + 1):
            tell(untold.pop())
            if count % _CHECK_EVERY == 0 and perf_counter() > deadline:
                return True
        self._now, self.going_live = HistoryRecord(), False
        return False

    def changed(self) -> list[StateRecord]:
        """What the changelog has to be told since the last time."""
        if self._now == self._written:
            return []
        self._written = self._now
        return [history_record(self._now)]
