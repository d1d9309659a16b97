"""What the group says of this worker: whether its assignment is in force, and whether another took its name.

The name is the `group.instance.id`. aiokafka's heartbeats do not carry it, so that the broker cannot answer "fenced":
it answers "unknown member", and two processes of one name would take it from each other for ever.
"""

import time
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.protocol.group import HeartbeatRequest

from agents.errors import FencedError


async def assignment_stands(coordinator: Any) -> bool:  # noqa: ANN401 - aiokafka is untyped
    """Ask the group whether it knows this member in its present generation, with no rebalance under way.

    Nothing is done about any other answer: the coordinator's own heartbeat gets it too, and joins the group again.
    """
    if coordinator._rejoin_needed_fut.done() or coordinator.generation < 1:  # noqa: SLF001
        return False
    asked = coordinator.generation
    request = HeartbeatRequest(coordinator.group_id, asked, coordinator.member_id)
    try:
        answer = await coordinator._send_req(request)  # noqa: SLF001
    except KafkaError:
        return False
    return answer.error_code == 0 and coordinator.generation == asked and not coordinator._rejoin_needed_fut.done()  # noqa: SLF001


def watch_membership(coordinator: Any, on_taken: Callable[[BaseException], None]) -> None:  # noqa: ANN401
    """Call back when the group no longer knows a static member that it knew just now: another has its name.

    A member that was away for longer than its session is forgotten too: that is no reason to end.
    """
    beat, join, reset = coordinator._do_heartbeat, coordinator._on_join_complete, coordinator.reset_generation  # noqa: SLF001
    known_at = 0.0

    async def heartbeat() -> bool:
        nonlocal known_at
        known = bool(await beat())
        known_at = time.monotonic() if known else known_at
        return known

    async def on_join_complete(*args: Any) -> None:  # noqa: ANN401
        nonlocal known_at
        known_at = time.monotonic()
        await join(*args)

    def reset_generation() -> None:
        recent = time.monotonic() - known_at < coordinator._session_timeout_ms / 1000 / 2  # noqa: SLF001
        settled = not (coordinator._subscription.reassignment_in_progress or coordinator._closing.done())  # noqa: SLF001
        if recent and settled:
            on_taken(
                FencedError(
                    "Another process has joined the group under this worker's name.",
                    where=f"worker.instance_id = {coordinator._group_instance_id}",  # noqa: SLF001
                    why="the group does not know this process any more, though it did just now",
                    next_step="give every worker a name of its own, or end the other process",
                )
            )
        reset()

    coordinator._do_heartbeat = heartbeat  # noqa: SLF001
    coordinator._on_join_complete = on_join_complete  # noqa: SLF001
    coordinator.reset_generation = reset_generation
