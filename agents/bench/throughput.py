"""How many events per second, and what each costs, when more input waits than can be folded.

The raw topic is loaded first. For the costs of each stage, one worker runs intake alone and fills a journal, and
another folds that journal; then, with the broker warm, one worker runs both. Its processor time is its own account (all
threads, user and system), so what else runs on the machine changes the rate more than the costs.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from agents.bench.ground import Ground, Options
from agents.bench.histories import write_states, year_of
from agents.bench.loading import PRODUCER_BATCH_BYTES, Load, connected, load
from agents.bench.process import WorkerProcess
from agents.bench.processor import Pulse, Usage, usage
from agents.bench.worker import Sample, least, most
from agents.bench.workload import Workload, events, raw_partition, spacing_ms, spread
from agents.settings import STAGES, Settings

WARM_UP = 0.15
"""Share of a single stage's events that is left out at the begin: connections, caches, the broker's compiler."""
LONGEST_S = 600.0
INTAKE, CUSTOMERS = STAGES

Say = Callable[[str], None]


class Throughput(msgspec.Struct, frozen=True):
    """What one workload gave."""

    events: int
    events_per_s: float
    cpu_us_per_event: float
    intake_cpu_us_per_event: float
    customers_cpu_us_per_event: float
    events_per_commit: float
    """Records folded per transaction, while both stages ran."""
    broker_cpu_us_per_event: float | None
    """Of the embedded broker, while both stages ran; None for an own broker."""
    others_cores: float | None
    """How many cores everything else on the machine used meanwhile."""
    step_ns: float
    """The pace of a core meanwhile (`processor.Pulse`)."""


class Rate(msgspec.Struct, frozen=True):
    """One worker's run after its warm-up."""

    events_per_s: float
    cpu_us: float
    events_per_commit: float
    broker_cpu_us: float | None
    others_cores: float | None
    step_ns: float


class Machine(NamedTuple):
    """What the machine did during a run."""

    before: Usage | None
    after: Usage | None
    step_ns: float


def measure(ground: Ground, options: Options, workload: Workload, say: Say) -> Throughput:
    """Run both stages together, then each alone."""
    now = int(time.time() * 1000)
    begins_at = now - int(options.events * spacing_ms(options.customers))
    raw = ground.raw_topic(f"{workload.name}-raw", append_time=False)
    together, apart = ground.deployment(raw), ground.deployment(raw)
    say(f"{workload.name}: loading {options.events:,} events and the past of {options.customers:,} customers")
    asyncio.run(_load(ground, options, workload, raw, (together, apart), begins_at, now))
    say(f"{workload.name}: intake alone")
    intake = _run(ground, apart, (INTAKE,), options.events)
    say(f"{workload.name}: customers alone")
    # Without a watermark: no intake is there to make one, and what it told at its end is later than all that is folded.
    alone = msgspec.structs.replace(apart, intake=msgspec.structs.replace(apart.intake, clock="event"))
    customers = _run(ground, alone, (CUSTOMERS,), options.events)
    say(f"{workload.name}: both stages in one worker")
    both = _run(ground, together, STAGES, options.events)
    ground.clear()
    return Throughput(
        events=options.events,
        events_per_s=both.events_per_s,
        cpu_us_per_event=both.cpu_us,
        intake_cpu_us_per_event=intake.cpu_us,
        customers_cpu_us_per_event=customers.cpu_us,
        events_per_commit=both.events_per_commit,
        broker_cpu_us_per_event=both.broker_cpu_us,
        others_cores=both.others_cores,
        step_ns=both.step_ns,
    )


async def _load(
    ground: Ground,
    options: Options,
    workload: Workload,
    raw: str,
    deployments: Sequence[Settings],
    begins_at: int,
    ends_at: int,
) -> None:
    def records() -> Iterator[Load]:
        arrival = spread(options.customers, options.events, ends_at)
        for rank, arrived_at, value in events(workload, options.customers, options.events, arrival):
            yield Load(raw_partition(rank, options.partitions), arrived_at, None, value)

    async with connected(ground.bootstrap) as cluster:
        await load(cluster, raw, records(), PRODUCER_BATCH_BYTES)
        past = list(year_of(workload, options.customers, deployments[0], begins_at))
        for settings in deployments:
            await write_states(cluster, settings, past)


def _run(ground: Ground, settings: Settings, stages: Sequence[str], count: int) -> Rate:
    """Let a worker of these stages take the whole input; the rate from its warm-up, if it has one, to its end."""
    warm_up = count * WARM_UP if len(stages) == 1 else 0  # of two, one runs ahead: only the whole input is fair
    with WorkerProcess(settings, ground.folder, stages) as worker:
        worker.wait(lambda s: len(s.ready) == len(stages) and most(s) > warm_up, LONGEST_S, "The first commit")
        begin = [sample for sample in worker.samples if most(sample) <= warm_up][-1]
        before = usage(worker.pid, ground.broker_pid)
        with Pulse() as pulse:
            end = worker.wait(lambda s: least(s) >= count, LONGEST_S, "The end of the input")
        after = usage(worker.pid, ground.broker_pid)
    return rate(begin, end, count, Machine(before, after, pulse.step_ns))


def rate(begin: Sample, end: Sample, count: int, machine: Machine) -> Rate:
    """What was done between two samples, and what it took."""
    done, seconds = count - most(begin), end.at_s - begin.at_s
    broker = others = None
    before, after, step_ns = machine
    if before is not None and after is not None:
        others = (after.others_s - before.others_s) / seconds
        if before.broker_s is not None and after.broker_s is not None:
            broker = (after.broker_s - before.broker_s) / done * 1e6
    commits = sum(end.commits.values()) - sum(begin.commits.values())
    folded = sum(end.committed.values()) - sum(begin.committed.values())
    cpu_us = (end.cpu_s - begin.cpu_s) / done * 1e6
    return Rate(done / seconds, cpu_us, folded / max(1, commits), broker, others, step_ns)
