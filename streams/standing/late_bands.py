"""Bands of churn risk that are worked out when they are asked for, where nobody is told when one is left.

Without trouble that fades, the score only rises from one record to the next. So the band at any instant follows from
the scores right before and right after each record, and where a score is clear of all edges' hysteresis, from it alone:
most often the last score is enough, and no crossing has to be solved.
"""

from typing import Final

from streams.customer.standing import NO_BAND, NOT_DUE
from streams.customer.state import CustomerState
from streams.models.scoring import ChurnInputs, score
from streams.regime import Regime
from streams.standing.churn import band_of, inputs_of
from streams.standing.risk_rules import RiskRules

_HEARD_MAX: Final = 32
"""So many changes of a customer are kept; then all but the last are judged."""
_Heard = tuple[int, ChurnInputs | None]
"""From an instant on this was known; None: no purchase."""


class LateBands:
    """What the customers' bands follow from; a state's own band is the one before the first change that is kept."""

    def __init__(self) -> None:
        self._heard: dict[bytes, list[_Heard]] = {}

    def heard(self, key: bytes, state: CustomerState, regime: Regime, at: int) -> bool:
        """Keep what changed, if the band can be told from it later: not if the score can fall by time alone."""
        risk = regime.risk
        if risk is None or risk.scorer.model.frustration is not None:
            return False
        state.risk.due = NOT_DUE
        heard = self._heard.setdefault(key, [])
        heard.append((at, inputs_of(risk, state, regime.calendar) if state.purchase_days else None))
        if len(heard) > _HEARD_MAX:
            state.risk.band = _band_at(risk, heard[:-1], state.risk.band, at)
            del heard[:-1]
        return True

    def settle(self, key: bytes, state: CustomerState, regime: Regime, at: int) -> None:
        """Bring the band up to an instant, before which everything was heard."""
        heard = self._heard.pop(key, None)
        if heard and regime.risk is not None:
            state.risk.band = _band_at(regime.risk, heard, state.risk.band, at)


def _band_at(risk: RiskRules, heard: list[_Heard], before: int, at: int) -> int:
    """The band at an instant, when it was `before` right before the first change."""
    scores: list[float | None] = []
    until, band = at, before
    for since, inputs in reversed(heard):
        for instant in (until, since):
            value = None if inputs is None else score(risk.scorer, inputs, instant)
            scores.append(value)
            clear = NO_BAND if value is None else _clear_band(risk, value)
            if clear is not None:
                band = clear
                break
        else:
            until = since
            continue
        break
    for value in reversed(scores):
        band = NO_BAND if value is None else band_of(risk, value, band)
    return band


def _clear_band(risk: RiskRules, value: float) -> int | None:
    """The band of a score, if it is the same whatever the band was before."""
    lowest = band_of(risk, value, NO_BAND)
    return lowest if band_of(risk, value, len(risk.edges) - 1) == lowest else None
