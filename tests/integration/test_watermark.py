"""The watermark on a real broker: it advances while there is nothing to do, and never overtakes what is not folded."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import MakeToy
from tests.integration.toy import PATIENCE_S
from tests.integration.toy_worker import EchoPartition, make_engine

pytestmark = pytest.mark.kafka


async def test_the_watermark_advances_and_never_overtakes_input(toy: MakeToy, tmp_path: Path) -> None:
    """At each poll: everything that the broker received before the watermark had been folded."""
    deployment = toy(partitions=2)
    engine, stage = make_engine(
        {
            "application": deployment.name,
            "bootstrap": deployment.bootstrap,
            "sources": deployment.sources,
            "partitions": 2,
            "data_dir": str(tmp_path),
            "progress": True,
            "slow_s": 0.004,
        }
    )
    await engine.start()
    await _until(lambda: len(stage.made) == 2 and all(len({*marks(made)}) >= 3 for made in stage.made))
    await asyncio.to_thread(deployment.feed, 1_000)  # two seconds of folding per partition
    await asyncio.to_thread(deployment.wait_echoed, 1_000)
    arrivals: dict[int, list[int]] = {0: [], 1: []}
    for topic in deployment.sources:
        for partition, records in (await asyncio.to_thread(deployment.read, topic)).items():
            arrivals[partition] += [record.timestamp for record in records]
    await _until(lambda: all(marks(made)[-1] > max(arrivals[made.number]) for made in stage.made))
    await engine.stop()

    for made in stage.made:
        polls = [(watermark, folded) for watermark, folded in made.polled if watermark is not None]
        assert len({*marks(made)}) > 3
        assert marks(made) == sorted(marks(made))
        assert marks(made)[0] < min(arrivals[made.number])
        for watermark, folded in polls:
            assert sum(at < watermark for at in arrivals[made.number]) <= folded


def marks(made: EchoPartition) -> list[int]:
    """The watermarks at which a partition was polled."""
    return [watermark for watermark, _ in made.polled if watermark is not None]


async def _until(true: Callable[[], bool]) -> None:
    """Wait until it is."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - a test's patience
            await asyncio.sleep(0.1)
