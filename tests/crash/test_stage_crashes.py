"""The customers stage under crashes, without a broker: same journal, same bytes, at any batch size and restart history.

A journal of simulated days is folded in random slices and commits; now and then everything uncommitted is thrown away
and a new partition is restored from the changelog, as after `kill -9`. What was committed must be what the reference
fold of the whole journal gives. Needs none of the runtime, so a thousand crashes cost seconds.
"""

import random
from collections import Counter, defaultdict
from functools import cache
from time import perf_counter

import pytest

from agents.customers import CustomersPartition, CustomersStage
from agents.runtime.stage import Record
from schemas.catalog import TOPICS
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import ClockAdvanced, ClockClosed, control_key, encode_journal
from tests.crash.evidence import Entry, Evidence
from tests.crash.fold_laws import check_fold
from tests.crash.reference import Expected, fold
from tests.crash.sample import STARTED_MS, Log, activation, journalled
from tests.crash.workload import Mix, Shop

DAYS = 450
CUSTOMERS = 120
ACTIVATED_ON = 200
STRICTER = {"at_least = 3": "at_least = 5"}


@cache
def simulated(seed: int, *, stale_stamps: bool) -> tuple[list[Entry], Expected]:
    """A simulated journal, and what it folds to: for all who fold it otherwise."""
    journal = simulated_journal(seed, stale_stamps=stale_stamps)
    return journal, fold(journal, 1)


def simulated_journal(seed: int, *, stale_stamps: bool = False) -> list[Entry]:
    """One partition with a tick a day: purchases thin out, so that silence has its say; closed at the end.

    A second policy is put in force two weeks after it was written. With `stale_stamps`, some records were stamped
    before ticks that they follow, as a bound topic with its producers' own stamps may have them.
    """
    dice = random.Random(seed)
    shop = Shop(seed, Mix(customers=CUSTOMERS, partitions=1, hostile=0.0, backdated=0.0, repeated=0.05))
    log = Log()
    log.append(0, *activation(STARTED_MS))
    for day in range(DAYS):
        now_ms = STARTED_MS + day * MS_PER_DAY
        count = dice.randrange(12) if dice.random() < 1 - day / DAYS else 0
        for at in sorted(now_ms + dice.randrange(MS_PER_DAY) for _ in range(count)):
            stamp = at - dice.randrange(5 * MS_PER_DAY) if stale_stamps and dice.random() < 0.2 else at
            log.append(0, *journalled(shop.record(at).value, stamp), [])
        if day == ACTIVATED_ON:
            log.append(0, *activation(now_ms + 14 * MS_PER_DAY, STRICTER))
        log.append(0, *control(ClockAdvanced(instant=format_instant(now_ms + MS_PER_DAY), home=(0, 1))))
    log.append(0, *control(ClockClosed(instant=format_instant(STARTED_MS + (DAYS + 40) * MS_PER_DAY), home=(0, 1))))
    return log.entries()


def control(record: ClockAdvanced | ClockClosed) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """A clock record as `Log.append` takes it."""
    return control_key(record), encode_journal(record), []


class Committed:
    """What a broker would hold: only what was committed."""

    def __init__(self) -> None:
        self.position = 0
        self.changelog: dict[bytes, bytes | None] = {}
        self.published: dict[str, Log] = defaultdict(Log)

    def commit(self, partition: CustomersPartition, position: int) -> None:
        """One transaction."""
        batch = partition.drain()
        partition.committed()
        self.changelog |= dict(batch.states)
        for (topic, number), records in batch.outputs.items():
            for key, value, headers in records:
                self.published[topic].append(number, key, value or b"", [(n, v or b"") for n, v in headers])
        self.position = position

    def evidence(self, journal: list[Entry]) -> Evidence:
        """The topics as the checker reads them."""
        changelog = [Entry(key, value, [], 0, n, 0) for n, (key, value) in enumerate(self.changelog.items())]
        return Evidence(
            partitions=1,
            raw={},
            journal=journal,
            changelog=changelog,
            tier_changes=self.published["tier-changes"].entries(),
            churn_risk=self.published["churn-risk"].entries(),
            notices=self.published["notices"].entries(),
            profiles=self.published["customer-profiles"].entries(),
            dead_letters=self.published["dead-letters"].entries(),
        )


def run(journal: list[Entry], dice: random.Random, *, crashes: bool) -> Committed:
    """Fold and commit at random; returns what was committed when nothing was left to do."""
    stage = CustomersStage(
        "customer-events", {name: name for name in TOPICS}, 1, decoded_max=20, dedupe=True, counts=Counter()
    )
    records = [Record("customer-events", 0, e.offset, e.timestamp, 1, e.key, e.value, ()) for e in journal]
    committed = Committed()
    partition, taken = restored(stage, committed), committed.position
    more = True
    while more or taken < len(records):
        part = records[taken : taken + dice.choice((1, 7, 100, 1_000))]
        if part:
            taken += partition.fold(part, perf_counter() + dice.choice((-1.0, 0.001)))
        more = partition.work(perf_counter() + dice.choice((-1.0, 0.001)))
        if dice.random() < 0.3 or (not more and taken == len(records)):
            committed.commit(partition, taken)
        if crashes and dice.random() < (0.1 if taken < len(records) else 0.5):
            partition, taken, more = restored(stage, committed), committed.position, True
    committed.commit(partition, taken)
    return committed


def restored(stage: CustomersStage, committed: Committed) -> CustomersPartition:
    """A new partition with everything that was committed."""
    partition = stage.partition(0)
    partition.restore(committed.changelog.items())
    partition.ready()
    return partition


@pytest.mark.parametrize("crashes", [False, True], ids=["batches", "crashes"])  # one after the other: one journal
@pytest.mark.parametrize("stale_stamps", [False, True], ids=["ordered", "stale"])
@pytest.mark.parametrize("seed", range(4))
def test_batches_and_crashes_leave_no_trace(seed: int, stale_stamps: bool, crashes: bool) -> None:  # noqa: FBT001 - parametrised
    """Whatever the batches and wherever it was killed, what is committed is the fold of the journal."""
    journal, expected = simulated(seed, stale_stamps=stale_stamps)
    assert sum(map(len, expected.changes["churn-risk"].values())) > 100
    assert sum(map(len, expected.changes["tier-changes"].values())) > 100

    committed = run(journal, random.Random(seed), crashes=crashes)

    findings = list(check_fold(committed.evidence(journal), expected))
    assert findings == [], "\n".join(map(str, findings[:5]))
    closings = [entry for entry in committed.published["audit"].entries() if b'"clock.closed"' in (entry.value or b"")]
    assert len(closings) == 1, "the end of the clock is told once, when all that was due has run"
