"""Trials over journals written by hand, folded without a broker."""

from agents.replay.entry import Entry
from agents.shadow.pair import Pair
from agents.shadow.trial import SINCE_EVER, Trial
from schemas.clock import format_instant
from schemas.shadow import ShadowChanged
from streams.policy.model import Policy
from streams.policy.parse import canonical
from tests.journal import HOME, Journal

POINTS = """
[policy]
name = "points"
[[ladder]]
id = "standing"
[[ladder.tier]]
id = "member"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "silver"
enter.any = [{ metric = "spend", window = "365 days", at_least = "LIMIT" }]
"""


def trial_of(policy: Policy, opens_at: int = 0, effective_at: int | None = None) -> Trial:
    """A trial that begins at a position; in force since ever, or from an instant on."""
    since = SINCE_EVER if effective_at is None else format_instant(effective_at)
    return Trial(
        id="trial",
        name=policy.name,
        hash=policy.hash,
        text=canonical(policy),
        effective_at=since,
        started_at=since,
        positions=(opens_at,),
    )


def pair_of(trial: Trial) -> Pair:
    """An empty one."""
    return Pair(HOME, trial, dedupe=True, decoded_max=100)


def take(pair: Pair, journal: Journal, first: int = 0) -> list[tuple[bytes, ShadowChanged]]:
    """Fold a journal's records and let time pass; what is to be published."""
    for record in journal.records[first:]:
        pair.take(Entry(record.key or b"", record.value or b"", 0, record.offset, 0))
    pair.reached(len(journal.records))
    pair.settle()
    return [(one.key, one.known.decision) for one in pair.differences.drain()]
