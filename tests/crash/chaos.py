"""Everything that can happen to workers and broker, one disturbance at a time, drawn by the run's dice.

One seed gives one order of disturbances; what they hit is the scheduler's to say, so a seed makes a failure likely
again, not certain.
"""

import signal
import time
from typing import Final

from agents.embedded import EmbeddedKafka
from tests.crash.forked_worker import CRASHED, ON_REBALANCE, POINTS
from tests.crash.harness import Worker, wait_until
from tests.crash.run import Run

NAMES: Final = ("w1", "w2", "w3")
FROZEN_S: Final = (2.0, 10.0)  # a session is 6 s
BROKER_DOWN_S: Final = (0.0, 5.0)
POINT_WITHIN_S: Final = 6.0
LAWFUL_EXITS: Final = frozenset({0, -signal.SIGKILL, CRASHED, 10, 16})
"""Ended in order, killed, died at a point, fenced after a freeze, started while the broker was down."""

WEIGHTS: Final = {
    "kill": 30,
    "kill_all": 5,
    "die_at_a_point": 25,
    "freeze": 10,
    "terminate": 10,
    "join_or_leave": 14,
    "kill_broker": 4,
    "restart_broker": 2,
}
"""Disturbances, each a method of `Chaos`, and how often each is drawn."""


class Chaos:
    """Disturbs a run until told otherwise; notes what it did."""

    def __init__(self, run: Run, broker: EmbeddedKafka) -> None:
        self.run, self.broker, self.dice = run, broker, run.dice
        self.done: dict[str, int] = {}

    def disturb(self) -> None:
        """One disturbance; before it, whoever has ended starts again, as under a supervisor."""
        self._revive()
        kind = self.dice.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        self.done[kind] = self.done.get(kind, 0) + 1
        getattr(self, kind)()
        self.run.pause(0.1, 3.0)

    def kill(self) -> None:
        """SIGKILL, started again at once or a little later."""
        worker = self._any()
        worker.kill()
        if self.dice.random() < 0.5:
            self.run.pause(0.0, 8.0)
        worker.start()

    def kill_all(self) -> None:
        """The machine is gone."""
        for worker in self._wanted():
            worker.kill()
            worker.wanted = True

    def die_at_a_point(self) -> None:
        """Death in the middle of a commit, a restore or a rebalance."""
        worker = self._any()
        worker.kill()
        worker.start(self.dice.choice(list(POINTS)), self.dice.randrange(1, 30))
        if self.dice.random() < 0.3 or worker.crash_at in ON_REBALANCE:
            self.join_or_leave()
        until = time.monotonic() + POINT_WITHIN_S
        while worker.alive() and time.monotonic() < until:
            time.sleep(0.05)

    def freeze(self) -> None:
        """SIGSTOP, sometimes past the session; the zombie then wakes."""
        worker = self._any()
        worker.signal(signal.SIGSTOP)
        self.run.pause(*FROZEN_S)
        worker.signal(signal.SIGCONT)

    def terminate(self) -> None:
        """SIGTERM, and a new life."""
        worker = self._any()
        worker.signal(signal.SIGTERM)
        wait_until(lambda: not worker.alive(), 20, f"the end of {worker.name} after SIGTERM")
        worker.start()

    def join_or_leave(self) -> None:
        """A third worker comes, or goes for good, in order or not."""
        third = self.run.deployment.worker(NAMES[2])
        if not third.alive():
            third.start()
        elif self.dice.random() < 0.5:
            third.kill()
        else:
            third.terminate()

    def kill_broker(self) -> None:
        """SIGKILL for the broker, and some seconds without one."""
        self.broker.kill()
        self.run.pause(*BROKER_DOWN_S)
        self.broker.start()

    def restart_broker(self) -> None:
        """An orderly restart of the broker."""
        self.broker.restart()

    def _wanted(self) -> list[Worker]:
        return [worker for worker in self.run.deployment.workers.values() if worker.wanted]

    def _any(self) -> Worker:
        return self.dice.choice(self._wanted())

    def _revive(self) -> None:
        for worker in self._wanted():
            code = worker.returncode
            assert code is None or code in LAWFUL_EXITS, f"{worker.name} ended with {code}, log {worker.log}"
        self.run.deployment.revive(self.run.say)
