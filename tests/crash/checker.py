"""The judge of a finished run: reads every topic with kafka-python and proves that nothing was lost, doubled or moved.

    python -m tests.crash.checker BOOTSTRAP PREFIX APPLICATION_ID PARTITIONS

`check` takes plain lists, so that it can be tested without a broker; `judge` reads them. Shares with the pipeline the
meaning of the fold and the decoders of the contract, and none of its reading, batching, positions or restoring.
"""

import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

from tests.crash.evidence import Evidence, Finding
from tests.crash.fold_laws import check_fold
from tests.crash.intake_laws import check_intake
from tests.crash.output_laws import check_outputs
from tests.crash.reading import Reader
from tests.crash.reference import Expected, fold
from tests.crash.workload import RAW_TOPICS

SHOWN_MAX = 20
JUDGES = 2


class Report(NamedTuple):
    """What was judged and what was found."""

    findings: list[Finding]
    records: dict[str, int]
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether every law holds."""
        return not self.findings

    def names(self) -> set[str]:
        """The kinds of findings."""
        return {finding.name for finding in self.findings}

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.records.items())
        if self.exact:
            return f"exact: {counts} ({self.seconds:.1f} s)"
        kinds = Counter(finding.name for finding in self.findings)
        lines = [f"{len(self.findings)} findings {dict(kinds)} in {counts}", *map(str, self.findings[:SHOWN_MAX])]
        return "\n  ".join(lines)


class Application(NamedTuple):
    """Where to find a run: the broker, and the names and settings of its deployment."""

    bootstrap: str
    prefix: str
    application_id: str
    partitions: int
    raw_topics: tuple[str, ...]
    """By their full names."""
    event_clock: bool = False
    dedupe: bool = True


def check(evidence: Evidence, expected: Expected | None = None) -> Report:
    """Judge a run; `expected` is what its journal folds to, where that is known."""
    started = time.perf_counter()
    part = _merged(check_arrival(evidence), check_standing(evidence, expected))
    return part._replace(seconds=time.perf_counter() - started)


def check_arrival(evidence: Evidence) -> Report:
    """The laws of the raw topics, the journal and the dead letters of intake."""
    raw = sum(len(entries) for entries in evidence.raw.values())
    records = {"raw": raw, "journal": len(evidence.journal), "dead letters": len(evidence.dead_letters)}
    return Report(list(check_intake(evidence)), records, 0.0)


def check_standing(evidence: Evidence, expected: Expected | None = None) -> Report:
    """The laws of everything that is made from the journal."""
    expected = expected or fold(evidence.journal, evidence.partitions, dedupe=evidence.dedupe)
    records = {
        "customers": len(expected.states),
        "tier changes": len(evidence.tier_changes),
        "risk changes": len(evidence.churn_risk),
        "notices": len(evidence.notices),
        "profiles": len(evidence.profiles),
    }
    return Report([*check_outputs(evidence), *check_fold(evidence, expected)], records, 0.0)


def judge(application: Application) -> Report:
    """Read and judge a run, each half of the laws in a process of its own: Python reads Kafka on one core only."""
    started = time.perf_counter()
    arrival, standing = _pool().submit(_judge_arrival, application), _pool().submit(_judge_standing, application)
    report = _merged(arrival.result(), standing.result())
    return report._replace(seconds=time.perf_counter() - started)


@cache
def _pool() -> ProcessPoolExecutor:
    """Two processes for all judgments: importing what they need takes longer than judging a small run."""
    return ProcessPoolExecutor(JUDGES, mp_context=get_context("spawn"))


def prepare() -> None:
    """Have the processes begin to import; who has a run judged before they have done so waits for them."""
    for _ in range(JUDGES):
        _pool().submit(_imported)


def _imported() -> None:
    """Whoever is asked for this has imported all that judging needs."""


def _merged(one: Report, other: Report) -> Report:
    return Report(one.findings + other.findings, one.records | other.records, 0.0)


def _judge_arrival(application: Application) -> Report:
    read = Reader(application.bootstrap).read
    raw = {topic: read(topic) for topic in application.raw_topics}
    return check_arrival(_evidence(application)._replace(raw=raw))


def _judge_standing(application: Application) -> Report:
    read, prefix = Reader(application.bootstrap).read, application.prefix
    return check_standing(
        _evidence(application)._replace(
            changelog=read(f"{application.application_id}-customers-changelog"),
            tier_changes=read(prefix + "tier-changes"),
            churn_risk=read(prefix + "churn-risk"),
            notices=read(prefix + "notices"),
            profiles=read(prefix + "customer-profiles"),
        )
    )


def _evidence(application: Application) -> Evidence:
    """What both halves need: the journal and the dead letters."""
    read, prefix = Reader(application.bootstrap).read, application.prefix
    return Evidence(
        partitions=application.partitions,
        raw={},
        journal=read(prefix + "customer-events"),
        changelog=[],
        tier_changes=[],
        churn_risk=[],
        notices=[],
        profiles=[],
        dead_letters=read(prefix + "dead-letters"),
        journal_topic=prefix + "customer-events",
        event_clock=application.event_clock,
        dedupe=application.dedupe,
    )


if __name__ == "__main__":
    broker, name_prefix, application_name, partition_count = sys.argv[1:5]
    raw_names = tuple(name_prefix + topic for topic in RAW_TOPICS)
    verdict = judge(Application(broker, name_prefix, application_name, int(partition_count), raw_names))
    sys.stdout.write(f"{verdict}\n")
    sys.exit(not verdict.exact)
