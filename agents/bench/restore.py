"""How long a fresh worker takes until it has the state of a million customers and knows when each is due."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from agents.bench.ground import Ground, Options
from agents.bench.histories import write_states
from agents.bench.loading import connected
from agents.bench.process import WorkerProcess
from agents.bench.shoppers import cdnow_states
from agents.bench.worker import Sample
from agents.customers import STAGE
from agents.policy_files import configured_policy
from agents.settings import STAGES, Settings

RESTORED = 1_000_000
LONGEST_S = 300.0


class Restore(msgspec.Struct, frozen=True):
    """What it took."""

    mebibytes: float
    """Keys and states in the changelog."""
    seconds: float
    """From the assignment of the partitions until all of them are at work."""
    from_start_s: float
    """From the start of the process: imports and joining the group included."""
    cpu_s: float


def measure(ground: Ground, options: Options, say: Callable[[str], None]) -> Restore:
    """Write the changelog, then start a worker on it."""
    settings = ground.deployment(ground.raw_topic("restore-raw", append_time=True))
    say(f"restore: writing {RESTORED:,} customers")
    size = asyncio.run(_write(ground, settings))
    say("restore: starting a worker")
    partitions = options.partitions
    with WorkerProcess(settings, ground.folder, STAGES) as worker:
        end = worker.wait(lambda s: s.ready.get(STAGE) == partitions, LONGEST_S, "The end of the restore")
        begin = [sample for sample in worker.samples if not _assigned(sample)][-1]
        started = worker.started_s
    ground.clear()
    return Restore(
        mebibytes=size / 2**20,
        seconds=end.at_s - begin.at_s,
        from_start_s=end.at_s - started,
        cpu_s=end.cpu_s - begin.cpu_s,
    )


def _assigned(sample: Sample) -> bool:
    return bool(sample.opening.get(STAGE) or sample.ready.get(STAGE))


async def _write(ground: Ground, settings: Settings) -> int:
    """Write real customers' states, copied under as many ids as are wanted; returns the bytes."""
    templates = cdnow_states(configured_policy(settings), int(time.time() * 1000), browsing=True)
    states = [(b"c%07d" % number, templates[number % len(templates)]) for number in range(RESTORED)]
    async with connected(ground.bootstrap) as cluster:
        await write_states(cluster, settings, states)
    return sum(len(key) + len(state) for key, state in states)
