"""Runs a demo: the script in its thread, and around it what happens several times a second.

Here the workers are watched, killed and started again, keys are obeyed and the screen is drawn; and at the end,
whatever the end was, everything is stopped.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import FrameType

import msgspec

from agents.demo.board import Board
from agents.demo.cdnow import BEGINS_AT, ENDS_AT
from agents.demo.chaos import Chaos
from agents.demo.conclusion import Summary, sum_up
from agents.demo.ground import TIME_ZONE, Options
from agents.demo.screen import Screen
from agents.demo.script import Script
from agents.errors import TierstreamError

FRAME_S = 0.15
"""Between two drawings: fast enough to look alive, slow enough to leave the processor to the workers."""
RATE_EVERY_S = 1.0
READY_AFTER_S = 2.5
"""A worker that has run so long has joined the group."""
NOTICE_S = 3.0
FAREWELL_S = 5.0
"""How long a cancelled script may take to notice."""


class Outcome(msgspec.Struct, frozen=True):
    """How a demo ended."""

    summary: Summary | None
    """None when the user stopped it before its end."""
    exact: bool
    evidence: str
    """The folder that was kept because something was wrong; else empty."""


def run_demo(options: Options, screen: Screen) -> Outcome:
    """Run it to its end, or until the user stops it. Raises what broke it; in no case anything is left running."""
    board = Board(
        begins_at=BEGINS_AT,
        ends_at=ENDS_AT,
        time_zone=TIME_ZONE,
        purchases_only=options.purchases_only,
        made_up=options.simulated_customers > 0,
    )
    script = Script(options, board)
    unclear = True
    try:
        with _signals_as_interrupts(), screen:
            script.start()
            _Attendant(script, board, screen, Chaos(live=options.live) if options.chaos else None).attend()
        if script.failure is not None:
            raise script.failure
        exact = script.findings is None or script.findings.verdict.exact
        unclear = not exact
    except KeyboardInterrupt:
        unclear = False
        raise
    except TierstreamError as error:
        error.where = error.where or str(script.logs)
        raise
    finally:
        script.cancel()
        script.over(FAREWELL_S)
        script.close(keep=unclear and script.pool is not None)
    summary = sum_up(board, script.findings.directions) if script.findings else None
    return Outcome(summary, exact, str(script.ground.folder) if unclear else "")


class _Attendant:
    """Looks after the workers and the screen while the script runs."""

    def __init__(self, script: Script, board: Board, screen: Screen, chaos: Chaos | None) -> None:
        self._script, self._board, self._screen, self._chaos = script, board, screen, chaos
        self._dice = Random()  # noqa: S311 - luck, not secrecy
        self._started = self._rated_at = time.monotonic()
        self._rated_events = self._rated_kills = 0
        self._notice_until = 0.0

    def attend(self) -> None:
        """Until the script has ended, or the user wants no more."""
        over = False
        while not over:
            over = self._script.over(FRAME_S)
            now = time.monotonic()
            self._board.elapsed_s = now - self._started
            self._rate(now)
            key = self._screen.key()
            if key == "q":
                return
            self._workers(now, kill=key == "k")
            self._screen.show(self._board)

    def _workers(self, now: float, *, kill: bool) -> None:
        pool, board = self._script.pool, self._board
        if pool is None:
            return
        pool.revive()
        if self._chaos is not None and self._script.events_flow and self._chaos.strikes(now):
            kill = True
        if kill and (name := pool.kill_one(self._dice)):
            board.notice, self._notice_until = f"kill -9 {name}", now + NOTICE_S
        if now > self._notice_until:
            board.notice = ""
        board.kills = pool.kills
        board.workers = [worker.shown(READY_AFTER_S) for worker in pool.workers]

    def _rate(self, now: float) -> None:
        if now - self._rated_at >= RATE_EVERY_S:
            events = self._board.purchases_in + self._board.simulated_in
            self._board.events_per_s = max(0, events - self._rated_events) / (now - self._rated_at)
            killed = self._board.kills > self._rated_kills
            self._board.seconds.append((self._board.events_per_s, killed))
            self._rated_at, self._rated_events, self._rated_kills = now, events, self._board.kills


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does: in order."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
