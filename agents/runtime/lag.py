"""How far each partition is behind the end of its topics, in records and in time."""

import time
from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from agents.metrics import Lag
from agents.runtime.partition import PartitionTask


class LagTracker:
    """Compares ends that the brokers tell with what is committed.

    What waits arrived after the newest committed record, and after the last look that found nothing waiting: the later
    of the two bounds its age from above.
    """

    def __init__(self) -> None:
        self._free_at_ms: dict[tuple[str, str, int], int] = {}

    def look(
        self, tasks: Iterable[PartitionTask], ends: Mapping[TopicPartition, int], asked_ms: int | None = None
    ) -> dict[tuple[str, str, int], Lag]:
        """Return the lag of each partition at work; `asked_ms` is when the ends were asked for (now by default)."""
        asked_ms = int(time.time() * 1000) if asked_ms is None else asked_ms
        lags, free_at = {}, {}
        for task in tasks:
            tenure = task.tenure
            for tp in tenure.tps if tenure is not None else ():
                if tenure is None or tp not in ends:
                    continue
                key = (task.stage.name, tp.topic, tp.partition)
                waiting = max(0, ends[tp] - tenure.passed(tp.topic))
                bounds = [tenure.metrics.newest_ms.get(tp.topic), self._free_at_ms.get(key)]
                after_ms = max((bound for bound in bounds if bound is not None), default=None)
                lags[key] = Lag(waiting, after_ms)
                if not waiting:
                    free_at[key] = asked_ms
                elif key in self._free_at_ms:
                    free_at[key] = self._free_at_ms[key]
        self._free_at_ms = free_at
        return lags
