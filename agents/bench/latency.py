"""How long after an event is sent its effect can be read: on the other side of both stages, by a committed reader.

Events are sent at a steady rate by this process, without keys, a batch per partition every few milliseconds. A process
of its own reads the profiles and notes when it saw which event's effect. An event that a later one of the same customer
covers, because both fell into one commit, counts as read with that one: no event is left out.
"""

import asyncio
import multiprocessing
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from aiokafka.errors import KafkaError

from agents.bench.ground import Ground, Options
from agents.bench.histories import write_states, year_of
from agents.bench.loading import connected
from agents.bench.pacing import Pace, Sent, send_paced
from agents.bench.process import WorkerProcess
from agents.bench.reading import Seen, read_profiles
from agents.bench.worker import least
from agents.bench.workload import MIX
from agents.errors import TierstreamError
from agents.settings import STAGES, Settings

RATES = (1_000, 5_000)
"""Events per second."""
WARM_UP_S = 5.0
PACED_S = 20.0
"""Measured, at each rate."""
CATCH_UP_WITHIN_S = 120.0
SETTLE_S = 1.0
"""After the last commit of a rate, until the reader is asked what it saw."""
READY_WITHIN_S = 120.0
READER_WITHIN_S = 60.0
LEAST_SEEN = 0.99


class Latency(msgspec.Struct, frozen=True):
    """What one rate gave, in milliseconds."""

    rate: int
    """Events per second that were wanted."""
    sent_per_s: float
    """What this machine managed to send."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    worker_cores: float
    """Processor time of the worker per second."""


class Delay(NamedTuple):
    """One event's way."""

    sent_s: float
    delay_s: float


class Run(NamedTuple):
    """What was sent at a steady rate, and what was seen of it."""

    sent: list[Sent]
    seen: list[Seen]
    worker_cores: float


def measure(ground: Ground, options: Options, say: Callable[[str], None]) -> list[Latency]:
    """Run one worker with both stages at each rate in turn."""
    raw = ground.raw_topic("latency-raw", append_time=True)
    settings = ground.deployment(raw)
    say(f"latency: loading the past of {options.customers:,} customers")
    asyncio.run(_load_past(ground, settings, options))
    found = []
    with WorkerProcess(settings, ground.folder, STAGES) as worker:
        wanted = options.partitions * len(STAGES)
        worker.wait(lambda s: sum(s.ready.values()) == wanted, READY_WITHIN_S, "The start of the worker")
        for seed, rate in enumerate(RATES, 1):
            say(f"latency: {rate:,} events per second")
            pace = Pace(options.customers, rate, WARM_UP_S + PACED_S, seed)
            found.append(_at(worker, settings, raw, pace))
    ground.clear()
    return found


async def _load_past(ground: Ground, settings: Settings, options: Options) -> None:
    async with connected(ground.bootstrap) as cluster:
        past = year_of(MIX, options.customers, settings, int(time.time() * 1000))
        await write_states(cluster, settings, past)


def _at(worker: WorkerProcess, settings: Settings, raw: str, pace: Pace) -> Latency:
    run = paced(worker, settings, raw, pace)
    return summary(pace.rate, delays(run.sent, run.seen), run.sent, run.worker_cores)


def paced(worker: WorkerProcess, settings: Settings, raw: str, pace: Pace) -> Run:
    """Send for a while, and have the reader tell what it saw of it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    reader = spawn.Process(target=read_profiles, args=(settings, pace.seed, theirs), daemon=True)
    reader.start()
    theirs.close()
    try:
        if not ours.poll(READER_WITHIN_S):
            raise TierstreamError("The benchmark's reader does not start.", next_step="tierstream bench")
        ours.recv()
        before = worker.samples[-1]
        try:
            sent = asyncio.run(send_paced(settings, raw, MIX, pace))
        except* KafkaError as errors:
            raise TierstreamError(
                "The broker does not take the events.",
                where=raw,
                why=f"{len(errors.exceptions):,} requests failed, the first with {type(errors.exceptions[0]).__name__}",
                next_step="see what else the machine does; then measure again",
            ) from None
        goal = least(before) + len(sent)
        after = worker.wait(lambda s: least(s) >= goal, CATCH_UP_WITHIN_S, f"The last of {len(sent):,} events")
        time.sleep(SETTLE_S)
        ours.send(None)
        seen: list[Seen] = ours.recv()
    finally:
        reader.terminate()
        reader.join()
    return Run(sent, seen, (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s))


def delays(sent: Iterable[Sent], seen: Iterable[Seen]) -> list[Delay]:
    """From sending each event to the first profile of its customer that was caused by it or a later one."""
    profiles: Mapping[int, deque[Seen]] = defaultdict(deque)
    for profile in seen:
        profiles[profile.customer].append(profile)
    found = []
    for event in sent:
        waiting = profiles[event.customer]
        while waiting and waiting[0].number < event.number:
            waiting.popleft()
        if waiting:
            found.append(Delay(event.at_s, waiting[0].at_s - event.at_s))
    return found


def summary(rate: int, found: Sequence[Delay], sent: Sequence[Sent], worker_cores: float) -> Latency:
    """The percentiles after the warm-up; TierstreamError when too many events were never seen."""
    if len(found) < LEAST_SEEN * len(sent):
        raise TierstreamError(
            "The reader did not see the effect of all events.",
            where=f"latency, {rate:,} events per second",
            why=f"of {len(sent):,} events, it saw that of {len(found):,}",
            next_step="report it",
        )
    begins_s = sent[0].at_s + WARM_UP_S
    measured = sorted(delay.delay_s * 1000 for delay in found if delay.sent_s >= begins_s)
    return Latency(
        rate=rate,
        sent_per_s=(len(sent) - 1) / (sent[-1].at_s - sent[0].at_s),
        p50_ms=measured[len(measured) // 2],
        p99_ms=measured[len(measured) * 99 // 100],
        max_ms=measured[-1],
        worker_cores=worker_cores,
    )
