"""What a trial has found so far, read from the cluster alone: no shadow has to run."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from kafka import TopicPartition

from agents.kafka_clients import consumer
from agents.lookup import BULK, whole
from agents.settings import Settings
from agents.shadow.lane import journal_of
from agents.shadow.pair import BANDS, NO_TIER
from agents.shadow.run import group_of
from agents.shadow.trial import PROGRESS_KEY, TOPIC, Counts, Progress, Trial, decode_progress
from schemas.publishing import decode_output
from schemas.shadow import ShadowChanged

_FIRST_RECORD_S_MAX: Final = 5.0
_SINGLE_FETCH: Final = {"fetch_max_wait_ms": 50, "max_poll_records": 1, "max_partition_fetch_bytes": 65_536}


class LadderView(msgspec.Struct, frozen=True):
    """How customers are spread over one ladder, or over the bands."""

    ladder: str
    differing: int
    higher: int
    """Customers whom the candidate puts higher; of the bands, at more risk."""
    lower: int
    flows: Counts
    """Live tier to the candidate's tier to customers; who stands alike included, as far as is known."""


class Behind(msgspec.Struct, frozen=True):
    """How far the trial is behind the journal."""

    records: int
    seconds: float
    """Age of the oldest record that is not in it; 0 when level."""
    partitions_unopened: int
    """Partitions that have not told how far they are."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A trial and its findings."""

    trial: str
    policy: str
    hash: str
    started_at: str
    effective_at: str
    from_start: bool
    customers: int
    """Who are compared."""
    differing: int
    """Who stand differently in any way."""
    begun: int
    ended: int
    behind: Behind
    ladders: list[LadderView]
    newest: list[ShadowChanged]


def view_of(settings: Settings, trial: Trial, newest: int) -> View:
    """Read everything; `newest` of the differences are named."""
    decisions: list[ShadowChanged] = []
    progress: dict[int, Progress] = {}
    for number, found in published(settings):
        for key, value in found.items():
            if key == PROGRESS_KEY:
                told = decode_progress(value)
                if told is not None and told.trial == trial.id:
                    progress[number] = told
            elif not key.startswith(b"\0"):
                decision = decode_output(value).decision
                if isinstance(decision, ShadowChanged) and decision.shadow == trial.id:
                    decisions.append(decision)
    differing = [decision for decision in decisions if decision.difference != "ended"]
    decisions.sort(key=lambda decision: (decision.effective_at, decision.customer_id), reverse=True)
    return View(
        trial=trial.id,
        policy=trial.name,
        hash=trial.hash,
        started_at=trial.started_at,
        effective_at=trial.effective_at,
        from_start=trial.from_start,
        customers=sum(each.customers for each in progress.values()),
        differing=len(differing),
        begun=sum(each.begun for each in progress.values()),
        ended=sum(each.ended for each in progress.values()),
        behind=_behind(settings, settings.kafka.partitions - len(progress)),
        ladders=list(_ladders(differing, progress.values())),
        newest=decisions[:newest],
    )


def published(settings: Settings) -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Partition by partition, the newest record per key; keys whose newest value is null are left out."""
    topic = settings.topic(TOPIC)
    with consumer(settings, **BULK) as reader:
        for number in range(settings.kafka.partitions):
            place, found = TopicPartition(topic, number), dict[bytes, bytes]()
            for record in whole(reader, place):
                if record.value is None:
                    found.pop(record.key, None)
                else:
                    found[record.key] = record.value
            yield number, found


def _ladders(differing: Iterable[ShadowChanged], progress: Iterable[Progress]) -> Iterator[LadderView]:
    moved: dict[str, Counter[tuple[str, str]]] = {}
    higher, lower = Counter[str](), Counter[str]()
    for decision in differing:
        for one in decision.ladders:
            live, shadow = one.live, one.shadow
            moved.setdefault(one.ladder, Counter())[live.id if live else NO_TIER, shadow.id if shadow else NO_TIER] += 1
            ranks = live.rank if live else 0, shadow.rank if shadow else 0
            higher[one.ladder] += ranks[1] > ranks[0]
            lower[one.ladder] += ranks[1] < ranks[0]
        if decision.risk is not None:
            bands = decision.risk.live or NO_TIER, decision.risk.shadow or NO_TIER
            moved.setdefault(BANDS, Counter())[bands] += 1
    live_counts: dict[str, Counter[str]] = {}
    customers = 0
    for each in progress:
        customers += each.customers
        for ladder, tiers in each.live.items():
            live_counts.setdefault(ladder, Counter()).update(tiers)
    for ladder in sorted({*moved, *live_counts}, key=lambda ladder: (ladder == BANDS, ladder)):
        counts = live_counts.get(ladder, Counter())
        counts[NO_TIER] = max(0, customers - sum(counts.values()))
        yield LadderView(
            ladder=ladder,
            differing=moved.get(ladder, Counter()).total(),
            higher=higher[ladder],
            lower=lower[ladder],
            flows=_flows(moved.get(ladder, Counter()), counts),
        )


def _flows(moved: Counter[tuple[str, str]], live: Counter[str]) -> Counts:
    """The whole table: who stands alike is what is left of each live tier."""
    flows: Counts = {}
    for (before, after), count in sorted(moved.items()):
        flows.setdefault(before, {})[after] = count
    for tier, count in live.items():
        alike = count - sum(flows.get(tier, {}).values())
        if alike > 0:
            flows.setdefault(tier, {})[tier] = alike
    return flows


def _behind(settings: Settings, unopened: int) -> Behind:
    journal = journal_of(settings)
    places = [TopicPartition(journal, number) for number in range(settings.kafka.partitions)]
    with consumer(settings, group_id=group_of(settings), **_SINGLE_FETCH) as reader:
        reader.assign(places)
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
        at = {place: reader.committed(place) for place in places}
        position = {place: begins[place] if at[place] is None else at[place] for place in places}
        behind = [place for place in places if position[place] < ends[place]]
        oldest = _oldest(reader, {place: position[place] for place in behind})
    records = sum(ends[place] - position[place] for place in behind)
    return Behind(records, max(0.0, time.time() - oldest / 1000) if oldest else 0.0, unopened)


def _oldest(reader: Any, positions: dict[TopicPartition, int]) -> int:  # noqa: ANN401 - kafka-python is untyped
    """When the first record at or after these positions was written, in epoch ms; 0 when none came in time."""
    if not positions:
        return 0
    reader.assign(list(positions))
    for place, position in positions.items():
        reader.seek(place, position)
    found: dict[TopicPartition, int] = {}
    deadline = time.monotonic() + _FIRST_RECORD_S_MAX
    while len(found) < len(positions) and time.monotonic() < deadline:
        for place, records in reader.poll(timeout_ms=500).items():
            found.setdefault(place, records[0].timestamp)
            reader.pause(place)
    return min(found.values(), default=0)
