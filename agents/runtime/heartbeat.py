"""Tells from inside the event loop that it still turns, and how late; a thread that looks in from outside reads it."""

import asyncio
import time

from agents.metrics import RuntimeMetrics
from agents.runtime.restore import RestoreProgress

BEAT_S = 1.0


class Heartbeat:
    """A task of its own: nothing that waits for a broker may make the loop look dead."""

    def __init__(self, metrics: RuntimeMetrics, restores: RestoreProgress) -> None:
        self._metrics, self._restores = metrics, restores
        self.turned_at = time.monotonic()

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self.turned_at = time.monotonic()
            self._metrics.loop_lag.set(self.turned_at - due)
            self._metrics.restoring.set(self._restores.partitions)
            self._metrics.restore_remaining.set(self._restores.remaining)
            self._metrics.restored.inc(self._restores.take_counted())
