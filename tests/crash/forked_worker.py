"""The workers that `tests.prepared` forks for the crash tests; one of them dies at a named point.

The product has no hooks for this. Here the runtime's own methods are replaced by ones that end the process, as
`kill -9` would, the n-th time the point is passed, and then the ordinary command line runs. A point whose method does
not exist any more ends the process with 99, so that a renamed method cannot turn a test into one of nothing.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from tests.prepared import command

CRASHED: Final = 77
"""Exit code at a point; SIGKILL itself cannot be aimed so well."""
UNKNOWN_POINT: Final = 99
GROUP_OFFSETS_EVERY_S: Final = 0.5
"""Lag tools are shown every few seconds how far the group is: at the end of a run nothing else is waited for."""

PRODUCER: Final = "agents.runtime.producer:TransactionalProducer"
POINTS: Final[dict[str, tuple[str, str, str]]] = {
    "before a transaction begins": (PRODUCER, "_add_partitions", "before"),
    "after the transaction began, before anything is produced": (PRODUCER, "_produce", "before"),
    "with the produce request sent and unanswered": (PRODUCER, "_produce_to", "sent"),
    "after everything is produced, before EndTxn": (PRODUCER, "_end", "before"),
    "with EndTxn sent and unanswered": (PRODUCER, "_end", "sent"),
    "after EndTxn was answered, before the answer is used": (PRODUCER, "_end", "after"),
    "after the epoch is taken over, before the state is read": (PRODUCER, "start", "after"),
    "during restore": ("agents.runtime.restore:RestoreProgress", "advanced", "before"),
    "after restore, before the first fetch": ("agents.runtime.partition:PartitionTask", "_begin", "before"),
    "in the middle of a fold": ("agents.runtime.cursor:Cursor", "folded", "before"),
    "while partitions are held for a rebalance": ("agents.runtime.partition:PartitionTask", "hold", "before"),
    "on revocation": ("agents.runtime.partition:PartitionTask", "stop", "before"),
}
"""Point to (class, method, when): `before` and `after` the call, or `sent`: begun, and its request on the wire."""

AT_START: Final = frozenset(
    {
        "after the epoch is taken over, before the state is read",
        "during restore",
        "after restore, before the first fetch",
    }
)
ON_REBALANCE: Final = frozenset({"while partitions are held for a rebalance", "on revocation"})


class Countdown:
    """Ends the process the n-th time it is asked to."""

    def __init__(self, count: int) -> None:
        self._left = count

    def __call__(self) -> None:
        """Count once; at the n-th time nothing after this happens."""
        self._left -= 1
        if self._left == 0:
            os.write(2, b"crash point reached\n")
            os._exit(CRASHED)


def begin(arguments: Sequence[str]) -> None:
    """Be a worker; the arguments are what is typed after `tierstream`."""
    from agents.runtime import faust_app

    assert faust_app.GROUP_OFFSETS_EVERY_S > GROUP_OFFSETS_EVERY_S
    faust_app.GROUP_OFFSETS_EVERY_S = GROUP_OFFSETS_EVERY_S
    command(arguments)


def begin_to_fail(arguments: Sequence[str]) -> None:
    """Be one that dies: point and count, and then what is typed."""
    point, count, *typed = arguments
    arm(point, int(count))
    begin(typed)


def arm(point: str, count: int) -> None:
    """Replace the point's method."""
    place, name, when = POINTS[point]
    module, _, owner = place.partition(":")
    try:
        holder = getattr(import_module(module), owner)
        original = getattr(holder, name)
    except (ImportError, AttributeError):
        sys.stderr.write(f"no such method: {place}.{name}\n")
        sys.exit(UNKNOWN_POINT)
    crash = Countdown(count)
    asynchronous = asyncio.iscoroutinefunction(original)
    setattr(holder, name, _asynchronous(original, when, crash) if asynchronous else _plain(original, when, crash))


def _plain(original: Callable[..., Any], when: str, crash: Countdown) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - stands for any method
        if when == "before":
            crash()
        result = original(*args, **kwargs)
        if when == "after":
            crash()
        return result

    return method


def _asynchronous(original: Callable[..., Any], when: str, crash: Countdown) -> Callable[..., Any]:
    async def method(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - stands for any method
        if when == "before":
            crash()
        if when == "sent":
            task = asyncio.ensure_future(original(*args, **kwargs))
            await asyncio.sleep(0.001)  # long enough to be written, too short for the answer to be acted upon
            crash()
            return await task
        result = await original(*args, **kwargs)
        if when == "after":
            crash()
        return result

    return method
