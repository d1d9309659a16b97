"""The churn risk band: P(no purchase within the horizon), which only silence raises and only an order lowers.

The crossing of a band's edge by silence is solved exactly, but once per silence and not once per order: an order
leaves a bound that is never too late, the review at that bound solves the crossing, the review at the crossing moves
the band.
"""

from typing import NamedTuple

from streams.calendar import Calendar
from streams.customer.standing import NO_BAND, NOT_DUE, RiskStanding
from streams.customer.state import CustomerState
from streams.models import mbgnbd
from streams.models.crossing import MS_PER_WEEK, score_at, score_crossing, score_crossing_lower_bound
from streams.policy.model import ChurnRules


class History(NamedTuple):
    """A customer's purchase days as the model sees them."""

    repeats: int
    weeks: float
    """From the first purchase day to the last."""
    anchor_ms: int
    """The start of the last purchase day: silence is counted from there."""

    def weeks_at(self, instant: int) -> float:
        """From the first purchase day to an instant."""
        return self.weeks + max(0, instant - self.anchor_ms) / MS_PER_WEEK


class Scores(NamedTuple):
    """What the model says at one instant."""

    no_purchase: float
    """P(no purchase within the horizon): the churn score."""
    p_alive: float


class BandMove(NamedTuple):
    """A change of band that must be published. Bands by index; NO_BAND where nothing was bought."""

    previous: int
    current: int
    effective_at: int
    left: str | None = None
    """The band before, if a new policy no longer has it; `previous` is NO_BAND then."""


def history(state: CustomerState, calendar: Calendar) -> History:
    """Purchase days of a customer who has at least one."""
    return History(state.purchase_days - 1, (state.last_day - state.first_day) / 7, calendar.start_of(state.last_day))


def score(rules: ChurnRules, past: History, at: int) -> float:
    """P(no purchase within the horizon) at an instant."""
    return score_at(rules.model, past.repeats, past.weeks, rules.horizon_weeks, past.anchor_ms, at)


def scores(rules: ChurnRules, past: History, at: int) -> Scores:
    """Score and P(alive) at an instant, for the price of one."""
    silence = max(0, at - past.anchor_ms) / MS_PER_WEEK
    purchase, alive = mbgnbd.after_silence(rules.model, past.repeats, past.weeks, silence, rules.horizon_weeks)
    return Scores(1.0 - purchase, alive)


def review(
    state: CustomerState, rules: ChurnRules, risk: RiskStanding, at: int, calendar: Calendar, *, changed: bool
) -> BandMove | None:
    """Bring the band up to the instant `at`. `changed`: purchase days or rules are not those of the last review.

    After a move, `risk.due` is the exact instant of the next one by silence: the announcement of this one names it.
    """
    previous = risk.band
    if state.purchase_days:
        past = history(state, calendar)
        risk.band = _band(rules, score(rules, past, at), previous)
        risk.due = _next_due(rules, past, risk.band, at, exact=not changed or risk.band != previous)
    else:
        risk.band, risk.due = NO_BAND, NOT_DUE
    if risk.band == previous:
        return None
    risk.since = at
    return BandMove(previous, risk.band, at)


def crossing(rules: ChurnRules, past: History, band: int, since: int) -> int | None:
    """The first millisecond from `since` on at which silence carries the score out of a band; None if it never does."""
    if band + 1 >= len(rules.bands):
        return None
    edge = rules.bands[band + 1].lower_edge
    return score_crossing(rules.model, past.repeats, past.weeks, rules.horizon_weeks, edge, past.anchor_ms, since)


def _band(rules: ChurnRules, value: float, current: int) -> int:
    """Up as soon as an edge is reached; down only when the score is below the edge by the hysteresis."""
    raw = len(rules.bands) - 1
    while value < rules.bands[raw].lower_edge:
        raw -= 1
    while current > raw and value < rules.bands[current].lower_edge - rules.hysteresis:
        current -= 1
    return max(raw, current)


def _next_due(rules: ChurnRules, past: History, band: int, at: int, *, exact: bool) -> int:
    if exact:
        due = crossing(rules, past, band, at)
    elif band + 1 < len(rules.bands):
        edge = rules.bands[band + 1].lower_edge
        due = score_crossing_lower_bound(
            rules.model, past.repeats, past.weeks, rules.horizon_weeks, edge, past.anchor_ms, at
        )
    else:
        due = None
    return NOT_DUE if due is None else due
