"""A worker that is no longer let in ends; one whose broker is only away does not."""

import asyncio

import pytest

from agents.errors import AccessError, BrokerUnreachableError, TierstreamError
from agents.kafka_security import PLAINTEXT
from agents.runtime import access_guard
from agents.runtime.cluster import Cluster

REFUSED = AccessError("refused")
AWAY = BrokerUnreachableError("away")


class Door:
    """Answers in turn, for ever with the last; makes trouble before each look."""

    def __init__(self, *answers: TierstreamError | None) -> None:
        self.cluster = Cluster("nowhere:1", client_id="test")
        self._answers = list(answers)
        self.knocks = 0

    def __call__(self, *_: object) -> TierstreamError | None:
        """Knock."""
        self.knocks += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def trouble(self) -> None:
        """Keep the guard curious."""
        while True:
            self.cluster.troubles += 1
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_guard, "LOOK_INTERVAL_S", 0.01)


async def _guard(monkeypatch: pytest.MonkeyPatch, door: Door, *, trouble: bool = True) -> None:
    monkeypatch.setattr(access_guard, "why_not_let_in", door)
    making = asyncio.create_task(door.trouble()) if trouble else None
    try:
        async with asyncio.timeout(0.5):
            await access_guard.guard_access(door.cluster, "nowhere:1", PLAINTEXT)
    finally:
        if making:
            making.cancel()


async def test_refused_again_and_again_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(REFUSED)

    with pytest.raises(AccessError):
        await _guard(monkeypatch, door)

    assert door.knocks == access_guard.REFUSALS_MAX


@pytest.mark.parametrize("between", [AWAY, None])
async def test_refused_now_and_then_does_not(monkeypatch: pytest.MonkeyPatch, between: TierstreamError | None) -> None:
    """A broker that has just started may not know its users yet."""
    door = Door(REFUSED, REFUSED, between, REFUSED, REFUSED, between)

    with pytest.raises(TimeoutError):
        await _guard(monkeypatch, door)

    assert door.knocks > 6


async def test_without_trouble_nobody_knocks(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(REFUSED)

    with pytest.raises(TimeoutError):
        await _guard(monkeypatch, door, trouble=False)

    assert door.knocks == 0
