"""A static member that the group forgets though it was known just now has been replaced."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from agents.errors import FencedError
from agents.runtime.membership import watch_membership


class Coordinator(SimpleNamespace):
    """As much of aiokafka's coordinator as is watched."""

    def __init__(self) -> None:
        self.known, self.resets = True, 0
        super().__init__(
            _session_timeout_ms=6_000,
            _group_instance_id="w1",
            _subscription=SimpleNamespace(reassignment_in_progress=False),
            _closing=SimpleNamespace(done=lambda: False),
            _do_heartbeat=self.beat,
            _on_join_complete=self.join,
            reset_generation=self.reset,
        )

    async def beat(self) -> bool:
        """Answer a heartbeat."""
        return self.known

    async def join(self, *args: Any) -> None:  # noqa: ANN401
        """Complete a join."""

    def reset(self) -> None:
        """Forget the membership."""
        self.resets += 1


async def watched() -> tuple[Coordinator, list[BaseException]]:
    """Make a coordinator that has joined and been heard."""
    coordinator, taken = Coordinator(), list[BaseException]()
    watch_membership(coordinator, taken.append)
    await coordinator._on_join_complete(1, "m", "p", b"")
    await coordinator._do_heartbeat()
    return coordinator, taken


async def test_forgotten_right_after_a_heartbeat_means_replaced() -> None:
    """The error names the setting."""
    coordinator, taken = await watched()

    coordinator.reset_generation()

    (error,) = taken
    assert isinstance(error, FencedError)
    assert error.where == "worker.instance_id = w1"
    assert coordinator.resets == 1


async def test_forgotten_after_a_session_is_ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was away joins again."""
    coordinator, taken = await watched()
    later = time.monotonic() + 4
    monkeypatch.setattr(time, "monotonic", lambda: later)

    coordinator.reset_generation()

    assert taken == []
    assert coordinator.resets == 1


@pytest.mark.parametrize("why", ["rebalancing", "closing"])
async def test_a_reset_of_our_own_making_is_ordinary(why: str) -> None:
    """Leaving the group and joining anew reset the generation too."""
    coordinator, taken = await watched()
    if why == "closing":
        coordinator._closing = SimpleNamespace(done=lambda: True)
    else:
        coordinator._subscription.reassignment_in_progress = True

    coordinator.reset_generation()

    assert taken == []
