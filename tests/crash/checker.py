"""The judge of a finished run: reads every topic with kafka-python and proves that nothing was lost, doubled or moved.

    python -m tests.crash.checker BOOTSTRAP PREFIX APPLICATION_ID PARTITIONS

`check` takes plain lists, so that it can be tested without a broker; `gather` reads them. Shares with the pipeline the
meaning of the fold and the decoders of the contract, and none of its reading, batching, positions or restoring.
"""

import sys
import time
from collections import Counter
from typing import NamedTuple

from tests.crash.evidence import Evidence, Finding
from tests.crash.fold_laws import check_fold
from tests.crash.intake_laws import check_intake
from tests.crash.output_laws import check_outputs
from tests.crash.reading import Reader
from tests.crash.reference import fold
from tests.crash.workload import RAW_TOPICS

SHOWN_MAX = 20


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


def check(evidence: Evidence) -> Report:
    """Judge a run."""
    started = time.perf_counter()
    expected = fold(evidence.journal, evidence.partitions, dedupe=evidence.dedupe)
    findings = [*check_intake(evidence), *check_outputs(evidence), *check_fold(evidence, expected)]
    records = {
        "raw": sum(len(entries) for entries in evidence.raw.values()),
        "journal": len(evidence.journal),
        "customers": len(expected.states),
        "tier changes": len(evidence.tier_changes),
        "risk changes": len(evidence.churn_risk),
        "profiles": len(evidence.profiles),
        "dead letters": len(evidence.dead_letters),
    }
    return Report(findings, records, time.perf_counter() - started)


def gather(
    bootstrap: str,
    prefix: str,
    application_id: str,
    partitions: int,
    *,
    raw_topics: tuple[str, ...] | None = None,
    event_clock: bool = False,
    dedupe: bool = True,
) -> Evidence:
    """Read all topics of one application; `raw_topics` by their full names, our six by default."""
    read = Reader(bootstrap).read
    sources = raw_topics or tuple(prefix + topic for topic in RAW_TOPICS)
    return Evidence(
        partitions=partitions,
        raw={topic: read(topic) for topic in sources},
        journal=read(prefix + "customer-events"),
        changelog=read(f"{application_id}-customers-changelog"),
        tier_changes=read(prefix + "tier-changes"),
        churn_risk=read(prefix + "churn-risk"),
        profiles=read(prefix + "customer-profiles"),
        dead_letters=read(prefix + "dead-letters"),
        journal_topic=prefix + "customer-events",
        event_clock=event_clock,
        dedupe=dedupe,
    )


if __name__ == "__main__":
    verdict = check(gather(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
    sys.stdout.write(f"{verdict}\n")
    sys.exit(not verdict.exact)
