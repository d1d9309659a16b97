"""How many customers stand in each tier, kept for the metrics without reading all states at every scrape.

What a restore brought is counted bit by bit afterwards, from a snapshot of the encoded states; every change of tier
that is published since adds to it. Both together are exact as soon as the snapshot is counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from schemas.decisions import TierChanged
from streams.customer.record import decode_state
from streams.effects import Change
from streams.regime import Regime

COUNTED_PER_TURN: Final = 4_000
"""Some ten milliseconds of decoding, once a second."""
NO_TIER: Final = "none"

Place = tuple[str, str]
"""Ladder and tier, by id."""


class TierCensus:
    """The customers of one partition, by ladder and tier."""

    def __init__(self) -> None:
        self._uncounted: list[bytes] = []
        self._counts: Counter[Place] = Counter()
        self.newest_ms = 0
        """The newest instant that any of the counted states knows."""

    @property
    def complete(self) -> bool:
        """Whether everything that was restored is counted."""
        return not self._uncounted

    def begin(self, records: Iterable[bytes]) -> None:
        """Take the states as restored. The list holds references, no copies."""
        self._uncounted = list(records)

    def count_on(self, regimes: Sequence[Regime], most: int = COUNTED_PER_TURN) -> None:
        """Count some of what was restored."""
        left = self._uncounted
        for record in left[-most:]:
            state = decode_state(record)
            self.newest_ms = max(self.newest_ms, state.clock)
            if state.ordinal >= len(regimes):
                continue  # it stands in a changelog without policies, as nobody but a test writes it
            for ladder, standing in zip(regimes[state.ordinal].policy.ladders, state.ladders, strict=True):
                if standing.shown:
                    self._counts[ladder.id, ladder.tiers[standing.shown - 1].id] += 1
        del left[-most:]

    def moved(self, changes: Iterable[Change]) -> None:
        """Take changes that are about to be published."""
        for change in changes:
            decision = change.decision
            if isinstance(decision, TierChanged):
                if decision.previous_tier is not None:
                    self._counts[decision.ladder, decision.previous_tier.id] -= 1
                if decision.tier is not None:
                    self._counts[decision.ladder, decision.tier.id] += 1

    def by_tier(self, customers: int, regime: Regime) -> dict[Place, int]:
        """Return how many of `customers` stand where, for the tiers of the policy in force; `none` is in none."""
        counts = self._counts.copy()
        found: dict[Place, int] = {}
        for ladder in regime.policy.ladders:
            placed = {(ladder.id, tier.id): counts[ladder.id, tier.id] for tier in ladder.tiers}
            found |= placed | {(ladder.id, NO_TIER): max(0, customers - sum(placed.values()))}
        return found
