"""A partition of the customers stage with customers whom one order made silver: what its tests begin with."""

import json
from typing import Any, TypeVar

from agents.customers import CustomersPartition
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import (
    BrowseActivity,
    OrderCompleted,
    OrderRefunded,
    OverrideCleared,
    OverrideSet,
    TierMatchGranted,
)
from tests.journal import (
    Committed,
    Journal,
    Published,
    customers_stage,
    default_policy,
    fold_all,
)

AT = 1_767_225_600_000
"""2026-01-01T00:00Z: an order of 100 makes silver, until 2027-01-01, with grace until 2027-01-31."""
LEAVES, FALLS = AT + 365 * MS_PER_DAY, AT + 395 * MS_PER_DAY
STRICT = """
[policy]
name = "strict"
[[ladder]]
id = "standing"
grace = "30 days"
[[ladder.tier]]
id = "member"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "silver"
enter.any = [{ metric = "spend", window = "365 days", at_least = "900.00" }]
"""


def order(customer: str = "c1", number: int = 1, total: int = 10_000) -> OrderCompleted:
    """An order that makes silver."""
    return OrderCompleted(
        id=f"e{number}",
        time=format_instant(AT),
        customer_id=customer,
        order_id=f"o{number}",
        currency="USD",
        total_minor=total,
    )


def refund(order_id: str, customer: str = "c1") -> OrderRefunded:
    return OrderRefunded(
        id=f"r-{order_id}",
        time=format_instant(AT),
        customer_id=customer,
        order_id=order_id,
        refund_id="r",
        currency="USD",
        refund_minor=1,
    )


def visit(customer: str = "c1", at: int = AT) -> BrowseActivity:
    return BrowseActivity(id=f"v{at}", time=format_instant(at), customer_id=customer, action="search")


Decision = TypeVar("Decision", bound=OverrideSet | OverrideCleared | TierMatchGranted)


def by_hand(
    kind: type[Decision], tier: str = "gold", *, number: int = 1, ladder: str = "standing", until: int | None = None
) -> Decision:
    """A decision of Ann's about c1."""
    return kind(
        id=f"d{number}",
        source="/desk",
        time=format_instant(AT),
        customer_id="c1",
        ladder=ladder,
        tier=tier,
        reason="complaint 17",
        actor="ann",
        valid_until=format_instant(until) if until is not None else None,
    )


def journal_with_orders(*customers: str) -> Journal:
    """A journal in which each of these customers became silver."""
    journal = Journal()
    journal.activate(default_policy(), 0)
    for customer in customers or ("c1",):
        journal.event(order(customer), AT)
    return journal


def open_partition(journal: Journal) -> CustomersPartition:
    """A partition that has folded the journal, its first commit done."""
    partition = customers_stage().partition(0)
    partition.ready()
    fold_all(partition, journal.records)
    partition.drain()
    partition.committed()
    return partition


def published(partition: CustomersPartition) -> dict[str, list[Published]]:
    """What a partition wants published now, by topic."""
    return {topic: [Published(*record) for record in found] for (topic, _), found in partition.drain().outputs.items()}


def audited(committed: Committed | dict[str, list[Published]], kind: str) -> list[dict[str, Any]]:
    """Entries of a kind in the audit."""
    topics = committed.topics if isinstance(committed, Committed) else committed
    entries = [json.loads(record.value or b"{}") for record in topics.get("audit", [])]
    return [entry for entry in entries if entry["type"] == kind]
