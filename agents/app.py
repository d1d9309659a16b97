"""The composition root: settings in, a running worker out. Only here do the stages and the runtime meet."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faust
import structlog
from prometheus_client import CollectorRegistry, GCCollector, Info, ProcessCollector

from agents.customers import CustomersStage
from agents.freshness import Freshness
from agents.intake import STAGE as INTAKE
from agents.intake import IntakeStage
from agents.kafka_security import security_of
from agents.logging_setup import configure_logging
from agents.mapping_file import foreign_decoders
from agents.metrics import PREFIX
from agents.runtime.engine import Engine
from agents.runtime.engine_settings import EngineSettings, Pace, ProgressSettings
from agents.runtime.run import run
from agents.runtime.view import view_of
from agents.serving import serving
from agents.settings import EVENT_CLOCK_TOPIC, STAGES, Settings
from agents.stage_metrics import StageCounts, StageMetrics
from schemas.catalog import RAW_TOPICS, SHADOW, TOPICS
from streams.intake import Limits

GC_THRESHOLDS = (100_000, 50, 100)
DECODED_PER_PARTITION_MIN = 256

log = structlog.get_logger(__name__)


def create_engine(
    settings: Settings, *, accepted_topics: frozenset[str] = frozenset(), stages: Collection[str] = STAGES
) -> Engine:
    """Wire intake and customers, or one of them, into a worker; needs a running event loop."""
    kafka, worker = settings.kafka, settings.worker
    by_event, sources = settings.intake.clock == "event", tuple(settings.sources())
    engine_settings = EngineSettings(
        application=kafka.application_id,
        bootstrap=kafka.bootstrap,
        partitions=kafka.partitions,
        data_dir=Path(worker.data_dir),
        security=security_of(kafka),
        instance_id=worker.instance_id,
        session_timeout_s=worker.session_timeout_s,
        pace=Pace(
            commit_interval_s=worker.commit_interval_ms / 1000,
            commit_records_max=worker.commit_records_max,
            stalled_after_s=worker.stalled_after_s,
        ),
        app_version=version("tierstream"),
        accepted_topics=accepted_topics,
        output_topics=tuple(
            settings.topic(n) for n, spec in TOPICS.items() if n not in RAW_TOPICS and spec.owner != SHADOW
        ),
        progress=None if by_event else ProgressSettings(settings.topic("intake-progress"), INTAKE, sources),
    )
    topics = {name: settings.topic(name) for name in TOPICS}
    counts: StageCounts = Counter()
    freshness = Freshness()
    intake = IntakeStage(
        sources,
        settings.topic(EVENT_CLOCK_TOPIC),
        topics,
        kafka.partitions,
        limits=Limits(
            late_ms_max=settings.late_limit_ms,
            ahead_ms_max=settings.intake.ahead_limit_s * 1000,
            event_clock=by_event,
        ),
        breaker=(settings.intake.breaker_ratio, settings.intake.breaker_window),
        counts=counts,
        decoders=foreign_decoders(settings),
    )
    customers = CustomersStage(
        settings.topic("customer-events"),
        topics,
        kafka.partitions,
        decoded_max=max(DECODED_PER_PARTITION_MIN, worker.decoded_states_max // kafka.partitions),
        dedupe=settings.intake.dedupe,
        counts=counts,
        freshness=None if by_event else freshness,
    )
    engine = Engine(engine_settings, [stage for stage in (intake, customers) if stage.name in stages])
    owned = partial(customers.figures.owned, partial(engine.metrics.owns, customers.name))
    engine.metrics.registry.register(StageMetrics(counts, freshness, owned))
    return engine


def create_app(settings: Settings) -> faust.App:
    """Return the Faust application of a worker; needs a running event loop."""
    return create_engine(settings).app


def _spare_the_collector() -> None:
    """Look for cyclic garbage seldom: the fold makes none, and each full look walks every decoded state."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def show_process(registry: CollectorRegistry) -> None:
    """Add what concerns the process and not the pipeline."""
    ProcessCollector(registry=registry)
    GCCollector(registry)
    build = Info(f"{PREFIX}_build", "The release that runs.", registry=registry)
    build.info({"version": version("tierstream")})


def run_worker(
    settings: Settings,
    *,
    accepted_topics: frozenset[str] = frozenset(),
    stages: Collection[str] = STAGES,
    watch: Callable[[Engine], Coroutine[Any, Any, None]] | None = None,
) -> int:
    """Run a worker until a signal or a failure; returns the exit code (see agents/errors.py).

    `watch` runs beside it, in its event loop, and is cancelled at its end.
    """
    configure_logging(settings.log)
    _spare_the_collector()
    Path(settings.worker.data_dir).mkdir(parents=True, exist_ok=True)

    async def main() -> int:
        engine = create_engine(settings, accepted_topics=accepted_topics, stages=stages)
        watching = asyncio.create_task(watch(engine)) if watch else None
        show_process(engine.metrics.registry)
        with serving(engine.metrics.registry, partial(view_of, engine), settings.metrics.host, settings.metrics.port):
            failure = await run(engine)
        if watching is not None:
            watching.cancel()
        if failure is None:
            return 0
        log.error(
            failure.what, where=failure.where, why=failure.why, next=failure.next_step, exit_code=failure.exit_code
        )
        return failure.exit_code

    return asyncio.run(main())
