"""States for a measurement to start from, made by the real fold, and written straight into a changelog.

A worker under measurement shall meet customers with a past: full windows, tiers, risk bands, days to come on which time
alone changes something.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from aiokafka import TopicPartition

from agents.bench.loading import COMMIT_BATCH_BYTES, Load, load
from agents.bench.workload import BenchEvent, Workload, customer_id, events, spacing_ms, spread
from agents.control_records import JOURNAL
from agents.customers import STAGE
from agents.partition_records import POLICIES_KEY, Activation
from agents.partitioning import home_of
from agents.policy_activation import SINCE_EVER_MS
from agents.policy_files import configured_policy
from agents.runtime import names
from agents.runtime.cluster import Cluster, Instant, Isolation
from agents.runtime.position import POSITION_KEY, advance, encode_position
from agents.settings import Settings
from schemas.clock import MS_PER_DAY
from schemas.rejections import Rejected
from streams.customer.record import encode_state
from streams.effects import Effects
from streams.intake import Limits, accept
from streams.policy.model import Policy
from streams.policy.parse import canonical
from streams.process import new_state, pass_time, process
from streams.regime import regime_of

if TYPE_CHECKING:
    from streams.customer.state import CustomerState

TEMPLATES = 2_000
"""Customers whose year is really folded; the others are copies of the one of their rank."""
HISTORY_SEED = 0


def folded(happened: Iterable[BenchEvent], policy: Policy, until: int) -> dict[int, bytes]:
    """Customer rank to state: what the events leave behind when time has passed until `until` (epoch ms)."""
    regimes, limits = [regime_of(policy, 0, SINCE_EVER_MS)], Limits()
    states: dict[int, CustomerState] = {}
    effects = Effects()
    for rank, arrived_at, raw in happened:
        accepted = accept(raw, (), arrived_at, limits)
        if isinstance(accepted, Rejected):
            raise TypeError(f"the benchmark's own event was refused: {accepted.detail}")
        state = states.get(rank)
        if state is None:
            state = states[rank] = new_state(regimes, accepted.recorded_at)
        effects.take_over(accepted.key)
        process(state, accepted.event, accepted.value, regimes, effects)
    for rank, state in states.items():
        effects.take_over(customer_id(rank).encode())
        pass_time(state, regimes, until, effects)
    return {rank: encode_state(state) for rank, state in states.items()}


def year_of(workload: Workload, customers: int, settings: Settings, ends_at: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and state of each customer after a year of the workload; a few without any event have no state."""
    templates = min(TEMPLATES, customers)
    count = int(365 * MS_PER_DAY / spacing_ms(templates))
    happened = events(workload, templates, count, spread(templates, count, ends_at), seed=HISTORY_SEED)
    states = folded(happened, configured_policy(settings), ends_at)
    for rank in range(customers):
        state = states.get(rank * templates // customers)
        if state is not None:
            yield customer_id(rank).encode(), state


async def write_states(cluster: Cluster, settings: Settings, states: Iterable[tuple[bytes, bytes]]) -> None:
    """Write the changelog of the customers stage as a worker would have left it, its position behind the activation."""
    partitions = settings.kafka.partitions
    changelog = names.changelog(settings.kafka.application_id, STAGE)
    activations = [Activation(SINCE_EVER_MS, canonical(configured_policy(settings)))]
    positions = await _positions(cluster, settings)

    def records() -> Iterator[Load]:
        for number in range(partitions):
            yield Load(number, 0, POLICIES_KEY, msgspec.msgpack.encode(activations))
        for key, state in states:
            yield Load(home_of(key, partitions), 0, key, state)
        for number, position in enumerate(positions):
            yield Load(number, 0, POSITION_KEY, position)

    await load(cluster, changelog, records(), COMMIT_BATCH_BYTES)


async def _positions(cluster: Cluster, settings: Settings) -> Sequence[bytes]:
    """Position records, by partition, that say: the journal is folded to its present end, the activation included."""
    journal = settings.topic(JOURNAL)
    identities = await cluster.topics([journal])
    tps = [TopicPartition(journal, number) for number in range(settings.kafka.partitions)]
    # A committed reader may not see the end of the activation's transaction yet.
    ends = await cluster.offsets(tps, Instant.END, Isolation.UNCOMMITTED)
    return [encode_position(advance(None, {journal: ends[tp]}, identities, "bench")) for tp in tps]
