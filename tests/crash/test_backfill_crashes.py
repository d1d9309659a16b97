"""A history and its go-live under crashes, without a broker: killed anywhere, everybody is told, and nobody twice.

The journal is that of `test_stage_crashes`, its first half marked as a history with live events among it. The reference
introduces everybody at once; the stage does it in slices, killed in the middle as often as the dice want.
"""

import json
import random
from collections import Counter
from functools import cache

import pytest

from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import GoLive, control_key, encode_journal
from tests.crash.evidence import Entry
from tests.crash.fold_laws import check_fold
from tests.crash.reference import Expected, fold
from tests.crash.sample import STARTED_MS, Log
from tests.crash.test_stage_crashes import Committed, run, simulated_journal

LIVE_ON_DAY = 180
AGAIN_ON_DAYS = (260, 300)
"""A second history is loaded between these days."""
CHANCES = 6
"""Lives of one journal: a go-live is over in a few slices, and the dice have to hit it."""
LIVE_SHARE = 0.1
"""Share of live events among a history."""


@cache
def with_history(seed: int) -> tuple[list[Entry], Expected]:
    """A journal with histories, and what it folds to."""
    journal = journal_with_history(seed)
    return journal, fold(journal, 1)


def journal_with_history(seed: int) -> list[Entry]:
    """The simulated journal, with two histories in it that each go live; a go-live too many changes nothing."""
    dice = random.Random(seed)
    log = Log()
    lives = [STARTED_MS + day * MS_PER_DAY for day in (LIVE_ON_DAY, LIVE_ON_DAY + 3, AGAIN_ON_DAYS[1])]
    for entry in simulated_journal(seed):
        record = json.loads(entry.value or b"{}")
        stamp = record.get("recordedtime") or record.get("instant")
        while lives and stamp and stamp > format_instant(lives[0]):
            live = GoLive(instant=format_instant(lives.pop(0)), home=(0, 1))
            log.append(0, control_key(live), encode_journal(live), [])
        if "recordedtime" in record and _in_history(stamp) and dice.random() > LIVE_SHARE:
            record["backfill"] = True
        log.append(0, entry.key, json.dumps(record).encode() if "recordedtime" in record else entry.value or b"", [])
    return log.entries()


def _in_history(stamp: str) -> bool:
    days = [format_instant(STARTED_MS + day * MS_PER_DAY) for day in (0, LIVE_ON_DAY, *AGAIN_ON_DAYS)]
    return days[0] <= stamp <= days[1] or days[2] <= stamp <= days[3]


@pytest.mark.parametrize("crashes", [False, True], ids=["batches", "crashes"])
@pytest.mark.parametrize("seed", range(2))
def test_everybody_is_introduced_once_wherever_it_was_killed(seed: int, crashes: bool) -> None:  # noqa: FBT001 - parametrised
    """What is committed is the reference's, byte for byte; and each go-live introduces a customer at most once."""
    journal, expected = with_history(seed)

    for chance in range(CHANCES if crashes else 1):
        judge(journal, expected, run(journal, random.Random(chance), crashes=crashes))


def judge(journal: list[Entry], expected: Expected, committed: Committed) -> None:
    """What was committed against what had to be."""
    findings = list(check_fold(committed.evidence(journal), expected))
    assert findings == [], "\n".join(map(str, findings[:5]))
    for topic in ("tier-changes", "churn-risk"):
        told = [json.loads(entry.value or b"{}")["data"] for entry in committed.published[topic].entries()]
        introduced = Counter((d["customer_id"], d["effective_at"][:7]) for d in told if d["cause"] == "initial")
        assert len(introduced) > 50
        assert set(introduced.values()) == {1}
        assert {d["cause"] for d in told} >= {"backfill", "initial", "time"}
        first_live = next(n for n, d in enumerate(told) if d["cause"] == "initial")
        assert {d["cause"] for d in told[:first_live]} == {"backfill"}
    audit = [json.loads(entry.value or b"{}")["type"] for entry in committed.published["audit"].entries()]
    assert (audit.count("backfill.began"), audit.count("go-live")) == (2, 2)
