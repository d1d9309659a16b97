"""When a partition commits: often enough for fresh input, seldom enough for the cost, never with too much pending."""

import math
import time

from agents.runtime.engine_settings import Pace

COMMIT_LAG_MAX_S = 1.0
"""A commit under way for longer stops the fold until it is done: what is pending must stay bounded."""
WORK_PER_COMMIT_S = 0.1
"""So much of what time alone changes is done between two commits, by all partitions together. Each customer costs as
much again to encode and to write, and a live event that comes meanwhile waits for the commit before it and its own."""
WORK_BESIDE_EVENTS_S = 0.015
"""The same while events come: each second of due work costs them several, by all that is written for it."""
EVENTS_LATELY_S = 1.0
FRESH_S = 0.5
CATCH_UP_INTERVAL_MAX_S = 1.0
"""How far apart commits may be while a partition catches up; memory is bounded by the records of a commit as ever."""


class CommitClock:
    """Knows when the last commit began, and says when the next one may; times are `time.monotonic()`."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.started = 0.0
        """When the last commit began."""
        self._worked_s = 0.0
        self._events_at = -math.inf

    def met_events(self) -> None:
        """Take note that events are being folded."""
        self._events_at = time.monotonic()

    def worked(self, seconds: float) -> None:
        """Take note of due work done."""
        self._worked_s += seconds

    @property
    def work_done(self) -> bool:
        """Whether due work waits until the next commit takes what was done."""
        quiet = time.monotonic() - self._events_at > EVENTS_LATELY_S
        return self._worked_s >= (WORK_PER_COMMIT_S if quiet else WORK_BESIDE_EVENTS_S)

    def taken(self) -> None:
        """Take note that what was done is being taken for a commit."""
        self._worked_s = 0.0

    def begin(self) -> None:
        """Take note that a commit begins now."""
        self.started = time.monotonic()

    def due_at(self, folded: int, oldest_ms: int) -> float:
        """Return when `folded` pending records, the oldest of which arrived at `oldest_ms`, are to be committed."""
        if folded >= self._pace.commit_records_max:
            return 0.0
        return self.started + self._interval_s(folded, oldest_ms)

    def saturated(self, folded: int, committing_s: float) -> bool:
        """Whether no more may be folded for now; the partition's part of a commit has been open for `committing_s`."""
        return folded >= self._pace.commit_records_max or committing_s > COMMIT_LAG_MAX_S

    def _interval_s(self, folded: int, oldest_ms: int) -> float:
        """Seconds between commits: longer when what is pending had lain waiting for long.

        A commit writes each touched customer whole, so few large ones cost a third less than many small ones, and of
        100 ms more or less nobody gains who is seconds behind. Half of the age beyond FRESH_S: the waiting that this
        itself causes can never lengthen it further.
        """
        interval_s = self._pace.commit_interval_s
        if not folded:
            return interval_s
        late_s = time.time() - oldest_ms / 1000 - FRESH_S
        return max(interval_s, min(late_s / 2, CATCH_UP_INTERVAL_MAX_S))
