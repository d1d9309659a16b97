"""What folding leaves behind besides the state: decisions to publish, records to refuse, counts."""

from typing import NamedTuple
from uuid import NAMESPACE_DNS, UUID, uuid5

from schemas.decisions import Cause, ChurnRiskChanged, TierChanged
from schemas.rejections import Rejected
from streams.customer.state import CustomerState

NAMESPACE = uuid5(NAMESPACE_DNS, "tierstream")


class Trigger(NamedTuple):
    """Why something is judged now."""

    cause: Cause
    event_id: str | None
    at: int
    """The instant as of which it is judged."""
    occurred_at: int | None
    """When what triggered it happened; None for time and policies."""


class Change(NamedTuple):
    """A decision with its derived id."""

    topic: str
    decision: TierChanged | ChurnRiskChanged
    id: UUID


class Refused(NamedTuple):
    """A journal record that can't be used."""

    rejected: Rejected
    value: bytes


class Effects:
    """Collects, for one customer at a time; whoever folds empties it."""

    __slots__ = ("changes", "customer_id", "refused", "repeated", "trigger")

    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self.changes: list[Change] = []
        self.refused: list[Refused] = []
        self.repeated = 0
        self.trigger: Trigger | None = None
        """Why the revision rose last; None: it has not."""

    def raised(self, state: CustomerState, trigger: Trigger) -> None:
        """Something that is published changes: the revision rises, and the profile will say why."""
        state.revision += 1
        self.trigger = trigger

    def publish(self, topic: str, decision: TierChanged | ChurnRiskChanged, change_id: UUID) -> None:
        """A change to publish, in order."""
        self.changes.append(Change(topic, decision, change_id))

    def refuse(self, rejected: Rejected, value: bytes) -> None:
        """A record for the dead letters."""
        self.refused.append(Refused(rejected, value))


def output_id(
    customer_id: str, kind: str, sequence: int, policy_hash: str, effective_at: int, event_id: str | None
) -> UUID:
    """The id of an output.

    Derived, so that a repeat is recognised, and never the same for a customer who was erased and seen again.
    """
    return uuid5(
        NAMESPACE, "\0".join((customer_id, kind, str(sequence), policy_hash, str(effective_at), event_id or ""))
    )
