"""The demo's board follows what was committed."""

from collections import Counter

import msgspec
import pytest

from agents.demo.board import Board
from agents.demo.cdnow import BEGINS_AT, ENDS_AT, read_purchases
from agents.demo.follow import LINE_EVERY_S, Follower
from schemas.decisions import TierChanged
from schemas.journal import is_control_key
from tests.unit.agents.demo.builders import demo_policy, journal_of, orders_of, outputs_of

PURCHASES = [purchase for purchase in read_purchases() if int(purchase.customer) <= 60]
JOURNAL = journal_of(orders_of(PURCHASES))
OUTPUTS = outputs_of(JOURNAL)


@pytest.fixture
def board() -> Board:
    """An empty board."""
    return Board(begins_at=BEGINS_AT, ends_at=ENDS_AT)


@pytest.fixture
def follower(board: Board) -> Follower:
    """A follower of the demo's policy."""
    return Follower(board, demo_policy())


def test_levels_are_those_of_the_policy(board: Board, follower: Follower) -> None:
    """Tiers and bands stand there, empty, before anything is known."""
    assert isinstance(follower, Follower)
    assert [level.label for level in board.tiers] == ["Member", "Silver", "Gold", "Platinum"]
    assert [level.label for level in board.bands] == ["low", "medium", "high", "very high"]
    assert board.customers == 0


def test_the_mix_counts_each_customer_where_they_stand_last(board: Board, follower: Follower) -> None:
    """Counts equal the last change of each customer."""
    last = {}
    for held in OUTPUTS["tier-changes"]:
        follower.tier_changed(held.value or b"")
        changed = msgspec.json.decode(held.value or b"", type=dict[str, msgspec.Raw])["data"]
        decision = msgspec.json.decode(changed, type=TierChanged)
        last[decision.customer_id] = decision.tier.name if decision.tier else None
    assert {level.label: level.customers for level in board.tiers if level.customers} == Counter(last.values())
    assert board.customers == len(last) == 60
    assert board.tier_changes == len(OUTPUTS["tier-changes"])


def test_events_are_counted_as_purchases_or_simulated(board: Board, follower: Follower) -> None:
    """Control records are neither."""
    for held in JOURNAL:
        follower.journal(held.key, held.value or b"")
    assert (board.purchases_in, board.simulated_in) == (len(PURCHASES), 0)
    assert any(is_control_key(held.key) for held in JOURNAL)
    follower.journal(b"c", b'{"source":"tierstream-demo/simulated"}')
    assert board.simulated_in == 1


def test_simulated_time_is_that_of_the_newest_change(board: Board, follower: Follower) -> None:
    """It never runs back, whatever partition is read next."""
    newest = 0
    for second, held in enumerate(OUTPUTS["churn-risk"]):
        follower.risk_changed(held.value or b"")
        follower.show(float(second))
        assert board.simulated_at >= newest
        newest = board.simulated_at
    assert BEGINS_AT < newest < ENDS_AT


def test_lines_come_at_a_pace_that_can_be_read(board: Board, follower: Follower) -> None:
    """Of all changes between two lines, one is shown."""
    for held in OUTPUTS["tier-changes"]:
        follower.tier_changed(held.value or b"")
    follower.show(100.0)
    assert len(board.changes) == 1
    follower.tier_changed(OUTPUTS["tier-changes"][0].value or b"")
    follower.show(100.0 + LINE_EVERY_S / 2)
    assert len(board.changes) == 1
    follower.show(100.0 + LINE_EVERY_S)
    assert len(board.changes) == 2


def test_kinds_of_change_take_turns_and_first_standings_come_last(board: Board, follower: Follower) -> None:
    """Downgrades are rarer than first memberships, and more worth seeing."""
    for second in range(4):
        for held in OUTPUTS["tier-changes"]:
            follower.tier_changed(held.value or b"")
        for held in OUTPUTS["churn-risk"]:
            follower.risk_changed(held.value or b"")
        follower.show(float(second))
    assert {(change.kind, change.direction) for change in board.changes} == {
        ("tier", 1),
        ("tier", -1),
        ("risk", 1),
        ("risk", -1),
    }


def test_a_change_says_why(board: Board, follower: Follower) -> None:
    """What was measured, what was asked for, and whether time alone did it."""
    for held in OUTPUTS["tier-changes"]:
        follower.tier_changed(held.value or b"")
        follower.show(board.tier_changes)
    up = next(change for change in board.changes if change.after == "Gold" and change.direction == 1)
    down = next(change for change in board.changes if change.direction == -1)
    assert up.reasons[0].startswith("spend 365 d ")
    assert up.reasons[0].endswith(" ≥ 250.00 USD")
    assert (up.by_time, down.by_time) == (False, True)
    follower.risk_changed(OUTPUTS["churn-risk"][1].value or b"")
    follower.show(1e9)
    assert board.changes[0].reasons[0].startswith("no purchase in 90 d ")
