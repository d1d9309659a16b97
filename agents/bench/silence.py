"""Live events while a crowd of silent customers comes due: what time does to the others may not delay who acts.

The crowd's last purchases are such that all of them cross an edge of their risk band within one day, and that day has
just passed: as after a night without workers, or after an import. All are due at once, and live events arrive
meanwhile. Measured is the delay of those that were sent while the crowd was under way.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Self

import msgspec
from kafka import TopicPartition

from agents.bench.ground import Ground, Options
from agents.bench.histories import write_states, year_of
from agents.bench.latency import READY_WITHIN_S, delays, paced
from agents.bench.loading import connected
from agents.bench.pacing import Pace
from agents.bench.process import WorkerProcess
from agents.bench.workload import CURRENCY, MIX, SOURCE
from agents.errors import TierstreamError
from agents.kafka_clients import consumer
from agents.policy_activation import SINCE_EVER_MS
from agents.policy_files import configured_policy
from agents.settings import STAGES, Settings
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderCompleted
from schemas.journal import encode_journal
from streams.customer.record import encode_state
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.process import new_state, pass_time, process
from streams.regime import Regime, regime_of
from streams.standing import churn

RATE: Final = 1_000
"""Live events per second."""
GAPS_DAYS: Final = range(1, 361)
"""From the first purchase of a silent customer to the last: each has a crossing at an hour of its own."""
LATE_MS: Final = 60_000
"""The day in which all cross ends so long before the measurement begins."""
SECONDS_MIN: Final = 20.0
SECONDS_PER_CUSTOMER: Final = 1 / 2_500
"""How long is sent: as long as the crowd takes on a slow machine, or nearly."""
DONE_WITHIN_S: Final = 900.0
LOOK_EVERY_S: Final = 0.2


class Silence(msgspec.Struct, frozen=True):
    """What live events met."""

    customers: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    crossings_per_s: float
    """Changes of band published, from the first to the last."""


def measure(ground: Ground, options: Options, say: Callable[[str], None]) -> Silence:
    """Start a worker on the crowd, and send live events until it is through."""
    raw = ground.raw_topic("silence-raw", append_time=True)
    settings = ground.deployment(raw)
    say(f"silence: {options.silent:,} customers who crossed a band's edge within a day")
    asyncio.run(_load(ground, settings, options))
    with WorkerProcess(settings, ground.folder, STAGES) as worker:
        wanted = options.partitions * len(STAGES)
        worker.wait(lambda s: sum(s.ready.values()) == wanted, READY_WITHIN_S, "The start of the worker")
        with _Crossings(settings, options.silent) as crossings:
            seconds = max(SECONDS_MIN, options.silent * SECONDS_PER_CUSTOMER)
            run = paced(worker, settings, raw, Pace(options.customers, RATE, seconds, seed=1))
            crossings.wait()
    ground.clear()
    measured = sorted(
        delay.delay_s * 1000
        for delay in delays(run.sent, run.seen)
        if crossings.begun_s <= delay.sent_s <= crossings.ended_s
    )
    if not measured:
        raise TierstreamError(
            "No live event was sent while the silent customers were run.", next_step="tierstream bench --silent 200000"
        )
    return Silence(
        customers=options.silent,
        p50_ms=measured[len(measured) // 2],
        p99_ms=measured[len(measured) * 99 // 100],
        max_ms=measured[-1],
        crossings_per_s=options.silent / (crossings.ended_s - crossings.begun_s),
    )


def crowd(settings: Settings, count: int, now_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and states of silent customers whose band is left within the day before `now_ms`, and not run yet."""
    regimes = [regime_of(configured_policy(settings), 0, SINCE_EVER_MS)]
    states = [encode_state(state) for gap in GAPS_DAYS if (state := _silent(regimes, gap, now_ms)) is not None]
    for number, encoded in zip(range(count), itertools.cycle(states), strict=False):
        yield b"s%07d" % number, encoded


def _silent(regimes: list[Regime], gap_days: int, now_ms: int) -> CustomerState | None:
    """Two purchases so many days apart, of which the later one lies as far back as the crossing takes."""
    (regime,) = regimes
    risk = regime.risk
    if risk is None:
        raise TypeError("the benchmark's policy judges no churn risk")
    day = regime.calendar.day_of(now_ms)
    state = _bought(regimes, day - gap_days, day)
    inputs = churn.inputs_of(risk, state, regime.calendar)
    after_ms = churn.crossing(risk, inputs, state.risk.band, state.clock) - regime.calendar.start_of(day)
    for last in range(day - after_ms // MS_PER_DAY - 2, day - after_ms // MS_PER_DAY + 2):
        crossed_ms = regime.calendar.start_of(last) + after_ms
        if now_ms - MS_PER_DAY < crossed_ms <= now_ms:
            state = _bought(regimes, last - gap_days, last)
            pass_time(state, regimes, crossed_ms - 1, Effects())
            return state
    return None


def _bought(regimes: list[Regime], first: int, last: int) -> CustomerState:
    state, effects = new_state(regimes, regimes[0].calendar.start_of(first)), Effects()
    for number, day in enumerate((first, last)):
        at = format_instant(regimes[0].calendar.start_of(day) + MS_PER_DAY // 2)
        order = OrderCompleted(
            id=f"o{number}", source=SOURCE, time=at, recordedtime=at, customer_id="s", order_id=f"o{number}",
            currency=CURRENCY, total_minor=4_000,
        )  # fmt: skip
        process(state, order, encode_journal(order), regimes, effects)
        effects.take_over(b"s")
    return state


async def _load(ground: Ground, settings: Settings, options: Options) -> None:
    now_ms = int(time.time() * 1000)
    live = year_of(MIX, options.customers, settings, now_ms)
    async with connected(ground.bootstrap) as cluster:
        silent = crowd(settings, options.silent, now_ms - LATE_MS)
        await write_states(cluster, settings, itertools.chain(live, silent))


class _Crossings:
    """Follows in a thread how many changes of band were published."""

    def __init__(self, settings: Settings, wanted: int) -> None:
        self._settings, self._wanted = settings, wanted
        self.begun_s = self.ended_s = 0.0
        """Epoch seconds; 0 until then."""
        self._over, self._given_up = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._given_up.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until all were published."""
        if not self._over.wait(DONE_WITHIN_S):
            raise TierstreamError(
                f"The silent customers were not run within {DONE_WITHIN_S:.0f} s.",
                next_step="tierstream bench --only silence --silent 100000",
            )

    def _follow(self) -> None:
        topic = self._settings.topic("churn-risk")
        places = [TopicPartition(topic, number) for number in range(self._settings.kafka.partitions)]
        with consumer(self._settings) as reader:
            while not self._given_up.wait(LOOK_EVERY_S):
                published = sum(reader.end_offsets(places).values())  # with a control record per commit: some too many
                now_s = time.time()
                self.begun_s = self.begun_s or (now_s if published else 0.0)
                if published >= self._wanted:
                    self.ended_s = now_s
                    self._over.set()
                    return
