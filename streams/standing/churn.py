"""The churn risk band: P(no purchase within the horizon), which silence raises, and orders, visits or time may lower.

The instant at which a band is left by time alone is solved exactly, but once per silence and not once per record: a
record leaves a bound that is never too late, the review at that bound solves the crossing, the review at the crossing
moves the band. Without trouble that fades bands are only left upwards.
"""

from typing import NamedTuple

from streams.calendar import Calendar
from streams.customer import daylog
from streams.customer.standing import NO_BAND, NOT_DUE, RiskStanding
from streams.customer.state import CustomerState
from streams.models.band_crossing import crossing_lower_bound, next_crossing
from streams.models.evidence_inputs import with_evidence
from streams.models.lifetime_value import LifetimeValue, clv
from streams.models.scoring import ChurnInputs, frustration_at, score
from streams.standing.risk_rules import RiskRules

_LIFETIME_SPEND = daylog.PLACES["spend", None]


class BandMove(NamedTuple):
    """A change of band that must be published. Bands by index; NO_BAND where nothing was bought."""

    previous: int
    current: int
    effective_at: int
    left: str | None = None
    """The band before, if a new policy no longer has it; `previous` is NO_BAND then."""


def inputs_of(risk: RiskRules, state: CustomerState, calendar: Calendar) -> ChurnInputs:
    """What the model sees of a customer who has at least one purchase day. Holds until the next record."""
    days = state.purchase_days
    recency_days, model = state.last_day - state.first_day, risk.scorer.model
    inputs = ChurnInputs(
        days - 1,
        recency_days / 7 if model.time_unit == "weeks" else float(recency_days),
        calendar.start_of(state.last_day),
    )
    if model.currency:
        mean = state.sums[_LIFETIME_SPEND] // days
        inputs = inputs._replace(first_order_minor=_first_day_spend(state), mean_order_minor=mean)
    if state.evidence is not None:
        inputs = with_evidence(inputs, state.evidence, model, state.last_day, calendar.start_of)
    return inputs


def _first_day_spend(state: CustomerState) -> int:
    day = state.first_day
    if daylog.between(state, daylog.ORDERS, day, day):
        return daylog.between(state, daylog.SPEND, day, day)
    return state.first_spend


def value_of(risk: RiskRules, inputs: ChurnInputs, at: int) -> LifetimeValue | None:
    """What is expected of a customer within the policy's horizon of value; None if the model knows nothing of spend."""
    return clv(risk.scorer, inputs, at, risk.rules.value_days, risk.rules.discount)


def review(
    state: CustomerState,
    risk: RiskRules,
    standing: RiskStanding,
    at: int,
    calendar: Calendar,
    *,
    changed: bool,
    eased: bool = False,
) -> BandMove | None:
    """Bring the band up to the instant `at`. `changed`: inputs or rules are not those of the last review.

    `eased`: what changed can only lower the score, now and later, so that a bound on its rise holds on.
    After a move, `standing.due` is the exact instant of the next one by time: the announcement of this one names it.
    """
    previous = standing.band
    if state.purchase_days:
        inputs = inputs_of(risk, state, calendar)
        value = score(risk.scorer, inputs, at)
        band = standing.band = band_of(risk, value, previous)
        if not changed or band != previous:
            standing.due = crossing(risk, inputs, band, at)
        elif not eased or frustration_at(risk.scorer, inputs, at) > 0.0:
            bound = crossing_lower_bound(risk.scorer, inputs, risk.edges, band, at, risk.rules.hysteresis, value=value)
            standing.due = NOT_DUE if bound is None else bound
    else:
        standing.band, standing.due = NO_BAND, NOT_DUE
    if standing.band == previous:
        return None
    standing.since = at
    return BandMove(previous, standing.band, at)


def crossing(risk: RiskRules, inputs: ChurnInputs, band: int, at: int) -> int:
    """The first millisecond from `at` on at which time alone carries the score out of a band; NOT_DUE if never."""
    found = next_crossing(risk.scorer, inputs, risk.edges, band, at, risk.rules.hysteresis)
    return NOT_DUE if found is None else found.at_ms


def band_of(risk: RiskRules, value: float, current: int) -> int:
    """Up as soon as an edge is reached; down only when the score is below the edge by the hysteresis."""
    edges = risk.edges
    raw = len(edges) - 1
    while value < edges[raw]:
        raw -= 1
    while current > raw and value < edges[current] - risk.rules.hysteresis:
        current -= 1
    return max(raw, current)
