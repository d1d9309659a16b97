"""`tierstream doctor data`: what producers really send, measured on the newest records of each source topic.

Decodes with intake's own door and counts. `Tally` is pure; `look_at_data` reads, without a group, and writes nothing.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from kafka import TopicPartition

from agents.kafka_clients import consumer
from agents.settings import EVENT_CLOCK_TOPIC, Settings
from schemas.clock import format_instant, parse_instant
from schemas.events import InputEvent, type_of
from schemas.journal import is_control_key
from schemas.rejections import HEADER_PREFIX, Rejected
from streams.intake import Limits, accept

QUIET_S_MAX = 10
"""A broker that sends nothing for so long has gone; what was read is reported, and marked as not complete."""
STAMPED = frozenset({"recordedtime"})
"""Fields that intake writes: nobody misses them."""
_LOG_APPEND_TIME = 1


class TypeReport(msgspec.Struct, kw_only=True):
    """What was seen of one event type in one topic. Shares are between 0 and 1."""

    topic: str
    type: str
    records: int
    repeated: int
    """Records whose (source, id) was in the sample already."""
    lateness_p50_s: float
    lateness_p99_s: float
    """Arrival less event time; negative where producers' clocks run ahead."""
    ahead_share: float
    """Events that say they happened after they arrived."""
    without_customer_share: float
    """Events that only have an anonymous id."""
    missing_shares: dict[str, float]
    """Optional field to the share of events that leave it out, most missed first."""
    last_arrival: str
    last_arrival_age_s: float


class DataReport(msgspec.Struct, kw_only=True):
    """The whole look."""

    types: list[TypeReport]
    refused: dict[str, dict[str, int]]
    """Topic to reason to records of the sample that intake refuses, or would."""
    silent: list[str]
    """Source topics without a record in the sample."""
    dead_letters: dict[str, int]
    """Reason to records of the sample of `dead-letters`."""
    complete: bool
    """False when the broker went quiet before the sample was read."""


class _TypeTally:
    """Counts of one type in one topic."""

    def __init__(self) -> None:
        self.lateness_ms: list[int] = []
        self.seen: set[tuple[str, str]] = set()
        self.repeated = self.anonymous = self.last_ms = 0
        self.missing: Counter[str] = Counter()

    def add(self, event: InputEvent, arrived_ms: int) -> None:
        self.lateness_ms.append(arrived_ms - parse_instant(event.time))
        identity = (event.source, event.id)
        self.repeated += identity in self.seen
        self.seen.add(identity)
        self.anonymous += not event.customer_id
        self.last_ms = max(self.last_ms, arrived_ms)
        for field in msgspec.structs.fields(event):
            if not field.required and field.name not in STAMPED and not getattr(event, field.name):
                self.missing[field.name] += 1

    def report(self, topic: str, name: str, now_ms: int) -> TypeReport:
        count, lateness = len(self.lateness_ms), sorted(self.lateness_ms)
        return TypeReport(
            topic=topic,
            type=name,
            records=count,
            repeated=self.repeated,
            lateness_p50_s=_at(lateness, 0.5) / 1000,
            lateness_p99_s=_at(lateness, 0.99) / 1000,
            ahead_share=sum(late < 0 for late in lateness) / count,
            without_customer_share=self.anonymous / count,
            missing_shares={field: missed / count for field, missed in self.missing.most_common()},
            last_arrival=format_instant(self.last_ms),
            last_arrival_age_s=(now_ms - self.last_ms) / 1000,
        )


class Tally:
    """Counts what intake would make of records."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._types: dict[tuple[str, str], _TypeTally] = {}
        self.refused: dict[str, Counter[str]] = {}
        self.dead: Counter[str] = Counter()

    def add(self, topic: str, value: bytes | None, headers: list[tuple[str, bytes | None]], arrived_ms: int) -> None:
        """A record of a source topic."""
        result = accept(value, headers, arrived_ms, self._limits)
        if isinstance(result, Rejected):
            self.refused.setdefault(topic, Counter())[result.reason.value] += 1
            return
        key = topic, type_of(result.event)
        self._types.setdefault(key, _TypeTally()).add(result.event, arrived_ms)

    def add_dead(self, headers: Iterable[tuple[str, bytes | None]]) -> None:
        """A record of the dead letters."""
        reason = dict(headers).get(HEADER_PREFIX + "reason") or b"unnamed"
        self.dead[reason.decode(errors="replace")] += 1

    def report(self, sources: Iterable[str], now_ms: int, *, complete: bool) -> DataReport:
        """What was counted; `now_ms` is what ages are counted from."""
        spoke = {topic for topic, _ in self._types} | set(self.refused)
        return DataReport(
            types=[tally.report(*key, now_ms) for key, tally in sorted(self._types.items())],
            refused={topic: dict(reasons.most_common()) for topic, reasons in sorted(self.refused.items())},
            silent=[topic for topic in sources if topic not in spoke],
            dead_letters=dict(self.dead.most_common()),
            complete=complete,
        )


def look_at_data(settings: Settings, *, sample: int, since_ms: int | None = None) -> DataReport:
    """Read the newest `sample` records of each source topic and of the dead letters, or those since an instant."""
    by_event = settings.intake.clock == "event"
    limits = Limits(
        late_ms_max=settings.late_limit_ms, ahead_ms_max=settings.intake.ahead_limit_s * 1000, event_clock=by_event
    )
    tally, complete = Tally(limits), True
    imports, dead = settings.topic(EVENT_CLOCK_TOPIC), settings.topic("dead-letters")
    for topic in (*settings.sources(), dead):
        for record in newest_records(settings, topic, sample, since_ms):
            if record is None:
                complete = False
            elif topic == dead:
                tally.add_dead(record.headers)
            elif not (topic == imports and is_control_key(record.key)):
                tally.add(topic, record.value, list(record.headers), _arrival(record))
    return tally.report(settings.sources(), int(time.time() * 1000), complete=complete)


def newest_records(settings: Settings, topic: str, sample: int, since_ms: int | None) -> Iterator[Any]:
    """The newest records of a topic, an equal part from each partition; ends with None when the broker goes quiet."""
    with consumer(settings, max_poll_records=5_000) as reader:
        places = [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]
        if not places:
            return
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
        part = -(-sample // len(places))
        since = reader.offsets_for_times(dict.fromkeys(places, since_ms)) if since_ms is not None else {}
        reader.assign(places)
        for place in places:
            newest = max(begins[place], ends[place] - part)
            found = since.get(place)
            reader.seek(place, newest if since_ms is None else max(newest, found.offset if found else ends[place]))
        heard = time.monotonic()
        while any(reader.position(place) < ends[place] for place in places):
            polled = reader.poll(timeout_ms=500)
            for place, records in polled.items():
                yield from (record for record in records if record.offset < ends[place])
            if polled:
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                yield None
                return


def _arrival(record: Any) -> int:  # noqa: ANN401 - kafka-python is untyped
    """As intake sees it."""
    if record.timestamp_type == _LOG_APPEND_TIME:
        return int(record.timestamp)
    return min(int(record.timestamp), int(time.time() * 1000))


def _at(ascending: list[int], share: float) -> int:
    """The nearest-rank percentile."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
