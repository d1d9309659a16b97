"""What the tasks of all partitions share: cluster, pace, the way to the consumer, where failures and figures go."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition

from agents.metrics import RuntimeMetrics
from agents.runtime.cluster import Cluster
from agents.runtime.engine_settings import Pace
from agents.runtime.restore import RestoreProgress
from agents.runtime.wakeup import Turns

RESTORES_AT_ONCE = 4
"""More would only share the one event loop, and hold more fetched bytes."""


class Source(Protocol):
    """The consumer as a task sees it. What does not say otherwise never waits; calls take effect in their order."""

    def open(self, offsets: Mapping[TopicPartition, int]) -> int:
        """Seek and fetch; returns the number that chunks following this seek carry."""

    def shut(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch these no more."""

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch these no more for now; what was fetched is kept."""

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        """Go on fetching these."""

    async def assignment_stands(self) -> bool:
        """Ask the group, now, whether this worker's assignment is in force; False also when nobody answers in time."""


@dataclass(slots=True)
class Context:
    """Handed to every partition task of a worker."""

    application: str
    member: str
    """This worker's name among those of the application, unique; last part of its writers' transactional ids."""
    app_version: str
    cluster: Cluster
    source: Source
    pace: Pace
    metrics: RuntimeMetrics
    restores: RestoreProgress
    fail: Callable[[BaseException], None]
    """Ends the worker with this failure; the first one counts."""
    watermark: Callable[[], int | None]
    """What the tasks' `poll` is given."""
    accepted_topics: frozenset[str] = frozenset()
    """Topics whose refused positions the operator told us to give up."""
    turns: Turns = field(default_factory=Turns)
    restore_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RESTORES_AT_ONCE))
