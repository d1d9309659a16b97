"""What the churn model foretold of a customer, and what came of it: so that a model that no longer fits is noticed.

Time is cut into windows of the horizon's length. With the begin of each the score is kept, until the window is over
and it is known whether anything was bought. Windows begin on another day for each customer, spread over the horizon:
so every day some are over, and the figures of all customers follow what happens instead of jumping once a quarter.

A window in which nothing is heard of a customer needs nothing kept: the state says still what it said at its begin.
"""

from zlib import crc32

from streams.customer.standing import UNKNOWN, Forecast
from streams.customer.state import CustomerState
from streams.models.scoring import score
from streams.regime import Regime
from streams.standing.churn import inputs_of

WHOLE = 10_000
"""Scores are kept in ten-thousandths."""


def keep_forecast(state: CustomerState, regime: Regime, key: bytes, today: int) -> None:
    """Bring what is kept up to a day. To be called before anything of that day changes the state or its clock."""
    held = state.forecast
    if (today >= held.day + held.days) if held is not None else state.purchase_days:
        state.forecast = forecast_of(state, regime, key, today)


def forecast_of(state: CustomerState, regime: Regime, key: bytes, today: int) -> Forecast | None:
    """What is foretold of the window that contains a day, and what came of the newest that is over; changes nothing.

    None where churn is not judged, for who has bought nothing and never did, and where neither window has a score.
    """
    held, risk = state.forecast, regime.risk
    if risk is None or (held is None and not state.purchase_days):
        return None
    if held is not None and today < held.day + held.days:
        return held
    days = risk.rules.horizon_days
    day = today - (today + crc32(key)) % days
    if held is None and regime.calendar.start_of(day) < state.clock:
        return None  # the first window that begins after the first purchase is the first that is foretold
    found = Forecast(day=day, days=days)
    if held is not None:
        found.past, found.past_ordinal, found.past_bought = held.past, held.past_ordinal, held.past_bought
        if held.risk != UNKNOWN:
            found.past, found.past_ordinal = held.risk, held.ordinal
            found.past_bought = state.last_day >= held.day
    foretold = _Foretold(state, regime, state.clock)
    if (risk_before := foretold.at(day - days)) != UNKNOWN:
        found.past, found.past_ordinal, found.past_bought = risk_before, state.ordinal, state.last_day >= day - days
    found.risk, found.ordinal = foretold.at(day), state.ordinal
    return found


class _Foretold:
    """Scores at the begin of days since which nothing was heard."""

    def __init__(self, state: CustomerState, regime: Regime, heard_at: int) -> None:
        self._calendar, self._risk, self._heard_at = regime.calendar, regime.risk, heard_at
        judged = regime.risk if state.purchase_days else None
        self._inputs = None if judged is None else inputs_of(judged, state, regime.calendar)

    def at(self, day: int) -> int:
        """In ten-thousandths; UNKNOWN where the state is not what it was then, or nothing had been bought."""
        begin = self._calendar.start_of(day)
        if self._inputs is None or self._risk is None or begin < self._heard_at:
            return UNKNOWN
        return round(score(self._risk.scorer, self._inputs, begin) * WHOLE)
