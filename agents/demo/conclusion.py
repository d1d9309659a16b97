"""The end of a demo: what the topics hold is read once, checked, written as files and summed up."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from agents.demo.board import Board
from agents.demo.files import FILES, write_topic
from agents.demo.follow import Follower
from agents.demo.reading import Held, read_all
from agents.demo.refold import TOPICS as CHANGES
from agents.demo.verify import Verdict, verify
from agents.settings import EVENT_CLOCK_TOPIC, Settings
from schemas.events import InputEvent
from streams.policy.model import Policy

JOURNAL = "customer-events"

Progress = Callable[[int, int, str], None]
"""How many of how many, of what."""


class Summary(msgspec.Struct, kw_only=True):
    """The line that `tierstream demo --exit` prints."""

    events: int
    purchases: int
    simulated: int
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


class Findings(msgspec.Struct):
    """What the topics hold, and the verdict on it."""

    verdict: Verdict
    held: dict[str, list[Held]]
    """By catalogue name: the journal and all outputs."""


def examine(settings: Settings, sent: Sequence[InputEvent], progress: Progress) -> Findings:
    """Read everything and check it."""
    held: dict[str, list[Held]] = {}
    for number, topic in enumerate(FILES):
        progress(number, len(FILES), "topics read")
        held[topic] = list(read_all(settings.kafka.bootstrap, settings.topic(topic)))
    raw = read_all(settings.kafka.bootstrap, settings.topic(EVENT_CLOCK_TOPIC))
    published = {topic: held[topic] for topic in CHANGES}
    verdict = verify(sent, raw, held[JOURNAL], published, tick=lambda n, of: progress(n, of, "events folded anew"))
    return Findings(verdict, held)


def show_final(board: Board, findings: Findings, policy: Policy) -> Counter[str]:
    """Bring the board to the very end, whatever the live view had missed; returns the changes by kind."""
    board.purchases_in = board.simulated_in = board.tier_changes = board.risk_changes = 0
    changes = board.changes.copy()
    follower = Follower(board, policy)
    for held in findings.held[JOURNAL]:
        follower.journal(held.key, held.value or b"")
    for held in findings.held["tier-changes"]:
        follower.tier_changed(held.value or b"")
    for held in findings.held["churn-risk"]:
        follower.risk_changed(held.value or b"")
    board.changes = changes
    board.simulated_at = board.ends_at
    verdict = findings.verdict
    board.lost, board.doubled, board.wrong = verdict.lost, verdict.doubled, verdict.wrong
    return follower.directions


def write_files(folder: Path, findings: Findings) -> int:
    """Write all files; returns the number of their lines."""
    return sum(write_topic(folder, topic, findings.held[topic]) for topic in FILES)


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
