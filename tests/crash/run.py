"""One run: a deployment under constant load, disturbed by a test, then settled and judged.

    with Run(kafka.bootstrap, tmp_path, "kills", seed=1) as run:
        run.start("w1")
        ...disturb...
        run.finish()

`finish` lets the load go on until every partition of every stage has committed again, stops it, waits until all is
folded, ends the workers in order and has the checker judge every topic. On any failure the folder with the logs of
every life is printed, and what the brokers and workers say in that moment is left there.
"""

import random
import secrets
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.crash.checker import Application, Report, judge
from tests.crash.feeder import Feeder
from tests.crash.harness import ADVANCE_S, Deployment, Ends, Place, wait_until
from tests.crash.standstill import dump
from tests.crash.watch import STAGES, Watch
from tests.crash.workload import RAW_TOPICS, Mix

RATE: Final = 200
QUIET_S: Final = 2.0
SETTLED_WITHIN_S: Final = 120.0
"""Patience: how long it takes to fold what was left undone on a busy machine is promised by nobody."""
STARTED_WITHIN_S: Final = 60.0
"""Likewise the start of the first processes."""
FED_WITHIN_S: Final = 120.0
"""And how long producers at a constant rate need in truth."""


class Run:
    """A deployment, its producers and its judge."""

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        name: str,
        *,
        seed: int,
        rate: int = RATE,
        mix: Mix | None = None,
        **settings: dict[str, Any],
    ) -> None:
        self.bootstrap, self.seed = bootstrap, seed
        self.dice = random.Random(seed ^ 0x5EED)
        # A run that is repeated on the same broker has topics and transactional ids of its own.
        self.deployment = Deployment(bootstrap, f"{name}-{seed}-{secrets.token_hex(2)}", folder, **settings)
        self.partitions = self.deployment.partitions
        mix = (mix or Mix())._replace(partitions=self.partitions)
        self.event_clock = settings.get("intake", {}).get("clock") == "event"
        self.dedupe = bool(settings.get("intake", {}).get("dedupe", True))
        if not self.dedupe:
            mix = mix._replace(repeated=0.0)
        self.feeder = Feeder(bootstrap, self.deployment.prefix, seed=seed, rate=rate, mix=mix)
        self.raw_topics = tuple(self.deployment.prefix + topic for topic in RAW_TOPICS)
        self.began = time.monotonic()
        self._fed = False

    def __enter__(self) -> Self:
        self.deployment.create_topics()
        self.say("topics created")
        self.feeder.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.say(f"FAILED with seed {self.seed}; logs of every life in {self.deployment.folder}")
            dump(self.deployment)
        if not self._fed:
            self.feeder.stop(strict=False)
        self.deployment.close()

    def say(self, words: str) -> None:
        """A line for the reader of a failed test."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.1f} {words}\n")

    def start(self, *names: str, from_nothing: bool = False) -> None:
        """Start workers and wait until every partition of both stages commits."""
        watch = self.watch()
        self.deployment.start(*names, from_nothing=from_nothing)
        self.say(f"{', '.join(names)} at work after {watch.all_advance(STARTED_WITHIN_S):.1f} s")

    def opened(self) -> None:
        """Wait until every customer partition is at work: the policy's activation is folded."""
        ends = Ends(self.bootstrap)
        changelog = f"{self.deployment.name}-customers-changelog"
        wait_until(lambda: all(ends.of([changelog], self.partitions).values()), STARTED_WITHIN_S, "the first commits")
        ends.close()

    def fed(self, count: int) -> None:
        """Wait until so many records were sent at least, for what a run must have seen to prove anything."""
        wait_until(lambda: self.feeder.shop.sent >= count, FED_WITHIN_S, f"that {count} records are sent")

    def pause(self, least_s: float, most_s: float) -> None:
        """Let a random time pass."""
        time.sleep(self.dice.uniform(least_s, most_s))

    def watch(self) -> Watch:
        """Watch all partitions from now on."""
        return Watch(self.bootstrap, self.deployment.name, self.partitions).start()

    def advance(self, within_s: float = ADVANCE_S) -> None:
        """Wait until every partition has committed again; StandstillError when that takes longer."""
        self.say(f"every partition committed again within {self.watch().all_advance(within_s):.1f} s")

    def finish(self, *, within_s: float = ADVANCE_S) -> Report:
        """Settle, stop everything in order, judge. Fails unless all is exact."""
        self.deployment.revive(self.say)
        self.advance(within_s)
        self.stop_feeding()
        self.settle()
        self.say("settled")
        codes = self.deployment.terminate()
        self.say("ended")
        assert set(codes.values()) <= {0}, f"exit codes {codes}, logs in {self.deployment.folder}"
        return self.judge()

    def stop_feeding(self) -> None:
        """Stop the producers; everything they sent is acknowledged."""
        self._fed = True
        self.say(f"{self.feeder.stop()} records fed")

    def settle(self, quiet_s: float = QUIET_S) -> None:
        """Wait until all is committed: the lag is 0 for every tool that asks, no transaction is open, nothing moves."""
        ends = Ends(self.bootstrap)
        inputs = [*self.raw_topics, self.deployment.prefix + "customer-events"]
        changelogs = [f"{self.deployment.name}-{stage}-changelog" for stage in STAGES]
        seen: dict[Place, int] = {}
        since = time.monotonic()

        def quiet() -> bool:
            nonlocal seen, since
            written = ends.of([*inputs, *changelogs], self.partitions, committed=False)
            lag = ends.lag(self.deployment.name, {place: end for place, end in written.items() if place[0] in inputs})
            if written != seen or written != ends.of([*inputs, *changelogs], self.partitions):
                seen, since = written, time.monotonic()
                return False
            return not lag and time.monotonic() - since >= quiet_s

        wait_until(quiet, SETTLED_WITHIN_S, "an end of all lag")
        ends.close()

    def judge(self) -> Report:
        """Have every topic checked; fails unless all is exact."""
        deployment = self.deployment
        report = judge(
            Application(
                self.bootstrap,
                deployment.prefix,
                deployment.name,
                self.partitions,
                self.raw_topics,
                self.event_clock,
                self.dedupe,
            )
        )
        self.say(str(report))
        assert report.exact, f"seed {self.seed}: {report}\nlogs in {deployment.folder}"
        return report
