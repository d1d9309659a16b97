"""How the churn model does, kept for the metrics: which scores customers have, and what came of those foretold.

All states of a partition are looked at in turn, some each second, and the figures are those of the last whole round.
They follow from the states alone, so a restart or another owner comes to the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from streams.customer.record import decode_state
from streams.customer.standing import UNKNOWN
from streams.customer.state import CustomerState
from streams.models.scoring import score
from streams.regime import Regime
from streams.standing.churn import inputs_of
from streams.standing.forecast import WHOLE, forecast_of
from streams.standing.risk_rules import RiskRules

LOOKED_AT_PER_TURN: Final = 50
"""About a millisecond; a million customers on twelve partitions are through in half an hour."""
BUCKETS: Final = 10

ScorePlace = tuple[str, str, str]
"""Model, its version, and the tenth in which the score lies: "0.9-1.0"."""


class ScoreFigures(NamedTuple):
    """Sums over the customers of a partition, or of several."""

    scores: Mapping[ScorePlace, int]
    """Customers by their present score."""
    forecasts: Mapping[ScorePlace, int]
    """Customers by the score that was foretold of their newest window that is over."""
    buyers_expected: Mapping[ScorePlace, float]
    """How many of those should have bought."""
    buyers: Mapping[ScorePlace, int]
    """How many did."""


class ScoreCensus:
    """The customers of one partition, by score. Written by the partition's task."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._as_of = 0
        self._begin()
        self.figures: ScoreFigures | None = None
        """Of the last whole round; None before the first."""

    def turn(self, store: Mapping[bytes, bytes], regimes: Sequence[Regime], newest_ms: int) -> None:
        """Look at some states. `newest_ms` is the newest instant that any of them knows.

        So an outage of ours makes nobody look silent: a window is over when the partition's input has come so far.
        """
        if not self._waiting:
            if not store or not newest_ms:
                return
            self._waiting, self._as_of = list(store), newest_ms
        for key in self._waiting[-LOOKED_AT_PER_TURN:]:
            record = store.get(key)
            if record is not None:
                self._take(key, decode_state(record), regimes)
        del self._waiting[-LOOKED_AT_PER_TURN:]
        if not self._waiting:
            self.figures = ScoreFigures(self._scores, self._forecasts, self._expected, self._buyers)
            self._begin()

    def _begin(self) -> None:
        self._scores: Counter[ScorePlace] = Counter()
        self._forecasts: Counter[ScorePlace] = Counter()
        self._expected: dict[ScorePlace, float] = {}
        self._buyers: Counter[ScorePlace] = Counter()

    def _take(self, key: bytes, state: CustomerState, regimes: Sequence[Regime]) -> None:
        """Count a customer; test customers are left out, as they are where models are fitted."""
        if state.test or state.ordinal >= len(regimes):
            return
        regime = regimes[state.ordinal]
        if regime.risk is None or not (state.purchase_days or state.forecast):
            return
        at = max(self._as_of, state.clock)
        if state.purchase_days:
            found = score(regime.risk.scorer, inputs_of(regime.risk, state, regime.calendar), at)
            self._scores[place(regime.risk, found)] += 1
        forecast = forecast_of(state, regime, key, regime.calendar.day_of(at))
        if forecast is None or forecast.past == UNKNOWN:
            return
        judged_by = regimes[forecast.past_ordinal].risk
        if judged_by is not None:
            foretold = forecast.past / WHOLE
            where = place(judged_by, foretold)
            self._forecasts[where] += 1
            self._expected[where] = self._expected.get(where, 0.0) + 1.0 - foretold
            self._buyers[where] += forecast.past_bought


def place(risk: RiskRules, score: float) -> ScorePlace:
    """Where a score is counted."""
    tenth = min(BUCKETS - 1, int(score * BUCKETS))
    return risk.ref.name, risk.ref.version, f"{tenth / BUCKETS:.1f}-{(tenth + 1) / BUCKETS:.1f}"


def added(figures: Sequence[ScoreFigures]) -> ScoreFigures:
    """The sum over partitions. A place that has customers in one of the counts is there in all of them."""
    scores: Counter[ScorePlace] = Counter()
    forecasts: Counter[ScorePlace] = Counter()
    buyers: Counter[ScorePlace] = Counter()
    expected: dict[ScorePlace, float] = {}
    for each in figures:
        scores.update(each.scores)
        forecasts.update(each.forecasts)
        buyers.update(each.buyers)
        for where, count in each.buyers_expected.items():
            expected[where] = expected.get(where, 0.0) + count
    return ScoreFigures(scores, forecasts, expected, buyers)
