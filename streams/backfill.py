"""The go-live of a customer after a history was loaded: the world is told once where the customer stands.

While a partition loads its history, everything is decided as ever and published with `cause = backfill`; so a state
whose last change has that cause belongs to a customer of whom the world has not been told.
"""

from collections.abc import Sequence

from streams.customer import daylog, orders, series
from streams.customer.record import decode_state, encode_state
from streams.customer.standing import NO_BAND
from streams.customer.state import CustomerState
from streams.effects import Effects, Trigger
from streams.process import notify, pass_time, reach
from streams.regime import Regime
from streams.standing import churn
from streams.standing.announce_band import announce_band
from streams.standing.announce_tier import announce_tier
from streams.standing.churn import BandMove
from streams.standing.ladder import Move
from streams.standing.moment import Moment
from streams.standing.notices import due_notices


def go_live(state: CustomerState, regimes: Sequence[Regime], instant: int, effects: Effects) -> None:
    """Let the history's time pass up to the instant, then publish one `initial` per ladder and for the risk band.

    A customer whom the history did not touch only ages; done again, it changes nothing. Falls whose notice fell due
    meanwhile are announced now.
    """
    effects.backfill = True
    pass_time(state, regimes, instant, effects)
    effects.backfill = False
    regime = regimes[state.ordinal]
    trigger = Trigger("initial", None, max(state.clock, instant), None)
    told = state.changed_by[0] != "backfill"
    if told and not _notice_waits(state, regime, trigger.at):
        return
    reach(state, regime, trigger.at, effects)
    if not told:
        state.revision += 1
        state.changed_by = ("initial", None)
        _introduce(state, regime, trigger, effects)
    notify(state, regime, trigger, effects)


def _notice_waits(state: CustomerState, regime: Regime, at: int) -> bool:
    """Whether a notice fell due while nobody was told anything; looked at in a copy, so that nothing else changes."""
    if not any(rules.announces for rules in regime.ladders):
        return False
    copied = decode_state(encode_state(state))
    _advance(copied, regime, at)
    return any(
        due_notices(Moment(copied, standing, regime.calendar, at), rules)
        for rules, standing in zip(regime.ladders, copied.ladders, strict=True)
    )


def _advance(state: CustomerState, regime: Regime, at: int) -> None:
    as_of = regime.calendar.day_of(at)
    if daylog.advance(state, as_of):
        orders.forget(state, as_of)
        series.forget(state, as_of)


def _introduce(state: CustomerState, regime: Regime, trigger: Trigger, effects: Effects) -> None:
    """Tell where the customer stands."""
    at = trigger.at
    for rules, standing in zip(regime.ladders, state.ladders, strict=True):
        if standing.shown:
            announce_tier(
                state, regime, rules, standing, Move(0, standing.shown, at, correction=False), trigger, effects
            )
    risk = regime.risk
    if risk is not None and state.risk.band != NO_BAND:
        # What is announced names the instant of the next band, so a bound is not enough.
        inputs = churn.inputs_of(risk, state, regime.calendar)
        state.risk.due = churn.crossing(risk, inputs, state.risk.band, at)
        announce_band(state, regime, risk, BandMove(NO_BAND, state.risk.band, at), trigger, effects)
