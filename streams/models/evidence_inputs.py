"""From what the state keeps of visits and troubles to what a score is made of, under one model's half-lives.

Every weight is as of an instant that depends on what happened alone, never on who asks when: so a crossing that is
solved twice, at different instants, is the same to the millisecond.
"""

from collections.abc import Callable
from math import exp

from schemas.clock import MS_PER_DAY
from streams.models.churn_model import ChurnModel
from streams.models.evidence import (
    LN_2,
    NO_DAY,
    Evidence,
    bad_ratings,
    refunds,
    ticket_weights,
    tickets_of,
    visits_after,
)
from streams.models.scoring import ChurnInputs

StartOf = Callable[[int], int]
"""The first millisecond of a local day, as `Calendar.start_of`."""


def with_evidence(
    inputs: ChurnInputs, evidence: Evidence, model: ChurnModel, last_purchase_day: int, start_of: StartOf
) -> ChurnInputs:
    """The inputs of a customer's purchases, and what the model makes of the customer's evidence besides."""
    visits, trouble = model.visits, model.frustration
    if visits is not None and evidence.visited_first != NO_DAY:
        inputs = inputs._replace(
            visits=visits_after(evidence, last_purchase_day, visits.half_life_days),
            visits_at_ms=start_of(evidence.visited_last),
            watched_from_ms=start_of(evidence.visited_first),
        )
    if trouble is None:
        return inputs
    rated_ms = start_of(evidence.rated_last) if evidence.rated_bits else None
    refunded_ms = start_of(evidence.refunded_last) if evidence.refunded_bits else None
    opened = [ticket.opened_ms for ticket in tickets_of(evidence)]
    happened = [*opened, *(each for each in (rated_ms, refunded_ms) if each is not None)]
    if not happened:
        return inputs
    newest_ms, half_life_ms = max(happened), trouble.half_life_days * MS_PER_DAY
    tickets = ticket_weights(evidence, half_life_ms, newest_ms)
    rated = 0.0 if rated_ms is None else exp(-LN_2 * (newest_ms - rated_ms) / half_life_ms)
    refunded = 0.0 if refunded_ms is None else exp(-LN_2 * (newest_ms - refunded_ms) / half_life_ms)
    return inputs._replace(
        open_tickets=tickets.open,
        solved_tickets=tickets.solved,
        bad_ratings=rated * bad_ratings(evidence, trouble.half_life_days),
        refunds=refunded * refunds(evidence, trouble.half_life_days),
        frustration_at_ms=newest_ms,
    )
