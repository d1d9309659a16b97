"""What the churn model says, as metrics of a policy: probabilities and lifetime value, as of any moment."""

from math import inf, nextafter
from typing import Final

from streams.models.band_crossing import next_crossing
from streams.models.scoring import frustration_at, score
from streams.standing import churn
from streams.standing.gauge import Gauge
from streams.standing.moment import FOREVER, Moment
from streams.standing.risk_rules import RiskRules

_STRICT: Final = frozenset({">", "<="})


class Probability(Gauge):
    """P(no purchase within a horizon), or P(alive).

    Silence moves it one way only, but trouble that fades moves it back: the instant at which it passes a threshold is
    searched by bounds, never stepped over.
    """

    __slots__ = ("_alive", "_risk", "_scorer")

    def __init__(self, risk: RiskRules, horizon_days: int, *, alive: bool) -> None:
        self._risk, self._alive = risk, alive
        self._scorer = risk.alive if alive else risk.scorer_for(horizon_days)

    def value(self, moment: Moment) -> float | None:
        if not moment.state.purchase_days:
            return None
        inputs = churn.inputs_of(self._risk, moment.state, moment.calendar)
        value = score(self._scorer, inputs, moment.at)
        return 1.0 - value if self._alive else value

    def next_change(self, moment: Moment) -> int:
        return moment.at + 1 if moment.state.purchase_days else FOREVER

    def passes(self, moment: Moment, threshold: float, operator: str) -> int:
        """The first instant after the moment at which a comparison with the threshold turns; FOREVER: in no century."""
        if not moment.state.purchase_days or operator in {"==", "in"}:
            return FOREVER
        edge = self._edge(threshold, operator)
        if not 0.0 < edge <= 1.0:
            return FOREVER
        inputs = churn.inputs_of(self._risk, moment.state, moment.calendar)
        band = int(score(self._scorer, inputs, moment.at) >= edge)
        found = next_crossing(self._scorer, inputs, (0.0, edge), band, moment.at)
        return FOREVER if found is None else found.at_ms

    def _edge(self, threshold: float, operator: str) -> float:
        """The least score at which the comparison is decided the other way."""
        if not self._alive:
            return nextafter(threshold, inf) if operator in _STRICT else threshold
        # 1 - score >= threshold, or > threshold: true below the edge. What 1.0 - score rounds to decides.
        low, high = 0.0, 1.0
        strict = operator in _STRICT
        while (middle := (low + high) / 2.0) not in {low, high}:
            left = 1.0 - middle
            if left > threshold or (left == threshold and not strict):
                low = middle
            else:
                high = middle
        return high


class LifetimeValue(Gauge):
    """Expected spend within the policy's horizon of value, as of the begin of the local day."""

    __slots__ = ("_risk",)

    def __init__(self, risk: RiskRules) -> None:
        self._risk = risk

    def value(self, moment: Moment) -> int | None:
        if not moment.state.purchase_days or self._risk.scorer.model.spend is None:
            return None
        inputs = churn.inputs_of(self._risk, moment.state, moment.calendar)
        found = churn.value_of(self._risk, inputs, moment.calendar.start_of(moment.day))
        return None if found is None else found.spend_minor

    def next_change(self, moment: Moment) -> int:
        return FOREVER if self.value(moment) is None else moment.calendar.start_of(moment.day + 1)

    def falls(self, moment: Moment) -> bool:
        """Whether time alone can only lower it from here on: no trouble fades any more."""
        inputs = churn.inputs_of(self._risk, moment.state, moment.calendar)
        return frustration_at(self._risk.scorer, inputs, moment.at) == 0.0
