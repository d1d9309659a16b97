"""Whether customers are counted for a policy that has not come. Asks the cluster what was declared."""

from collections.abc import Iterator, Sequence

from agents.doctor.findings import Finding, Level
from agents.policy_activation import declared_counters
from agents.settings import Settings
from streams.policy.model import OrderFilter


def check_counters(settings: Settings) -> Iterator[Finding]:
    """Ask what was declared."""
    yield from judge_counters(declared_counters(settings) or ())


def judge_counters(waiting: Sequence[OrderFilter]) -> Iterator[Finding]:
    """Counters wait for their policy only while an activation counts the past."""
    if not waiting:
        return
    yield Finding(
        check="counters",
        level=Level.WARNING,
        what="An activation has not come to its end.",
        where=", ".join(where.name for where in waiting),
        why="customers are counted for a policy that is not in force: the activation still runs, or was given up",
        remedy="the same `tierstream policy activate FILE` again goes on; to give it up: tierstream policy abandon",
    )
