"""Liveness: every partition of every stage commits, not only some.

A test of contents alone passed once while half of the partitions were dead. A watch reads the committed end of each
changelog partition again and again, in its own thread, and remembers the longest standstill of each.
"""

import threading
import time
from contextlib import suppress
from typing import Self

from kafka.errors import KafkaError

from tests.crash.harness import ADVANCE_S, Ends, Place, StandstillError

STAGES = ("intake", "customers")
PAUSE_S = 0.2


class Watch:
    """Watches the changelogs of one application while its input never pauses."""

    def __init__(self, bootstrap: str, application: str, partitions: int) -> None:
        self._ends = Ends(bootstrap)
        self._topics = [f"{application}-{stage}-changelog" for stage in STAGES]
        self._partitions = partitions
        self._stopping = threading.Event()
        self._began = time.monotonic()
        self._since: dict[Place, float] = {}
        self._seen: dict[Place, int] = {}
        self._moved: set[Place] = set()
        self.longest_s: dict[Place, float] = {}
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> Self:
        """Begin to watch; the standstill of each partition counts from now."""
        self._began = time.monotonic()
        self._since = {(topic, n): self._began for topic in self._topics for n in range(self._partitions)}
        self._thread.start()
        return self

    def all_advance(self, limit_s: float) -> float:
        """Wait until every partition has advanced, and stop; returns the seconds since the start.

        Raises StandstillError, naming the partitions, when the limit passes first.
        """
        try:
            while missing := self._since.keys() - self._moved:
                if time.monotonic() - self._began > limit_s:
                    raise StandstillError(f"no commit within {limit_s} s: {sorted(missing)}")
                time.sleep(PAUSE_S / 2)
            return time.monotonic() - self._began
        finally:
            self.stop()

    def stop(self) -> float:
        """Stop watching; returns the longest standstill in seconds."""
        self._stopping.set()
        self._thread.join()
        self._ends.close()
        now = time.monotonic()
        for place, since in self._since.items():
            self.longest_s[place] = max(self.longest_s.get(place, 0.0), now - since)
        return max(self.longest_s.values())

    def require(self, limit_s: float = ADVANCE_S) -> float:
        """Stop, and raise StandstillError if any partition stood still for longer than the limit."""
        longest_s = self.stop()
        dead = {place: round(length) for place, length in self.longest_s.items() if length > limit_s}
        if dead:
            raise StandstillError(f"no commit for longer than {limit_s} s: {dead}")
        return longest_s

    def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(KafkaError):  # a broker may be down on purpose; the standstill counts on
                self._look()
            self._stopping.wait(PAUSE_S)

    def _look(self) -> None:
        for place, end in self._ends.of(self._topics, self._partitions).items():
            seen, now = self._seen.get(place), time.monotonic()
            if seen is not None and seen != end:
                self.longest_s[place] = max(self.longest_s.get(place, 0.0), now - self._since[place])
                self._since[place] = now
                self._moved.add(place)
            self._seen[place] = end
