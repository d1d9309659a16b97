"""Follows the journal with the partitions that the group gives to this process, and publishes the differences.

What is published and the group's offsets are one transaction that the group's coordinator refuses from a process that
it has given up: so nobody who was paused writes over what their successor wrote. Snapshots come after it: what a killed
process had folded since its last one is folded again, and found on the topic already.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog
from kafka import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from agents.errors import BrokerUnreachableError
from agents.settings import Settings
from agents.shadow.lane import Lane
from agents.shadow.metrics import ShadowMetrics
from agents.shadow.trial import TOPIC, Trial

POLL_MS: Final = 200
COMMIT_EVERY_S: Final = 1.0
LOOK_EVERY_S: Final = 2.0
"""How often the journal's end is asked for."""

log = structlog.get_logger(__name__)


class Follower(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """Subscribe a consumer with this as its listener, then call `step` for ever."""

    def __init__(self, consumer: Any, writer: Any, settings: Settings, trial: Trial, metrics: ShadowMetrics) -> None:  # noqa: ANN401 - kafka-python is untyped
        self._consumer, self._writer, self._settings = consumer, writer, settings
        self._trial, self._metrics = trial, metrics
        self._topic = settings.topic(TOPIC)
        self._lanes: dict[int, Lane] = {}
        self._assigned: set[TopicPartition] = set()
        self._parked: dict[int, Lane] = {}
        """Of partitions that were taken away: given back at once, they go on as they are."""
        self._committed: dict[int, int] = {}
        self._committed_at = self._looked_at = 0.0
        self._done = 0

    @property
    def progress(self) -> tuple[int, int] | None:
        """Offsets that are folded, of how many, since the partitions were given; None before that."""
        if not self._lanes or self._assigned_unopened():
            return None
        ahead = sum(max(0, lane.end - lane.position) for lane in self._lanes.values())
        return self._done, self._done + ahead

    @property
    def level(self) -> bool:
        """Whether every partition of ours has caught up."""
        return bool(self._lanes) and not self._assigned_unopened() and all(lane.level for lane in self._lanes.values())

    def step(self) -> None:
        """Poll once and do what is due."""
        self._poll()
        now = time.monotonic()
        self._open_next()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._look(now)
        for lane in self._lanes.values():
            if lane.settle(now):
                break  # one in a step: the group must hear from us
        self._commit(now)
        for lane in self._lanes.values():
            if lane.wants_snapshot(now, self._settings.shadow.snapshot_every_s):
                self._snapshot([lane])
                break

    def close(self) -> None:
        """Keep where everything stands."""
        self._snapshot(list(self._lanes.values()))

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take partitions; nothing is read before its lane is open. What others got is kept for whoever comes back."""
        self._assigned = set(assigned)
        for place in self._assigned:
            self._consumer.pause(place)
        kept = {place.partition for place in self._assigned}
        for lane in [lane for number, lane in self._parked.items() if number not in kept]:
            self._keep(lane)
        self._parked = {number: lane for number, lane in self._parked.items() if number in kept}

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Leave partitions."""
        for place in revoked:
            self._assigned.discard(place)
            lane = self._lanes.pop(place.partition, None)
            self._committed.pop(place.partition, None)
            if lane is not None:
                self._parked[place.partition] = lane

    def _assigned_unopened(self) -> list[TopicPartition]:
        return [place for place in self._assigned if place.partition not in self._lanes]

    def _poll(self) -> None:
        for place, records in self._consumer.poll(timeout_ms=POLL_MS).items():
            lane = self._lanes.get(place.partition)
            if lane is None:
                continue
            before = lane.position
            lane.take(records, self._consumer.position(place))
            self._done += lane.position - before
            self._metrics.events.inc(len(records))
            lane.behind_since_ms = records[-1].timestamp

    def _open_next(self) -> None:
        """Open one lane: restoring takes a while, and the group must hear from us in between."""
        for place in sorted(self._assigned_unopened())[:1]:
            lane = self._parked.pop(place.partition, None) or Lane(self._settings, self._trial, place)
            begin, end = self._consumer.beginning_offsets([place])[place], self._consumer.end_offsets([place])[place]
            resumed = lane.open(begin, end)
            self._consumer.seek(place, lane.position)
            self._consumer.resume(place)
            self._lanes[place.partition] = lane
            log.info("partition opened", partition=place.partition, position=lane.position, resumed=resumed)

    def _look(self, now: float) -> None:
        """See where the journal ends, and show how far behind we are."""
        self._looked_at = now
        lanes = self._lanes
        if not lanes:
            return
        ends = self._consumer.end_offsets([lane.place for lane in lanes.values()])
        flows: Counter[tuple[str, str | None, str | None]] = Counter()
        for lane in lanes.values():
            # Markers of transactions take offsets too: the position passes them with the next poll.
            position = self._consumer.position(lane.place)
            lane.take((), position)
            lane.end = ends[lane.place]
            flows.update(lane.pair.differences.flows)
        self._show(flows)

    def _show(self, flows: Counter[tuple[str, str | None, str | None]]) -> None:
        metrics, lanes, now_ms = self._metrics, list(self._lanes.values()), time.time() * 1000
        behind = [lane for lane in lanes if not lane.level]
        metrics.partitions.set(len(lanes))
        metrics.customers.set(sum(len(lane.pair.live) for lane in lanes))
        metrics.differing.set(sum(len(lane.pair.differences) for lane in lanes))
        metrics.behind_records.set(sum(lane.end - lane.position for lane in behind))
        since = [lane.behind_since_ms for lane in behind if lane.behind_since_ms]
        metrics.behind_seconds.set(max(0.0, now_ms - min(since)) / 1000 if since else 0)
        metrics.show_flows(flows)

    def _commit(self, now: float) -> None:
        """Write what is new, and where we are, in one transaction."""
        news = {lane: messages for lane in self._lanes.values() if (messages := lane.messages(now))}
        moved = {n: lane.position for n, lane in self._lanes.items() if self._committed.get(n) != lane.position}
        if not news and not (moved and now - self._committed_at >= COMMIT_EVERY_S):
            return
        offsets = {self._lanes[n].place: OffsetAndMetadata(position) for n, position in moved.items()}
        try:
            self._writer.begin_transaction()
            for lane, messages in news.items():
                for key, value, headers in messages:
                    self._writer.send(self._topic, value, key=key, headers=headers, partition=lane.place.partition)
            if offsets:
                self._writer.send_offsets_to_transaction(offsets, self._consumer.group_metadata())
            self._writer.commit_transaction()
        except AuthorizationError:  # told where the client was opened
            raise
        except KafkaError as error:
            self._abort(error)
            return
        self._committed_at = now
        self._committed |= moved
        for lane in news:
            for one in lane.written():
                self._metrics.changes.labels(one.known.decision.difference).inc()

    def _abort(self, error: KafkaError) -> None:
        """Nothing was written, and all of it waits; when the group is being given out anew, that is how it must be."""
        log.warning("not written yet", why=str(error) or type(error).__name__)
        try:
            self._writer.abort_transaction()
        except KafkaError as fatal:
            raise BrokerUnreachableError(
                "Kafka refused what the shadow writes.",
                where=self._topic,
                why=str(fatal) or type(fatal).__name__,
                next_step="start it again; it goes on where it stood",
            ) from fatal

    def _snapshot(self, lanes: Sequence[Lane]) -> None:
        """Everybody's time passes first, and what that leads to is written."""
        for lane in lanes:
            lane.come_level()
            lane.tell_progress()
        self._commit(time.monotonic())
        for lane in lanes:
            self._keep(lane)

    def _keep(self, lane: Lane) -> None:
        with self._metrics.snapshots.time():
            lane.snapshot()
