"""Explains one customer from their part of a journal."""

from typing import Final

from agents.errors import TierstreamError
from agents.replay.fold import FOR_EVER
from agents.replay.history import History, Walk
from streams.customer import daylog
from streams.explain.assemble import Customer, MismatchError, explain
from streams.explain.report import Explanation
from streams.explain.witness import Witness
from streams.policy.model import Policy

MISMATCH_HINT: Final = "tierstream audit verify"


class ExplanationMismatchError(TierstreamError):
    """A decision does not follow from its own evidence."""


def explanation_at(
    history: History, at: int | None, *, dedupe: bool = True, policy: Policy | None = None
) -> Explanation | None:
    """Explain where a customer stood at an instant; None: as far as the journal's time has passed.

    Nothing is explained when nothing was known of them.
    """
    witness = Witness()
    until = FOR_EVER if at is None else at
    walk = Walk(history, dedupe=dedupe, policy=policy, until=until, witness=witness)
    for _ in walk.steps():
        pass
    state = walk.fold.state_now(history.customer)
    if state is None:
        return None
    instant = max(state.clock, history.time) if at is None else at
    regime = walk.fold.regimes[state.ordinal]
    daylog.advance(state, regime.calendar.day_of(instant))
    try:
        return explain(Customer(history.customer.decode(), state, regime, instant, witness))
    except MismatchError as error:
        raise ExplanationMismatchError(
            "The explanation does not hold.", why=str(error), next_step=MISMATCH_HINT
        ) from error
