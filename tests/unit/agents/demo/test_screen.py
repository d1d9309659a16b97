"""Without a terminal, the demo tells each step once."""

import io

from rich.console import Console

from agents.demo.board import Board, Step
from agents.demo.screen import Lines


def test_each_step_is_told_once_when_it_is_done() -> None:
    """And the verdict once, at the end; nothing is drawn."""
    said = io.StringIO()
    lines = Lines(Console(file=said, width=200))
    board = Board(begins_at=0, ends_at=1, steps=[Step("Kafka", "running"), Step("Check")])
    with lines:
        lines.show(board)
        board.elapsed_s = 2.5
        board.steps[0].state, board.steps[0].detail = "done", "answers"
        lines.show(board)
        lines.show(board)
        board.purchases_in, board.kills, board.lost, board.doubled = 69_659, 3, 0, 0
        lines.show(board)
        lines.show(board)
    assert said.getvalue().splitlines() == [
        "   2.5 s  Kafka: answers",
        "69,659 in · 3 kills · 0 lost · 0 doubled",
    ]
    assert lines.key() == ""
