"""What a restore that stands says of the transaction it waits for; who holds a real one is tried on real Kafka."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

from agents.runtime import holders
from agents.runtime.cluster import Cluster
from agents.runtime.holders import ABANDONED, Holder, Standstill

WAITS = "the restore waits for a transaction to end"


@pytest.mark.parametrize(
    ("state", "said_in_the_end"),
    [
        ("Ongoing", WAITS),
        ("PrepareCommit", WAITS),
        ("PrepareAbort", WAITS),
        ("CompleteCommit", ABANDONED),
        ("Empty", ABANDONED),
        ("unknown", ABANDONED),
    ],
)
async def test_a_transaction_that_nobody_ends_is_told_from_one_that_is_being_ended(
    monkeypatch: pytest.MonkeyPatch, state: str, said_in_the_end: str
) -> None:
    """At the second look: at the first it may have ended between asking the leader and the coordinator."""
    held = Holder("shop-customers-w1", 7, 3, state, first_offset=41)

    async def found(_cluster: object, _tp: TopicPartition) -> list[Holder]:
        return [held]

    monkeypatch.setattr(holders, "holders_of", found)
    now = 0.0
    monkeypatch.setattr(holders, "time", SimpleNamespace(monotonic=lambda: now))
    standstill = Standstill(Cluster("127.0.0.1:1", client_id="test"), TopicPartition("shop-customers-changelog", 2))
    with capture_logs() as said:
        for now in (0.0, 2.0, 3.5, 9.0, 14.0):  # noqa: B007 - the clock reads it
            await standstill.look(41)

    assert [line["event"] for line in said] == [WAITS, said_in_the_end]
    assert (said[-1]["partition"], said[-1]["first_offset"], said[-1]["state"]) == (2, 41, state)
    assert ("see" in said[-1]) is (said_in_the_end == ABANDONED)
