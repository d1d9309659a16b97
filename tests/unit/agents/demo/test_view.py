"""The demo's screen fits the terminal and says what the board says."""

import io

import pytest
from rich.console import Console

from agents.demo.board import Board, Change, Level, Step, Worker
from agents.demo.cdnow import BEGINS_AT, ENDS_AT
from agents.demo.view import draw
from schemas.clock import MS_PER_DAY

SIZES = ((80, 24), (100, 30), (160, 45))


def running() -> Board:
    """A board in the middle of a run."""
    board = Board(begins_at=BEGINS_AT, ends_at=ENDS_AT, keys=True)
    board.simulated_at = BEGINS_AT + 100 * MS_PER_DAY
    board.tiers = [Level("member", "Member", 8_123), Level("silver", "Silver", 3_921), Level("gold", "Gold", 812)]
    board.bands = [Level("low", "low", 3_000), Level("medium", "medium", 0)]
    for number in range(60):
        board.changes.appendleft(
            Change(
                kind="tier",
                effective_at=board.simulated_at,
                customer_id=f"cdnow-{number:05d}",
                before="Silver",
                after="Gold",
                direction=1,
                reasons=("spend 365 d 257.30 ≥ 250.00 USD",),
                by_time=False,
            )
        )
    board.workers = [Worker("worker-1", 4_711, "working", 12.0, 1), Worker("worker-2", 4_712, "starting")]
    board.events_per_s = 3_122.0
    board.seconds.extend([(1_000.0, True), (3_122.0, False)])
    board.purchases_in, board.simulated_in, board.kills = 31_000, 88_000, 1
    return board


def screen(board: Board, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), record=True, force_terminal=True)
    console.print(draw(board, width, height))
    return console.export_text().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_screen_fills_the_terminal_exactly(width: int, height: int) -> None:
    """One line more would scroll, one column more would wrap: both flicker."""
    lines = screen(running(), width, height)
    assert len(lines) == height
    assert max(len(line) for line in lines) <= width


def test_the_board_is_shown_with_its_units() -> None:
    """Date, throughput, mix, changes with reasons, workers and kills."""
    text = "\n".join(screen(running(), 100, 30))
    for expected in (
        "Fri 11 Apr 1997",
        "week 15 of 78",
        "3,122 events/s",
        "31,000 purchases",
        "88,000 simulated",
        "12,856 customers",
        "Gold",
        "812",
        "6.3%",
        "Silver → Gold",
        "spend 365 d 257.30 ≥ 250.00 USD",
        "worker-1  working   pid 4711",
        "killed once",
        "31,000 in · 1 kill · ? lost · ? doubled",
        "kill a worker",
    ):
        assert expected in text


def test_the_highest_tier_stands_on_top() -> None:
    """As people draw a ladder."""
    lines = screen(running(), 100, 30)
    rows = [next(i for i, line in enumerate(lines) if f"│ {name} " in line) for name in ("Gold", "Silver", "Member")]
    assert rows == sorted(rows)


def test_newest_changes_come_first_and_wide_terminals_show_seconds() -> None:
    """The list begins with the newest; more room, more of them."""
    wide = screen(running(), 160, 45)
    changes = [line for line in wide if "Silver → Gold" in line]
    assert "cdnow-00059" in changes[0]
    assert "1997-04-11 00:00:00Z" in changes[0]
    assert any("1997-04-11 00:00Z" in line for line in screen(running(), 100, 30))
    assert any("11 Apr cdnow" in line for line in screen(running(), 80, 24))
    assert len(changes) > len([line for line in screen(running(), 100, 30) if "Silver → Gold" in line])


def test_before_the_first_change_the_steps_are_shown() -> None:
    """Nobody looks at an empty screen while Kafka starts."""
    board = Board(begins_at=BEGINS_AT, ends_at=ENDS_AT)
    board.steps = [Step("Kafka", "done", "127.0.0.1:4711"), Step("Workers", "running"), Step("Feed")]
    text = "\n".join(screen(board, 100, 30))
    assert "✔ Kafka  127.0.0.1:4711" in text
    assert "▸ Workers" in text
    assert "Wed 01 Jan 1997" in text


def test_the_verdict_is_shown_once_it_is_known() -> None:
    """Question marks until the check has run; what is wrong shows only when something is."""
    board = running()
    board.kills, board.lost, board.doubled, board.wrong = 3, 0, 0, 0
    assert "31,000 in · 3 kills · 0 lost · 0 doubled" in screen(board, 100, 30)[-1]
    board.lost, board.wrong = 2, 1
    assert "2 lost · 0 doubled · 1 wrong" in screen(board, 100, 30)[-1]


def test_reasons_are_shown_as_far_as_there_is_room() -> None:
    """The first always; narrow terminals say how many more there are."""
    board = running()
    board.changes.appendleft(
        Change(
            kind="tier",
            effective_at=board.simulated_at,
            customer_id="cdnow-00028",
            before="Silver",
            after="Member",
            direction=-1,
            reasons=("spend 365 d 25.74 < 90.00 USD", "orders 365 d 1 < 3"),
            by_time=True,
        )
    )
    assert any("25.74 < 90.00 USD, orders 365 d 1 < 3 by time" in line for line in screen(board, 160, 45))
    assert any("25.74 < 90.00 USD +1" in line for line in screen(board, 100, 30))


def test_a_simulated_shop_is_not_passed_off_as_real() -> None:
    """The title says that nobody is real, and what is no purchase is counted as other."""
    board = running()
    board.made_up = True
    text = "\n".join(screen(board, 100, 30))
    assert "nobody here is real" in text
    assert "88,000 others" in text
    assert "CDNOW" not in text
