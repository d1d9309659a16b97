"""Where the board is shown: a live screen with keys on a terminal, one line per step elsewhere."""

import os
import select
import sys
import termios
import tty
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from agents.demo.board import Board
from agents.demo.view import draw, verdict

LAST_VIEW_LINES_MAX = 40
"""What stays on the terminal after the end."""


class Screen(Protocol):
    """Shows a board several times a second, and says what key was pressed."""

    def __enter__(self) -> Self:
        """Take over the terminal, as far as needed."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back as it was."""

    def show(self, board: Board) -> None:
        """Show the board as it is now."""

    def key(self) -> str:
        """The key that was pressed since the last call, or nothing."""


class LiveScreen:
    """The terminal's second page, drawn anew in place; single keys are read without Enter."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._board: Board | None = None
        self._input = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._give_back = ExitStack()

    def __enter__(self) -> Self:
        if self._input is not None:
            before = termios.tcgetattr(self._input)
            self._give_back.callback(termios.tcsetattr, self._input, termios.TCSADRAIN, before)
            tty.setcbreak(self._input)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._give_back.close()
        if self._board is not None and error is None:  # the second page is gone: leave the last view on the first
            self._board.keys = False
            width, height = self._console.size
            self._console.print(draw(self._board, width, min(height - 1, LAST_VIEW_LINES_MAX)))

    def show(self, board: Board) -> None:
        """Draw it over the last one."""
        board.keys = self._input is not None
        self._board = board
        width, height = self._console.size
        self._live.update(draw(board, width, height), refresh=True)

    def key(self) -> str:
        """In lower case; nothing when standard input is no terminal."""
        if self._input is None or not select.select([self._input], [], [], 0)[0]:
            return ""
        return os.read(self._input, 1).decode(errors="replace").lower()


class Lines:
    """For pipes and logs: each step once, when it is done, and the verdict."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, board: Board) -> None:
        """Print what is new."""
        for step in board.steps:
            if step.state in {"done", "failed"} and step.label not in self._said:
                self._said.add(step.label)
                self._console.print(f"{board.elapsed_s:6.1f} s  {step.label}: {step.detail}", highlight=False)
        if board.lost is not None and "verdict" not in self._said:
            self._said.add("verdict")
            self._console.print(verdict(board))

    def key(self) -> str:
        """Nobody is there to press one."""
        return ""
