"""The end of a trial: its candidate put in force, or dropped; and everything that it left removed."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from agents.control_records import Besides, control_writer
from agents.errors import ConfigurationError
from agents.kafka_clients import admin_client
from agents.policy_activation import Activation
from agents.recount.plan import Plan
from agents.recount.run import recount_and_activate
from agents.replay.snapshots import forget
from agents.settings import Settings
from agents.shadow.control import PURPOSE, trial_under_way, write_trial
from agents.shadow.lane import snapshots_folder
from agents.shadow.run import group_of
from agents.shadow.trial import TOPIC, TRIAL_KEY, Trial
from agents.shadow.view import published
from streams.policy.parse import load_canonical

_END_TIMEOUT_S: Final = 60.0
"""How long the shadows' processes have to see that the trial is over."""
_LOOK_EVERY_S: Final = 0.5
_TRANSACTION_TIMEOUT_MS: Final = 60_000


class Ended(msgspec.Struct, frozen=True):
    """What was removed."""

    records: int
    """Customers whose difference was on the topic."""


def promote(
    settings: Settings,
    trial: Trial,
    plan: Plan,
    effective_at: Callable[[], int],
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Activation:
    """Put the candidate in force and end the trial, in one transaction: both, or neither. Clean up afterwards.

    `plan` says what has to be counted anew before; `effective_at` is asked after that.
    """
    end = Besides(settings.topic(TOPIC), TRIAL_KEY, None, 0)
    policy = load_canonical(trial.text)
    return recount_and_activate(settings, policy, plan, effective_at, told=told, besides=[end]).activation


def drop(settings: Settings) -> bool:
    """End the trial; returns whether there was one. Clean up afterwards."""
    with control_writer(settings, PURPOSE) as writer:
        if trial_under_way(settings) is None:
            return False
        write_trial(writer, settings, None, failed="The trial was not dropped.")
    return True


def clean_up(settings: Settings, trial: Trial | None) -> Ended:
    """Remove what ended trials left: a null value for every key on the topic, the group, and snapshots on this machine.

    Waits for the processes to end, so that none of them writes behind us.
    """
    _wait_for_processes(settings)
    topic, removed = settings.topic(TOPIC), 0
    with control_writer(settings, PURPOSE, timeout_ms=_TRANSACTION_TIMEOUT_MS) as writer:
        if trial_under_way(settings) is not None:
            raise ConfigurationError(
                "Another trial was begun meanwhile; what the former one left gives way to it by itself.",
                next_step="tierstream policy shadow show",
            )
        for number, found in published(settings):
            if not found:
                continue
            writer.begin_transaction()
            for key in found:
                writer.send(topic, None, key=key, partition=number)
                removed += not key.startswith(b"\0")
            writer.commit_transaction()
    with admin_client(settings) as admin:
        admin.delete_groups([group_of(settings)])
    if trial is not None:
        forget(snapshots_folder(settings), trial.id)
    return Ended(removed)


def _wait_for_processes(settings: Settings) -> None:
    deadline, group = time.monotonic() + _END_TIMEOUT_S, group_of(settings)
    with admin_client(settings) as admin:
        while admin.describe_groups([group])[group]["members"]:
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    "The trial is over, but a shadow still runs.",
                    where=f"consumer group {group}",
                    why="what was published is removed when nobody can write any more",
                    next_step="end that process, then: tierstream policy shadow drop",
                )
            time.sleep(_LOOK_EVERY_S)
