"""What the customers stage writes into the audit: entries as they stand there, without the release."""

from collections.abc import Iterable

from schemas.events import Event, OverrideCleared, OverrideSet, TierMatchGranted, type_of
from schemas.journal import CountersDeclared, ModelActivated, PolicyActivated
from streams.customer.state import CustomerState
from streams.policy.model import OrderFilter
from streams.recount import withdraws
from streams.regime import Regime

Entry = dict[str, object]
DECIDED_BY_HAND = frozenset({OverrideSet, OverrideCleared, TierMatchGranted})
"""Events that are people's decisions about a tier: each one that is taken stands in the audit."""


def activation(event: PolicyActivated | ModelActivated, lacking: Iterable[OrderFilter]) -> Entry:
    """A policy or model that was put in force; or was not, because it needs what was not counted."""
    refused = [where.name for where in lacking]
    what = "model" if isinstance(event, ModelActivated) else "policy"
    entry: Entry = {"type": f"{what}.refused" if refused else f"{what}.activated", what: event.name}
    entry |= {"hash": event.hash, "effective_at": event.effective_at}
    return entry | ({"not_counted": refused} if refused else {})


def declaration(event: CountersDeclared, filters: Iterable[OrderFilter]) -> Entry:
    """Counters that a policy to come needs, so that who is new is counted for them; or that none needs any more."""
    what = "withdrawn" if withdraws(event) else "declared"
    return {"type": f"counters.{what}", "id": event.id, "counters": [where.name for where in filters]}


def by_hand(event: Event, key: bytes, state: CustomerState, regime: Regime) -> Entry:
    """A decision about a tier that was taken: who, why, until when, and on which tier the customer stands now."""
    assert isinstance(event, OverrideSet | OverrideCleared | TierMatchGranted)  # noqa: S101 - whoever calls has looked
    place = next(n for n, ladder in enumerate(regime.policy.ladders) if ladder.id == event.ladder)
    shown = state.ladders[place].shown
    return {
        "type": type_of(event),
        "event_id": event.id,
        "source": event.source,
        "customer_id": key.decode(),
        "ladder": event.ladder,
        "tier": event.tier or None,
        "reason": event.reason,
        "actor": event.actor,
        "valid_until": event.valid_until,
        "stands_at": regime.policy.ladders[place].tiers[shown - 1].id if shown else None,
    }
