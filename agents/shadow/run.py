"""A shadow as a process: its group, its signals, its figures, and its end when the trial ends."""

import gc
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import Final
from uuid import uuid4

import structlog
from kafka.errors import KafkaError

from agents.errors import BrokerUnreachableError
from agents.kafka_clients import consumer, producer
from agents.logging_setup import configure_logging
from agents.replay.snapshots import forget
from agents.serving import serving
from agents.settings import Settings
from agents.shadow.control import PURPOSE, TrialWatch, watching
from agents.shadow.follower import Follower
from agents.shadow.lane import journal_of, snapshots_folder
from agents.shadow.metrics import ShadowMetrics
from agents.shadow.trial import Trial

FETCH_BYTES: Final = 8_000_000
POLL_RECORDS_MAX: Final = 2_000
SESSION_TIMEOUT_MS: Final = 10_000
POLL_INTERVAL_MS: Final = 300_000
"""Restoring or keeping a large partition may take a while; a process that is gone is found by its heartbeats."""
TRANSACTION_TIMEOUT_MS: Final = 60_000
METADATA_AGE_MS: Final = 30_000
WATCH_EVERY_S: Final = 1.0
TELL_EVERY_S: Final = 10.0
GC_THRESHOLDS: Final = (100_000, 50, 100)
"""The fold makes no cyclic garbage, and each full look walks every decoded state."""

Progress = Callable[[int, int], None]
"""Is told how many offsets have been folded, of how many."""
Bar = Callable[[str], AbstractContextManager[Progress]]
"""Shows progress under a title while its block runs."""

log = structlog.get_logger(__name__)


def group_of(settings: Settings) -> str:
    """The consumer group of all shadows of an installation."""
    return f"{settings.kafka.application_id}-shadow"


def writer_id(settings: Settings) -> str:
    """What the transactional ids of shadows begin with; each process adds a word of its own."""
    return f"{settings.kafka.topic_prefix}{settings.kafka.application_id}-{PURPOSE}-"


def run_shadow(settings: Settings, trial: Trial, bar: Bar) -> int:
    """Try a policy until a signal or the trial's end; returns the exit code. Failures with a name are raised."""
    configure_logging(settings.log)
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)  # it warns of every 0.1 s that a busy machine takes
    gc.set_threshold(*GC_THRESHOLDS)
    ending = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    metrics = ShadowMetrics()
    metrics.of(trial)
    with ExitStack() as opened:
        opened.enter_context(
            serving(metrics.registry, None, settings.metrics.host, settings.shadow.metrics_port, "shadow.metrics_port")
        )
        watch = opened.enter_context(watching(settings))
        follower = opened.enter_context(following(settings, trial, metrics))
        log.info("policy tried", policy=trial.name, hash=trial.hash[:12], effective_at=trial.effective_at)
        with bar("Folding the journal") as told:
            over = _follow(follower, watch, trial, lambda: ending, catching_up(told))
        if over is None:
            log.info("level with the journal")
            over = _follow(follower, watch, trial, lambda: ending)
        if not over:
            follower.close()
    if over:
        forget(snapshots_folder(settings), trial.id)
        log.info("the trial is over: it was promoted or dropped", policy=trial.name)
    log.info("ended")
    return 0


def _follow(
    follower: Follower, watch: TrialWatch, trial: Trial, ending: Callable[[], bool], until_level: Progress | None = None
) -> bool | None:
    """Go on until asked to end: False; until the trial is over: True; with `until_level`, which is told, until then."""
    watched_at = time.monotonic()
    while not ending():
        follower.step()
        if until_level is not None:
            if follower.level:
                return None
            if progress := follower.progress:
                until_level(*progress)
        now = time.monotonic()
        if now - watched_at >= WATCH_EVERY_S:
            watched_at = now
            under_way = watch.look()
            if under_way is None or under_way.id != trial.id:
                return True
    return False


@contextmanager
def following(settings: Settings, trial: Trial, metrics: ShadowMetrics) -> Iterator[Follower]:
    """Join the group; at the end the partitions go to the others at once."""
    journal = journal_of(settings)
    name = f"{writer_id(settings)}{uuid4().hex}"
    with (
        consumer(
            settings,
            group_id=group_of(settings),
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 4,
            max_poll_interval_ms=POLL_INTERVAL_MS,
            metadata_max_age_ms=METADATA_AGE_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_BYTES // 4,
            max_poll_records=POLL_RECORDS_MAX,
            check_crcs=False,  # computed in Python by this client, and the broker has checked them
        ) as reader,
        producer(settings, transactional_id=name, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS) as writer,
    ):
        try:
            writer.init_transactions()
            follower = Follower(reader, writer, settings, trial, metrics)
            reader.subscribe([journal], listener=follower)
            reader.partitions_for_topic(journal)  # known before the join: else it is joined twice
            yield follower
        except KafkaError as error:
            raise BrokerUnreachableError(
                "Kafka refused the shadow.",
                where=settings.kafka.bootstrap,
                why=str(error) or type(error).__name__,
                next_step="start it again; it goes on where it stood",
            ) from error


def catching_up(bar: Progress) -> Progress:
    """Tell a bar on a terminal, and the log elsewhere: how far the journal is folded, every ten seconds."""
    told_at = 0.0

    def told(done: int, total: int) -> None:
        nonlocal told_at
        bar(done, total)
        if not sys.stderr.isatty() and time.monotonic() - told_at >= TELL_EVERY_S:
            told_at = time.monotonic()
            log.info("folding the journal", done=done, total=total)

    return told
