"""The end of a demo: what the topics hold is read, checked, written as files and summed up."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from agents.demo.board import Board
from agents.demo.inspection import Found, Share, inspect
from agents.demo.verify import Verdict, verify_arrival
from agents.processes import Told, in_processes
from agents.replay.event_files import FILES, Line, write_file
from agents.settings import EVENT_CLOCK_TOPIC, Settings
from schemas.events import InputEvent
from streams.policy.model import Policy
from streams.policy.parse import canonical

PROCESSES_MAX = 4


class Summary(msgspec.Struct, kw_only=True):
    """The line that `tierstream demo --exit` prints."""

    events: int
    purchases: int
    simulated: int
    """Events other than purchases."""
    customers: int
    changes: dict[str, int]
    """By kind; changes of tier also by direction."""
    tiers: dict[str, int]
    """Customers in each tier at the end."""
    churn_risk: dict[str, int]
    """Customers in each band at the end."""
    kills: int
    lost: int
    doubled: int
    wrong: int
    seconds: float


class Findings:
    """What the shares found, taken together."""

    def __init__(self, parts: Sequence[Found], sent: Sequence[InputEvent]) -> None:
        self.verdict = Verdict()
        self.directions: Counter[str] = Counter()
        self.lines: dict[str, list[Line]] = {topic: [] for topic in FILES}
        self._boards = [part.board for part in parts]
        for part in parts:
            self.verdict.add(part.verdict)
            self.directions += part.directions
            for topic, lines in part.lines.items():
                self.lines[topic] += lines
        verify_arrival(self.verdict, sent, (identity for part in parts for identity in part.arrived))

    def show_on(self, board: Board) -> None:
        """Bring the board to the very end, whatever the live view had missed, and show the verdict."""
        for name in ("purchases_in", "simulated_in", "tier_changes", "risk_changes"):
            setattr(board, name, sum(getattr(part, name) for part in self._boards))
        for levels in ("tiers", "bands"):
            shares = zip(*(getattr(part, levels) for part in self._boards), strict=True)
            added = [msgspec.structs.replace(s[0], customers=sum(level.customers for level in s)) for s in shares]
            setattr(board, levels, added)
        board.simulated_at = board.ends_at
        board.lost, board.doubled, board.wrong = self.verdict.lost, self.verdict.doubled, self.verdict.wrong

    def write_files(self, folder: Path) -> int:
        """Write all files; returns the number of their lines."""
        return sum(write_file(folder, topic, lines) for topic, lines in self.lines.items())


def examine(
    settings: Settings, policy: Policy, sent: Sequence[InputEvent], *, with_lines: bool, told: Told
) -> Findings:
    """Read everything and check it, on as many processors as there are. What `told` raises ends it."""
    topics = {name: settings.topic(name) for name in FILES} | {"raw": settings.topic(EVENT_CLOCK_TOPIC)}
    numbers = range(settings.kafka.partitions)
    count = min(len(numbers), os.cpu_count() or 1, PROCESSES_MAX)
    shares = [
        Share(settings.kafka.bootstrap, topics, frozenset(numbers[first::count]), canonical(policy), with_lines)
        for first in range(count)
    ]
    return Findings(in_processes(inspect, shares, told), sent)


def sum_up(board: Board, directions: Counter[str]) -> Summary:
    """The figures of a board that shows the very end."""
    return Summary(
        events=board.purchases_in + board.simulated_in,
        purchases=board.purchases_in,
        simulated=board.simulated_in,
        customers=board.customers,
        changes={"tier_changed": board.tier_changes, **directions, "churn_risk_changed": board.risk_changes},
        tiers={level.id: level.customers for level in board.tiers},
        churn_risk={level.id: level.customers for level in board.bands},
        kills=board.kills,
        lost=board.lost or 0,
        doubled=board.doubled or 0,
        wrong=board.wrong or 0,
        seconds=round(board.elapsed_s, 1),
    )
