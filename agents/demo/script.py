"""What a demo does, in order; runs in a thread of its own, so that the screen stays alive.

Every step that takes time is on the board. The failure that ended the script is kept for whoever waits for it.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from agents.demo.board import Board, Step
from agents.demo.cdnow import CUSTOMERS
from agents.demo.conclusion import Findings, examine
from agents.demo.feeding import demo_events, feed
from agents.demo.follow import Follower, Watch
from agents.demo.ground import Ground, Options
from agents.demo.settling import wait_until_folded
from agents.demo.workers import WorkerPool
from agents.kafka_clients import admin_client
from agents.policy_activation import activate_first
from agents.policy_files import configured_policy
from agents.topics import create_and_align
from schemas.events import InputEvent
from streams.policy.model import Policy

WATCHED = ("customer-events", "tier-changes", "churn-risk")
STEPS = ("Purchases", "Kafka", "Topics", "Workers", "Policy", "Events", "Folding", "Check")


class CancelledError(Exception):
    """The demo was told to stop."""


class Script:
    """The demo from the first file to the verdict."""

    def __init__(self, options: Options, board: Board) -> None:
        self._options, self._board = options, board
        board.steps = [Step(name) for name in (*STEPS, *(("Files",) if options.out else ()))]
        self._steps = {step.label: step for step in board.steps}
        self.ground = Ground(options, self._downloaded)
        self.pool: WorkerPool | None = None
        """The workers, from their start on."""
        self.findings: Findings | None = None
        """What the topics hold and the verdict on it; None until the end."""
        self.failure: BaseException | None = None
        self.events_flow = False
        """From the first event until all is folded: killing somebody at another time proves nothing."""
        self._cancelled = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, name="script", daemon=True)

    @property
    def logs(self) -> Path:
        """Where the workers write what they have to say."""
        return self.ground.folder / "logs"

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

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def over(self, within_s: float) -> bool:
        """Wait so long for the end; whether it has come."""
        if self._thread.is_alive():
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._play()
        except CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for the thread
            self.failure = error

    def _play(self) -> None:
        with ThreadPoolExecutor(1) as beside:  # while Kafka starts, the purchases are read
            reading = beside.submit(self._read_purchases)
            policy = self._prepare()
            events = reading.result()
        settings = self.ground.settings
        self.events_flow = True
        with self._step("Events") as step:
            pace = self._options.days_per_s if self._options.live else None
            feed(settings, events, days_per_s=pace, told=self._counting(step, f"of {len(events):,} sent"))
        with self._step("Folding") as step:
            ended = self._counting(step, f"of {settings.kafka.partitions} partitions are at their end")
            wait_until_folded(settings.kafka.bootstrap, settings.topic("audit"), ended)
            step.detail = "all partitions are at their end"
        self.events_flow = False
        with self._step("Check") as step:
            with_lines = self._options.out is not None
            folded = self._counting(step, "records read, folded anew and compared")
            self.findings = examine(settings, policy, events, with_lines=with_lines, told=folded)
            self.findings.show_on(self._board)
            step.detail = "; ".join(self.findings.verdict.examples) or "equal to an independent fold of the journal"
        if self._options.out is not None:
            with self._step("Files") as step:
                step.detail = f"{self.findings.write_files(self._options.out):,} lines in {self._options.out}"

    def _read_purchases(self) -> list[InputEvent]:
        with self._step("Purchases") as step:
            events = demo_events(
                purchases_only=self._options.purchases_only, simulated_customers=self._options.simulated_customers
            )
            step.detail = f"{len(events):,} events of {self._options.simulated_customers or CUSTOMERS:,} customers"
        return events

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
            step.detail = f"{settings.kafka.partitions} partitions each"
        with self._step("Workers") as step:
            self._start_workers()
            step.detail = f"{self._options.workers} processes"
        with self._step("Policy") as step:  # while the workers start: nothing is fed before it is in force
            activate_first(settings, policy)
            step.detail = f"{policy.name}, in {policy.currency}, days of {policy.time_zone}"
        if self._options.live:
            topics = {name: settings.topic(name) for name in WATCHED}
            self._watch = Watch(settings.kafka.bootstrap, Follower(self._board, policy), topics)
        return policy

    def _start_workers(self) -> None:
        command = (sys.executable, "-m", "agents.cli", "worker", "--config", str(self.ground.settings_path))
        pool = WorkerPool(self._options.workers, command, self.logs, self.ground.worker_environment)
        self.pool = pool
        pool.start()

    def _counting(self, step: Step, what: str) -> Callable[[int], None]:
        """Shows how many of what; raises CancelledError when the user has seen enough."""

        def told(done: int) -> None:
            if self._cancelled.is_set():
                raise CancelledError
            step.detail = f"{done:,} {what}"

        return told

    def _downloaded(self, done: int, of: int) -> None:
        if self._cancelled.is_set():
            raise CancelledError
        self._steps["Kafka"].detail = f"{done} of {of} files downloaded, once for this machine"

    @contextmanager
    def _step(self, label: str) -> Iterator[Step]:
        step = self._steps[label]
        if self._cancelled.is_set():
            raise CancelledError
        step.state = "running"
        try:
            yield step
        except BaseException:
            step.state = "failed"
            raise
        step.state = "done"
