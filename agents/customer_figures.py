"""What one partition of the customers stage keeps for the metrics while it folds."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from weakref import ref

from agents.census import Place, TierCensus
from agents.freshness import Freshness, Times
from agents.score_census import ScoreCensus, ScoreFigures
from schemas.decisions import ModelRef, PolicyRef
from schemas.events import InputEvent
from streams.effects import Change
from streams.regime import Regime


class CustomerFigures:
    """Written by the partition's task; what tells something is asked from another thread.

    It is thrown away with its partition, so that what was folded and never committed is not counted.
    """

    def __init__(self, freshness: Freshness | None, store: Mapping[bytes, bytes], regimes: Sequence[Regime]) -> None:
        """`freshness` is None where ages mean nothing; store and regimes are the partition's own, and only read."""
        self._freshness, self._store, self._regimes = freshness, store, regimes
        self._census = TierCensus()
        self._scores = ScoreCensus()
        self._newest_ms = 0
        self._restored = False
        self._folded: list[Times] = []
        self._committing: list[Times] = []

    def restored(self) -> None:
        """Begin to count what the restore brought."""
        self._census.begin(self._store.values())
        self.turn()
        self._restored = True

    def turn(self) -> None:
        """Go on counting; about once a second."""
        if not self._census.complete:
            self._census.count_on(self._regimes)
        else:
            self._scores.turn(self._store, self._regimes, max(self._newest_ms, self._census.newest_ms))

    def folded(self, event: InputEvent) -> None:
        """Take note of an event. Once per event: it must cost nothing."""
        if self._freshness is not None:
            self._folded.append((event.time, event.recordedtime))

    def published(self, changes: Sequence[Change]) -> None:
        """Take note of what is going to be published."""
        self._census.moved(changes)

    def drained(self, clocks: Iterable[int]) -> None:
        """Take note that what was folded is about to be committed: states with these clocks."""
        self._newest_ms = max(self._newest_ms, max(clocks, default=0))
        self._committing, self._folded = self._folded, []

    def committed(self) -> None:
        """Take note that what was drained can be read now."""
        if self._freshness is not None:
            self._freshness.committed(self._committing, int(time.time() * 1000))
        self._committing = []

    def policy_in_force(self, now_ms: int) -> PolicyRef | None:
        """Return the policy that decides at an instant; None before the first."""
        regime = self._regime(now_ms)
        return None if regime is None else regime.ref

    def model_in_force(self, now_ms: int) -> ModelRef | None:
        """Return the churn model that decides at an instant; None where churn is not judged."""
        regime = self._regime(now_ms)
        return None if regime is None or regime.risk is None else regime.risk.ref

    def customers_by_tier(self, now_ms: int) -> dict[Place, int] | None:
        """Return the customers by ladder and tier; None while they are being counted."""
        regime = self._regime(now_ms)
        if regime is None or not self._restored or not self._census.complete:
            return None
        return self._census.by_tier(len(self._store), regime)

    def churn_scores(self) -> ScoreFigures | None:
        """Return the customers by churn score, and what came of scores foretold; None in the first round."""
        return self._scores.figures

    def counters_declared(self) -> int:
        """Return how many counters are declared for a policy to come."""
        regimes = list(self._regimes)
        declaration = regimes[-1].declaration if regimes else None
        return len(declaration.filters) if declaration else 0

    def tiers(self, now_ms: int) -> dict[str, list[str]]:
        """Return the tiers of each ladder of the policy in force, from the lowest up, by the ladder's id."""
        regime = self._regime(now_ms)
        return {ladder.id: [tier.id for tier in ladder.tiers] for ladder in regime.policy.ladders} if regime else {}

    def _regime(self, now_ms: int) -> Regime | None:
        """Return the policy in force: one waits for its own instant and for those before it."""
        in_force = list(takewhile(lambda regime: regime.effective_at <= now_ms, list(self._regimes)))
        return in_force[-1] if in_force else None


class FiguresByPartition:
    """The figures of a stage's partitions. Held weakly: a partition that went away takes its states with it."""

    def __init__(self) -> None:
        self._newest: dict[int, ref[CustomerFigures]] = {}

    def add(self, number: int, figures: CustomerFigures) -> None:
        """Take the figures of a partition that is about to be restored; those of its predecessor are let go."""
        self._newest[number] = ref(figures)

    def owned(self, owns: Callable[[int], bool]) -> list[CustomerFigures]:
        """Return the figures of the partitions that `owns` says are ours."""
        found = [(number, newest()) for number, newest in list(self._newest.items())]
        return [figures for number, figures in found if figures is not None and owns(number)]
