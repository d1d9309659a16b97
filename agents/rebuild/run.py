"""Makes the whole state of the customers stage anew: most of it while workers run, the rest when they are stopped."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agents.errors import ConfigurationError, StalledError
from agents.kafka_clients import admin_client
from agents.processes import in_processes, processors
from agents.rebuild.partition import JournalUpTo, Rebuilding, Rebuilt, rebuild_partitions
from agents.replay.fold import FOR_EVER
from agents.replay.journal_topic import JournalTopic
from agents.replay.run import Progress, replay
from agents.replay.unit import Options
from agents.settings import Settings
from schemas.catalog import TOPICS

SNAPSHOTS: Final = "rebuild"
_POLL_S: Final = 0.5


def prepare(settings: Settings, *, jobs: int | None, told: Progress) -> int:
    """Fold the journal as far as the workers have, into snapshots on this disk; returns how many events were folded.

    Goes on from the snapshots of an earlier, interrupted run.
    """
    journal = JournalUpTo(settings, None, _group_offsets(settings))
    _refuse_a_cut_journal(journal)
    return replay(journal, _options(settings), out=None, jobs=jobs, told=told).tally.folded


def await_workers_end(settings: Settings, within_s: float, waiting: Callable[[int], None]) -> None:
    """Return when no worker is a member of the group; `waiting` is told how many are. StalledError after a while."""
    deadline = time.monotonic() + within_s
    while members := _members(settings):
        if time.monotonic() > deadline:
            raise StalledError(
                f"{members} workers are still at work." if members > 1 else "A worker is still at work.",
                where=f"consumer group {settings.kafka.application_id}",
                why="states can be written anew only while nobody folds",
                next_step="stop the workers, then again: what is folded so far is kept; --wait SECONDS waits longer",
            )
        waiting(members)
        time.sleep(_POLL_S)


def write_anew(settings: Settings, *, jobs: int | None, told: Progress) -> list[Rebuilt]:
    """Claim each partition, fold what is left up to its position, write its states; `told` counts partitions."""
    units = JournalTopic(settings).units(1)
    count = min(len(units), jobs or processors())
    shares = [Rebuilding(settings, units[first::count], _options(settings)) for first in range(count)]
    parts = in_processes(rebuild_partitions, shares, lambda done: told(done, len(units)))
    shutil.rmtree(_snapshots(settings), ignore_errors=True)  # they hold customers' ids, and have served
    return sorted((rebuilt for part in parts for rebuilt in part), key=lambda rebuilt: rebuilt.partition)


def _options(settings: Settings) -> Options:
    return Options(
        topics={name: settings.topic(name) for name in TOPICS},
        dedupe=settings.intake.dedupe,
        until=FOR_EVER,
        snapshots=str(_snapshots(settings)),
    )


def _snapshots(settings: Settings) -> Path:
    return Path(settings.worker.data_dir) / SNAPSHOTS


def _refuse_a_cut_journal(journal: JournalTopic) -> None:
    for unit in journal.units(1):
        begin, _ = journal.span(unit)
        if begin:
            raise ConfigurationError(
                "The journal's first records are gone: the states cannot be made from the rest.",
                where=f"{journal.name}[{unit}] begins at {begin}",
                next_step="keep the journal without limit (retention.ms = -1), which is its default",
            )


def _members(settings: Settings) -> int:
    with admin_client(settings) as admin:
        described: dict[str, Any] = admin.describe_groups([settings.kafka.application_id])
    return sum(len(group["members"]) for group in described.values())


def _group_offsets(settings: Settings) -> dict[int, int]:
    """How far the workers have told the group that they are; never ahead of the changelog."""
    journal = settings.topic("customer-events")
    group = settings.kafka.application_id
    with admin_client(settings) as admin:
        offsets = admin.list_group_offsets([group])[group]
    return {place.partition: found.offset for place, found in offsets.items() if place.topic == journal}
