"""What a demo does, in order; runs in a thread of its own, so that the screen stays alive.

Every step that takes time is on the board. The failure that ended the script is kept for whoever waits for it.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from agents.demo.board import Board, Step
from agents.demo.cdnow import CUSTOMERS
from agents.demo.conclusion import Findings, Progress, examine, show_final, write_files
from agents.demo.feeding import demo_events, paced, send_all
from agents.demo.follow import Follower, Watch
from agents.demo.ground import Ground, Options
from agents.demo.settling import wait_until_folded
from agents.demo.workers import WorkerPool
from agents.kafka_clients import admin_client
from agents.policy_activation import activate_first, configured_policy
from agents.topics import create_and_align
from schemas.events import InputEvent
from streams.policy.model import Policy

WATCHED = ("customer-events", "tier-changes", "churn-risk")
STEPS = ("Purchases", "Kafka", "Topics", "Workers", "Events", "Folding", "Check")


class CancelledError(Exception):
    """The demo was told to stop."""


class Script(threading.Thread):
    """The demo from the first file to the verdict."""

    def __init__(self, options: Options, board: Board) -> None:
        super().__init__(name="script", daemon=True)
        self._options, self._board = options, board
        board.steps = [Step(name) for name in (*STEPS, *(("Files",) if options.out else ()))]
        self._steps = {step.label: step for step in board.steps}
        self.ground = Ground(options, self._downloaded)
        self.pool: WorkerPool | None = None
        """The workers, from their start on."""
        self.findings: Findings | None = None
        """What the topics hold and the verdict on it; None until the end."""
        self.directions: Counter[str] = Counter()
        """Changes of tier by direction, at the end."""
        self.failure: BaseException | None = None
        self.events_flow = False
        """From the first event until all is folded: killing somebody at another time proves nothing."""
        self._cancelled = threading.Event()
        self._watch: Watch | None = None

    def cancel(self) -> None:
        """End soon."""
        self._cancelled.set()

    def close(self, *, keep: bool) -> None:
        """Stop whatever runs; call it when the thread has ended, or cannot be waited for."""
        if self._watch is not None:
            self._watch.stop()
        if self.pool is not None:
            self.pool.stop()
        self.ground.close(keep=keep)

    def run(self) -> None:
        """Go through all steps."""
        try:
            self._play()
        except CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for the thread
            self.failure = error

    def _play(self) -> None:
        with self._step("Purchases") as step:
            events = demo_events(purchases_only=self._options.purchases_only)
            step.detail = f"{len(events):,} events of {CUSTOMERS:,} customers"
        policy = self._prepare()
        self.events_flow = True
        with self._step("Events") as step:
            self._feed(events, step)
        with self._step("Folding") as step:
            settings = self.ground.settings
            wait_until_folded(settings.kafka.bootstrap, settings.topic("audit"), self._settling(step))
            step.detail = "all partitions have closed their clock"
        self.events_flow = False
        with self._step("Check") as step:
            self.findings = examine(settings, events, self._checking(step))
            self.directions = show_final(self._board, self.findings, policy)
            step.detail = "; ".join(self.findings.verdict.examples) or "equal to an independent fold of the journal"
        if self._options.out is not None:
            with self._step("Files") as step:
                step.detail = f"{write_files(self._options.out, self.findings):,} lines in {self._options.out}"

    def _prepare(self) -> Policy:
        """Everything up to the first event: broker, topics, policy, workers, and somebody to watch them."""
        with self._step("Kafka") as step:
            self.ground.open()
            settings = self.ground.settings
            step.detail = f"answers on {settings.kafka.bootstrap}"
        with self._step("Topics") as step:
            policy = configured_policy(settings)
            with admin_client(settings) as admin:
                create_and_align(admin, settings)
            activate_first(settings, policy)
            rules = f"policy {policy.name} in {policy.currency}, days of {policy.time_zone}"
            step.detail = f"{settings.kafka.partitions} partitions each; {rules}"
        with self._step("Workers") as step:
            self._start_workers()
            step.detail = f"{self._options.workers} processes"
        follower = Follower(self._board, policy)
        if self._options.live:
            topics = {name: settings.topic(name) for name in WATCHED}
            self._watch = Watch(settings.kafka.bootstrap, follower, topics)
            self._watch.start()
        return policy

    def _start_workers(self) -> None:
        command = (sys.executable, "-m", "agents.cli", "worker", "--config", str(self.ground.settings_path))
        logs = self.ground.folder / "logs"
        pool = WorkerPool(self._options.workers, command, logs, self.ground.worker_environment)
        self.pool = pool
        pool.start()

    def _feed(self, events: Sequence[InputEvent], step: Step) -> None:
        def told(sent: int) -> None:
            self._go_on()
            step.detail = f"{sent:,} of {len(events):,} sent"

        flow: Iterable[InputEvent] = events
        if self._options.live:
            flow = paced(events, self._options.days_per_s, self._pause, time.monotonic)
        send_all(self.ground.settings, flow, told)

    def _pause(self, seconds: float) -> None:
        self._cancelled.wait(seconds)
        self._go_on()

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise CancelledError

    def _settling(self, step: Step) -> Callable[[int, int], None]:
        def progress(closed: int, of: int) -> None:
            self._go_on()
            step.detail = f"{closed} of {of} partitions have come to the end"

        return progress

    def _checking(self, step: Step) -> Progress:
        def progress(done: int, of: int, what: str) -> None:
            self._go_on()
            step.detail = f"{done:,} of {of:,} {what}"

        return progress

    def _downloaded(self, done: int, of: int) -> None:
        self._go_on()
        self._steps["Kafka"].detail = f"{done} of {of} files downloaded, once for this machine"

    @contextmanager
    def _step(self, label: str) -> Iterator[Step]:
        step = self._steps[label]
        self._go_on()
        step.state = "running"
        try:
            yield step
        except BaseException:
            step.state = "failed"
            raise
        step.state = "done"
