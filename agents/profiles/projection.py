"""Follows the compacted topic `customer-profiles` and keeps Redis level with it.

One thread: poll, keep the newest per customer, write, then move the markers and the group's offsets. Redis' own markers
say from where to go on, because they share the data's fate: after a flush, a failover to an older replica or a restored
backup they stand where the data stands. The group's offsets are for lag tools.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from kafka import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.profiles.breaker import CircuitBreaker
from agents.profiles.connection import RedisOutage
from agents.profiles.lanes import Lane, open_lane
from agents.profiles.metrics import ProjectionMetrics
from agents.profiles.store import Move, ProfileStore
from agents.profiles.sweep import Sweep
from agents.profiles.waiting import WaitingProfiles
from agents.profiles.writing import Writer
from agents.settings import RedisSettings

SIGN_OF_LIFE_S = 2.0
"""How often markers are touched without news; a flush is noticed within this time."""
TIDY_EVERY_S = 3_600.0
WORK_S_MAX = 2.0
"""Longest time between two polls that goes to Redis, when each answer is slow: the group must hear from us."""

log = structlog.get_logger(__name__)


class Projection(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """Subscribe a consumer with this as its listener, then call `step` for ever."""

    def __init__(
        self,
        consumer: Any,  # noqa: ANN401 - kafka-python is untyped
        store: ProfileStore,
        settings: RedisSettings,
        topic_id: Callable[[], str],
        metrics: ProjectionMetrics,
    ) -> None:
        self._consumer, self._store, self._settings = consumer, store, settings
        self._topic_id, self._metrics = topic_id, metrics
        self._lanes: dict[int, Lane] = {}
        self._waiting = WaitingProfiles()
        self._writer = Writer(store, self._waiting, settings.write_records_max, metrics)
        self._breaker = CircuitBreaker(random.random)
        self._sweep: Sweep | None = None
        self._worked_at = self._lived_at = 0.0
        self._tidy_at = time.monotonic() + TIDY_EVERY_S
        self._paused = self._worked = False
        self._outage = ""

    def step(self) -> None:
        """Poll once and write if it is time; returns after at most about a pause and WORK_S_MAX."""
        heard = self._poll()
        now = time.monotonic()
        if not self._lanes or not self._breaker.allows(now):
            return
        full = len(self._waiting) >= self._settings.write_records_max
        if not full and now - self._worked_at < self._settings.pause_ms / 1000:
            return
        try:
            self._work(now)
        except RedisOutage as outage:
            self._failed(outage)
        except ConfigurationError as error:
            if not self._worked:
                raise
            self._failed(RedisOutage("refused", f"{error.what} {error.next_step}"))  # a password in rotation, say
        except (BrokerUnreachableError, KafkaError) as error:
            self._failed(RedisOutage("kafka", str(error)))
        else:
            self._worked = True
            self._succeeded()
        self._worked_at = time.monotonic()
        self._measure(heard=heard)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take partitions; nothing is read before Redis has said from where."""
        for place in assigned:
            self._lanes[place.partition] = Lane(place)
            self._consumer.pause(place)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Leave partitions: what waits for them, their next owner reads again."""
        for place in revoked:
            self._lanes.pop(place.partition, None)
            self._waiting.forget(place.partition)

    def _poll(self) -> bool:
        """Take what has come; returns whether something has."""
        self._hold(len(self._waiting) >= (self._settings.queue_customers_max if self._outage else 1))
        polled = self._consumer.poll(timeout_ms=self._settings.pause_ms)
        for place, records in polled.items():
            lane = self._lanes.get(place.partition)
            if lane is None or not lane.opened:
                continue
            if records[0].offset < lane.read_to:  # the consumer was sent back: this is not the topic that we knew
                self._abandon(lane)
                continue
            lane.read_to = records[-1].offset + 1
            self._metrics.read.inc(len(records))
            replaced = sum(
                self._waiting.add(record.key or b"", place.partition, record.value, record.timestamp)
                for record in records
            )
            self._metrics.coalesced.inc(replaced)
        return bool(polled)

    def _hold(self, hold: bool) -> None:  # noqa: FBT001 - the state that is wanted
        """Stop or go on reading; partitions that are not open stay stopped."""
        if hold != self._paused:
            self._paused = hold
            for lane in self._lanes.values():
                if lane.opened:
                    (self._consumer.pause if hold else self._consumer.resume)(lane.place)

    def _work(self, now: float) -> None:
        """Everything that is due at Redis."""
        for lane in self._lanes.values():
            if not lane.claimed:
                self._open(lane)
        while self._waiting and time.monotonic() - now < WORK_S_MAX:
            for partition in self._writer.write():
                self._abandon(self._lanes[partition])
        if not self._waiting:
            self._advance(now)
            self._clean()

    def _open(self, lane: Lane) -> None:
        restarted = open_lane(lane, self._consumer, self._store, self._topic_id, self._waiting)
        if restarted:
            self._metrics.rebuilds.inc()
            log.info("reading from the begin", partition=lane.place.partition)
        if not self._paused:
            self._consumer.resume(lane.place)

    def _advance(self, now: float) -> None:
        """Everything that was read is written: say so, in Redis first."""
        alive = now - self._lived_at >= SIGN_OF_LIFE_S
        moved = []
        for lane in self._lanes.values():
            offset = self._consumer.position(lane.place) if lane.claimed else lane.offset
            if lane.claimed and (offset != lane.offset or alive):
                moved.append((lane, offset))
        moves = [Move(lane.place.partition, offset, lane.state) for lane, offset in moved]
        for (lane, offset), held in zip(moved, self._store.advance(moves), strict=True):
            if held:
                lane.offset = offset
            else:
                self._abandon(lane)
        if alive:
            self._lived_at = now
        commits = {lane.place: OffsetAndMetadata(offset) for lane, offset in moved if lane.claimed}
        if commits:
            self._consumer.commit_async(commits)

    def _clean(self) -> None:
        """When rounds from the begin have met the end: remove what they have not met, then call the partitions ready.

        What was removed may be an earlier life of a customer whose erasure the topic has forgotten; it may have kept
        the profile of the present one out. So such a partition is read once more.
        """
        rounds = [lane for lane in self._lanes.values() if lane.state == "rebuilding"]
        if not rounds:
            self._tidy()
            return
        if not all(lane.claimed and lane.offset >= lane.target for lane in rounds):
            self._sweep = None
            return
        partitions = len(self._consumer.partitions_for_topic(rounds[0].place.topic))
        swept = frozenset(lane.place.partition for lane in rounds)
        if self._sweep is None or self._sweep.partitions != swept:
            self._sweep = Sweep(self._store, swept, partitions)
        if not self._sweep.step():
            return
        removed, self._sweep = self._sweep.removed, None
        for lane in rounds:
            if removed[lane.place.partition]:
                lane.read_to = lane.offset = 0
                self._consumer.seek(lane.place, 0)
            else:
                lane.state = "ready"
        moves = [Move(lane.place.partition, lane.offset, lane.state) for lane in rounds]
        for lane, held in zip(rounds, self._store.advance(moves), strict=True):
            if not held:
                self._abandon(lane)

    def _tidy(self) -> None:
        """Now and then, where hashes expire by themselves: take the index entries out that they leave."""
        if self._sweep is None and self._settings.inactive_ttl_days and time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_EVERY_S
            self._sweep = Sweep(self._store, frozenset(), 1)
        if self._sweep is not None and self._sweep.step():
            self._sweep = None

    def _abandon(self, lane: Lane) -> None:
        """Somebody else claimed the partition, or its marker went with the data: ask Redis where to go on."""
        if lane.claimed:
            log.warning("the marker is gone or another's", partition=lane.place.partition)
        lane.claimed = lane.opened = False
        self._consumer.pause(lane.place)
        self._waiting.forget(lane.place.partition)

    def _failed(self, outage: RedisOutage) -> None:
        """Leave Redis alone for a while. What was under way may have been done or not: markers will tell."""
        delay_s = self._breaker.failed(time.monotonic())
        self._metrics.outages.labels(outage.reason).inc()
        self._metrics.breaker_open.set(1)
        if outage.reason != self._outage:
            self._outage = outage.reason
            log.warning("profiles wait in kafka", reason=outage.reason, why=outage.why, retry_s=round(delay_s, 1))
        self._store.close()
        self._sweep = None
        for lane in self._lanes.values():
            lane.claimed = False

    def _succeeded(self) -> None:
        self._metrics.breaker_open.set(0)
        if self._breaker.succeeded() or self._outage:
            log.info("profiles go on", after=self._outage)
            self._outage = ""

    def _measure(self, *, heard: bool) -> None:
        claimed = all(lane.claimed and lane.offset >= lane.target for lane in self._lanes.values())
        self._metrics.level = claimed and not heard and not self._waiting
        if self._metrics.level:
            self._metrics.level_at_ms = time.time() * 1000
        self._metrics.queue.set(len(self._waiting))
