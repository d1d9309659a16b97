"""The probes of a worker on a real broker: restoring, at work, and with brokers that do not answer."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

import agents.runtime.restore
from agents.embedded import EmbeddedKafka
from agents.runtime.engine import Engine
from agents.runtime.stage import StateRecord
from agents.runtime.view import view_of
from agents.serving import serving
from tests.integration.conftest import MakeToy
from tests.integration.toy import PATIENCE_S, Toy
from tests.integration.toy_worker import EchoPartition, make_engine
from tests.unit.agents.test_serving import free_port

pytestmark = pytest.mark.kafka

STALLED_AFTER_S = 6


class Probed:
    """A worker in this process, asked over HTTP."""

    def __init__(self, engine: Engine, port: int) -> None:
        self.engine, self._url = engine, f"http://127.0.0.1:{port}"

    async def ask(self, probe: str) -> dict[str, Any]:
        """The answer's body, with its status code."""
        return await asyncio.to_thread(self._ask, probe)

    async def until(
        self, probe: str, done: Callable[[dict[str, Any]], bool], within_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Ask until the answer is as wanted."""
        deadline = time.monotonic() + within_s
        while not done(answer := await self.ask(probe)):
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(0.05)
        return answer

    def _ask(self, probe: str) -> dict[str, Any]:
        try:
            with urlopen(f"{self._url}/{probe}", timeout=60) as answer:
                return {**json.load(answer), "code": answer.status}
        except HTTPError as error:
            return {**json.load(error), "code": error.code}


@asynccontextmanager
async def probed(deployment: Toy, folder: Path) -> AsyncIterator[Probed]:
    """Serve an engine's probes before it starts; it is stopped in the end."""
    engine, _ = make_engine(
        {
            "application": deployment.name,
            "bootstrap": deployment.bootstrap,
            "sources": deployment.sources,
            "partitions": deployment.partitions,
            "data_dir": str(folder),
            "stalled_after_s": STALLED_AFTER_S,
        }
    )
    port = free_port()
    with serving(engine.metrics.registry, partial(view_of, engine), "127.0.0.1", port):
        try:
            yield Probed(engine, port)
        finally:
            await engine.stop()


async def test_a_worker_restores_and_is_ready_when_it_has(
    toy: MakeToy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alive all the time; started as soon as the restore comes on; ready at its end."""
    deployment = toy(partitions=1)
    await asyncio.to_thread(deployment.feed, 2_000)
    async with probed(deployment, tmp_path / "first") as first:
        await first.engine.start()
        await asyncio.to_thread(deployment.wait_echoed, 2_000)

    monkeypatch.setattr(agents.runtime.restore, "FETCH_BYTES", 400)
    restore = EchoPartition.restore

    def slowly(self: EchoPartition, records: Iterable[StateRecord]) -> None:
        time.sleep(0.3)
        restore(self, records)

    monkeypatch.setattr(EchoPartition, "restore", slowly)
    async with probed(deployment, tmp_path / "second") as worker:
        before = await worker.ask("readyz")
        starting = asyncio.create_task(worker.engine.start())
        restoring = await worker.until("readyz", lambda answer: bool(answer["status"] == "restoring"))
        begun, living = await worker.ask("startupz"), await worker.ask("livez")
        await starting
        ready = await worker.until("readyz", lambda answer: bool(answer["ok"]))
        ended = await worker.ask("startupz")

    assert (before["code"], before["status"]) == (503, "joining")
    assert restoring["code"] == 503
    assert restoring["partitions"][0]["state"] in {"opening", "restoring"}
    assert (begun["code"], living["code"]) == (200, 200)
    assert (ready["code"], ready["partitions"][0]["state"]) == (200, "working")
    assert ended["status"] == "ok"


@pytest.fixture
def steady_broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker that is no stranger to its controller when it wakes.

    One that is frozen past its session has no leader for a moment, and commits that end just then get no markers: their
    transactions stay open for ever. That is Kafka's doing, and not what is tried here.
    """
    with EmbeddedKafka(tmp_path / "steady", properties={"broker.session.timeout.ms": "120000"}) as broker:
        yield broker


async def test_a_broker_that_hangs_makes_a_worker_not_ready_but_does_not_kill_it(
    toy: MakeToy, steady_broker: EmbeddedKafka, tmp_path: Path
) -> None:
    """A restart would not help: alive for longer than a stalled partition would be. Then it goes on by itself."""
    deployment = toy(steady_broker.bootstrap)
    async with probed(deployment, tmp_path) as worker:
        await worker.engine.start()
        await asyncio.to_thread(deployment.feed, 1_000)
        await asyncio.to_thread(deployment.wait_echoed, 1_000)
        await worker.until("readyz", lambda answer: bool(answer["ok"]))
        os.kill(steady_broker.server_pid, signal.SIGSTOP)
        try:
            away = await worker.until("readyz", lambda answer: not answer["ok"])
            lives = []
            for _ in range(STALLED_AFTER_S + 2):
                lives.append(await worker.ask("livez"))
                await asyncio.sleep(1)
        finally:
            os.kill(steady_broker.server_pid, signal.SIGCONT)
        await worker.until("readyz", lambda answer: bool(answer["ok"]))
        await asyncio.to_thread(deployment.feed, 1_000, first=1_000)
        await asyncio.to_thread(deployment.wait_echoed, 2_000)

    assert (away["code"], away["status"]) == (503, "brokers away")
    assert {answer["code"] for answer in lives} == {200}
    await asyncio.to_thread(deployment.check_exact)


Figures = dict[tuple[Any, ...], float]


def figures(engine: Engine) -> Figures:
    """What is shown now, by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in engine.metrics.registry.collect()
        for sample in metric.samples
    }


def lags(shown: Figures) -> list[float]:
    """The lags, in records and in seconds, of all partitions of all topics that the worker has looked at."""
    return [value for (name, *_), value in shown.items() if name.startswith("tierstream_consumer_lag_")]


async def test_figures_of_a_worker_at_work(toy: MakeToy, tmp_path: Path) -> None:
    """Lag, partitions and the newest event as the brokers know them."""
    deployment = toy()
    stage, nothing = ("stage", "echo"), [0.0] * (2 * len(deployment.sources) * deployment.partitions)
    async with probed(deployment, tmp_path) as worker:
        await worker.engine.start()
        await asyncio.to_thread(deployment.feed, 1_000)
        await asyncio.to_thread(deployment.wait_echoed, 1_000)
        await worker.until("readyz", lambda answer: bool(answer["ok"]))
        shown, deadline = figures(worker.engine), time.monotonic() + PATIENCE_S
        while lags(shown) != nothing or shown["tierstream_events_total", stage] != 1_000:  # a look comes every second
            assert time.monotonic() < deadline, shown
            await asyncio.sleep(0.1)
            shown = figures(worker.engine)

    assert shown["tierstream_partitions", stage, ("state", "working")] == deployment.partitions
    assert shown["tierstream_partitions", stage, ("state", "opening")] == 0
    assert shown["tierstream_events_total", stage] == 1_000
    for topic in deployment.sources:
        assert 0 < time.time() - shown["tierstream_last_event_timestamp_seconds", ("topic", topic)] < 2 * PATIENCE_S
        for partition in range(deployment.partitions):
            labels = (("partition", str(partition)), stage, ("topic", topic))
            assert shown["tierstream_consumer_lag_records", *labels] == 0
            assert shown["tierstream_consumer_lag_seconds", *labels] == 0
