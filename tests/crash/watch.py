"""Liveness: every partition of every stage commits, not only some.

A test of contents alone passed once while half of the partitions were dead. A watch reads the committed end of each
changelog partition every half second, in its own thread, and remembers the longest standstill of each.
"""

import threading
import time
from contextlib import suppress
from typing import Self

from kafka.errors import KafkaError

from tests.crash.harness import ADVANCE_S, Ends, StandstillError

STAGES = ("intake", "customers")
PAUSE_S = 0.5


class Watch:
    """Watches the changelogs of one application while its input never pauses."""

    def __init__(self, bootstrap: str, application: str, partitions: int) -> None:
        self._ends = Ends(bootstrap)
        self._topics = [f"{application}-{stage}-changelog" for stage in STAGES]
        self._partitions = partitions
        self._stopping = threading.Event()
        self._since: dict[tuple[str, int], float] = {}
        self._seen: dict[tuple[str, int], int] = {}
        self.longest_s: dict[tuple[str, int], float] = {}
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> Self:
        """Begin to watch; the standstill of each partition counts from now."""
        now = time.monotonic()
        self._since = {(topic, n): now for topic in self._topics for n in range(self._partitions)}
        self._thread.start()
        return self

    def stop(self) -> float:
        """Stop watching; returns the longest standstill in seconds."""
        self._stopping.set()
        self._thread.join()
        self._ends.close()
        now = time.monotonic()
        for place, since in self._since.items():
            self.longest_s[place] = max(self.longest_s.get(place, 0.0), now - since)
        return max(self.longest_s.values())

    def require(self, limit_s: float = ADVANCE_S) -> None:
        """Stop, and raise StandstillError if any partition stood still for longer than the limit."""
        self.stop()
        dead = {place: round(length) for place, length in self.longest_s.items() if length > limit_s}
        if dead:
            raise StandstillError(f"no commit for longer than {limit_s} s: {dead}")

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            with suppress(KafkaError):  # a broker may be down on purpose; the standstill counts on
                self._look()

    def _look(self) -> None:
        for topic in self._topics:
            for number, end in self._ends.of(topic, self._partitions).items():
                place, now = (topic, number), time.monotonic()
                if self._seen.get(place) != end:
                    self.longest_s[place] = max(self.longest_s.get(place, 0.0), now - self._since[place])
                    self._seen[place], self._since[place] = end, now
