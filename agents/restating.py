"""Counters in the customers stage: what was declared for a policy to come, and what was counted anew for a customer."""

from collections.abc import Sequence

from agents.stage_metrics import RESTATED, StageCounts
from schemas.journal import CountersRestated, encode_journal
from schemas.rejections import Rejected
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.recount import restate
from streams.regime import Regime


def take_restatement(
    state: CustomerState | None,
    event: CountersRestated,
    regimes: Sequence[Regime],
    effects: Effects,
    counts: StageCounts,
) -> bool:
    """Take it into the state, if it holds; whether it was taken. One that is not whole is refused."""
    became = "stale" if state is None else restate(state, event, regimes[state.ordinal])
    if isinstance(became, Rejected):
        effects.key = event.customer_id.encode()
        effects.refuse(became, encode_journal(event))
        return False
    counts[RESTATED, became] += 1
    return became == "taken"
