"""The watermark on a real broker: it advances while there is nothing to do, and never overtakes what is not folded."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.conftest import MakeToy
from tests.integration.toy_worker import make_engine

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
    await asyncio.sleep(3)
    await asyncio.to_thread(deployment.feed, 1_000)  # two seconds of folding per partition
    await asyncio.to_thread(deployment.wait_echoed, 1_000)
    await asyncio.sleep(4)
    await engine.stop()

    arrivals: dict[int, list[int]] = {0: [], 1: []}
    for topic in deployment.sources:
        for partition, records in (await asyncio.to_thread(deployment.read, topic)).items():
            arrivals[partition] += [record.timestamp for record in records]
    for made in stage.made:
        polls = [(watermark, folded) for watermark, folded in made.polled if watermark is not None]
        marks = [watermark for watermark, _ in polls]
        assert len(marks) >= 5
        assert marks == sorted(marks)
        assert marks[0] < min(arrivals[made.number])
        assert marks[-1] > max(arrivals[made.number])
        for watermark, folded in polls:
            assert sum(at < watermark for at in arrivals[made.number]) <= folded
