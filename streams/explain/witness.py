"""Stands by while a customer is folded: keeps the ledger, and of every decision the state as it was at that instant."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from schemas.events import InputEvent
from streams.customer.record import decode_state, encode_state
from streams.customer.standing import LadderStanding
from streams.customer.state import CustomerState
from streams.effects import Change, Effects, Published
from streams.explain.ledger import Ledger, Line
from streams.regime import Regime


class Witnessed(NamedTuple):
    """A decision with what was known when it was made."""

    change: Change
    record: bytes
    regime: Regime
    judged: LadderStanding | None
    """Of a change of tier, the standing by which it was judged."""
    lines: int
    """So many lines of the ledger were written by then."""

    @property
    def state(self) -> CustomerState:
        """The state as of the decision."""
        return decode_state(self.record)


class Witness(Effects):
    """Effects that are looked at in the moment of publishing. Of one customer."""

    def __init__(self) -> None:
        """Begin before the first record."""
        super().__init__()
        self.ledger = Ledger()
        self.decisions: list[Witnessed] = []
        self.records = 0
        self._event: InputEvent | None = None
        self._key = b""
        self._judged: LadderStanding | None = None
        self._state_of: Callable[[bytes], CustomerState | None] = lambda _: None
        self._regimes: Sequence[Regime] = ()

    def attend(self, state_of: Callable[[bytes], CustomerState | None], regimes: Sequence[Regime]) -> None:
        """Stand by a fold: `state_of` gives a customer's state right now."""
        self._state_of, self._regimes = state_of, regimes

    def hear(self, key: bytes, event: InputEvent) -> None:
        """Say which event is folded next."""
        self._key, self._event = key, event

    def heard(self) -> None:
        """Say that it has been folded, unless it was left out."""
        state = self._look(self._event)
        self._event = None
        if state is not None:
            self.records = state.journal_seq

    def judge(self, standing: LadderStanding) -> None:
        """Keep it for the change that follows."""
        self._judged = msgspec.structs.replace(standing)

    def publish(self, topic: str, decision: Published, change_id: str) -> None:
        """Keep what is known at this instant, then publish."""
        super().publish(topic, decision, change_id)
        state = self._look(self._event if decision.caused_by.event_id is not None else None)
        if state is not None:
            regime = self._regimes[state.ordinal]
            lines, judged, self._judged = len(self.ledger.lines), self._judged, None
            self.decisions.append(Witnessed(self.changes[-1], encode_state(state), regime, judged, lines))

    def lines_of(self, witnessed: Witnessed) -> Sequence[Line]:
        """The ledger as it was when a decision was made."""
        return self.ledger.lines[: witnessed.lines]

    def _look(self, event: InputEvent | None) -> CustomerState | None:
        state = self._state_of(self._key)
        if state is not None:
            self.ledger.observe(state, event, self._regimes[state.ordinal].calendar)
        return state
