"""One customer folded by the pure core alone, with everything that comes of it: no journal, no partition."""

from collections.abc import Iterable

import msgspec

from schemas.clock import format_instant
from schemas.events import BrowseActivity
from schemas.journal import encode_journal
from streams.customer.state import CustomerState
from streams.effects import Change, Effects
from streams.process import new_state, process
from streams.regime import Regime
from tests.properties.journals import Arrival, Happening


class Folded:
    """One customer's state with everything that folding it has led to."""

    def __init__(self, regime: Regime) -> None:
        self.regimes = [regime]
        self.state = CustomerState()
        self.changes: list[Change] = []
        self.refusals: list[tuple[str, bytes]] = []
        self.repeats = 0

    def take(self, arrival: Arrival) -> None:
        """Fold one event."""
        if not self.state.journal_seq:
            self.state = new_state(self.regimes, arrival.recorded_at)
        event, effects = msgspec.structs.replace(arrival.event), Effects(b"c0")
        event.recordedtime = format_instant(arrival.recorded_at)
        process(self.state, event, encode_journal(event), self.regimes, effects)
        self.changes += effects.changes
        self.refusals += [(refused.rejected.reason.value, refused.value) for refused in effects.refused]
        self.repeats += effects.repeated


def fold(regime: Regime, arrived: Iterable[Arrival]) -> Folded:
    """Fold a life."""
    folded = Folded(regime)
    for arrival in arrived:
        folded.take(arrival)
    return folded


def visit(at: int, event_id: str) -> Arrival:
    """An event that brings the windows to a day."""
    return Arrival(
        BrowseActivity(id=event_id, time=format_instant(at), customer_id="c0", action="search"),
        at,
    )


def once_each(life: list[Happening]) -> list[Happening]:
    """A life in which no order and no refund is told twice: of two versions the one that arrives first holds."""
    told: set[tuple[str, int, int]] = set()
    kept = []
    for happening in life:
        name = (happening.kind, happening.order, happening.amount % 4 if happening.kind == "refund" else 0)
        if happening.kind not in {"order", "refund"} or name not in told:
            kept.append(happening)
        told.add(name)
    return kept
