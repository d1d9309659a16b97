"""One partition of a shadow: where it stands in the journal, what waits to be published, its snapshots on disk."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kafka import TopicPartition

from agents.control_records import JOURNAL
from agents.kafka_clients import consumer
from agents.lookup import BULK, whole
from agents.outputs import APP_VERSION, SOURCE
from agents.replay.journal_topic import JournalTopic, entry_of
from agents.replay.snapshots import Fit, Found, Head, Snapshots, forget_others
from agents.settings import Settings
from agents.shadow.differences import Publication
from agents.shadow.pair import Pair
from agents.shadow.published import Newest, Published
from agents.shadow.trial import PROGRESS_KEY, TOPIC, Progress, Trial, encode_record, is_own
from schemas.clock import format_instant
from schemas.publishing import decode_output, encode_output
from schemas.shadow import ShadowChanged
from streams.customer.record import VERSION

DECODED_MAX: Final = 10_000
"""Customers per partition and side whose state is kept decoded; there are two sides, and often many partitions."""
SNAPSHOTS_KEPT: Final = 2
FOLDER: Final = "shadow"
PROGRESS_EVERY_S: Final = 5.0
SETTLE_EVERY_S: Final = 1.0
SETTLE_SHARE: Final = 20
"""Letting everybody's time pass takes at most one part in so many of a shadow's time."""

Message = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers of a record."""


class Lane:
    """A partition that the group gave to this process."""

    def __init__(self, settings: Settings, trial: Trial, place: TopicPartition) -> None:
        self.place, self._settings, self._trial = place, settings, trial
        self._count = settings.kafka.partitions
        self.pair = self._new_pair()
        self._opened = False
        self.position = 0
        self.end = 0
        """Where the journal ended when somebody last looked."""
        self.behind_since_ms = 0
        """When the oldest record that is not folded was written; 0: level, or not known."""
        self._published = Published({}, 0)
        self._pending: list[Publication] = []
        self._removed: list[bytes] = []
        self._settled_at = self._settle_s = 0.0
        self._settled_position = -1
        self._progress_at = 0.0
        self._progress_position = -1
        self._progress_level = False
        self._snapshot_at = time.monotonic()
        self._snapshot_position = -1
        journal_id = JournalTopic(settings).identity("")
        self._unit = f"{place.partition}-of-{self._count}"
        fit = Fit(journal_id, APP_VERSION, VERSION, trial.id, settings.intake.dedupe, self._unit)
        self._fit, self._snapshots = fit, Snapshots(snapshots_folder(settings), fit, kept=SNAPSHOTS_KEPT)
        forget_others(snapshots_folder(settings), fit)  # of a trial that ended while nothing ran here

    @property
    def level(self) -> bool:
        """Whether it has folded all that the journal held when somebody last looked."""
        return self.position >= self.end

    def open(self, begin: int, end: int) -> bool:
        """Stand where the newest snapshot stands, else at the journal's begin; returns whether there was a snapshot.

        One that goes on in the same process keeps what it has, but learns what others have published meanwhile.
        """
        resumed = self._opened or self._restore(begin, end)
        if not resumed:
            self.position = begin
        self._opened = True
        self.end = max(end, self.position)
        self._published = Published(self._newest(), self.end)
        self._pending = self._published.news(self._pending)
        return resumed

    def take(self, records: Sequence[Any], position: int) -> None:
        """Fold what was read; `position` is the first one that is not among them."""
        for record in records:
            if record.offset >= self.position:
                self.pair.take(entry_of(record))
        self.position = max(self.position, position)
        self.pair.reached(self.position)
        self._gather()

    def settle(self, now: float) -> bool:
        """Let everybody's time pass, when it is worth while; returns whether it did."""
        pause_s = max(SETTLE_EVERY_S, SETTLE_SHARE * self._settle_s)
        if not self.level or self._settled_position == self.position or now - self._settled_at < pause_s:
            return False
        self.come_level()
        self._settled_at, self._settled_position = time.monotonic(), self.position
        self._settle_s = self._settled_at - now
        return True

    def messages(self, now: float) -> list[Message]:
        """What is to be written with the position; `written` says that it was."""
        found = [_message(one) for one in self._pending]
        found += [(key, None, []) for key in self._removed]
        due = now - self._progress_at >= PROGRESS_EVERY_S or self.level is not self._progress_level
        if due and self.position != self._progress_position:
            found.append((PROGRESS_KEY, encode_record(self._progress()), []))
            self._progress_at, self._progress_position, self._progress_level = now, self.position, self.level
        return found

    def tell_progress(self) -> None:
        """Let the next messages tell how far it is, however lately it was told."""
        self._progress_at = 0.0

    def written(self) -> list[Publication]:
        """Everything that `messages` gave is on the topic; returns the differences among it."""
        written, self._pending, self._removed = self._pending, [], []
        return written

    def wants_snapshot(self, now: float, every_s: float) -> bool:
        """Whether it is time for one."""
        return now - self._snapshot_at >= every_s and self.position != self._snapshot_position

    def come_level(self) -> None:
        """Let everybody's time pass, as for a snapshot; what that leads to must be written before it."""
        self.pair.settle()
        self._gather()

    def snapshot(self) -> None:
        """Keep where it stands, unless something still waits to be published."""
        self.come_level()
        if self._pending or self._removed or self.position == self._snapshot_position:
            return
        live = self.pair.live
        head = Head(self._fit, self.position, live.latest, live.events, "", [(self.place.partition, self._count)] * 3)
        self._snapshots.write(head, iter(self.pair.states()))
        self._snapshot_at, self._snapshot_position = time.monotonic(), self.position

    def _gather(self) -> None:
        """Take over what is to be published."""
        self._pending += self._published.news(self.pair.differences.drain())
        for key, known in self._published.corrections(self.position, self.pair.differences).items():
            if known is None:
                self._removed.append(key)
            else:
                self._pending.append(Publication(key, known))

    def _newest(self) -> dict[bytes, Newest]:
        """The newest record per customer on the topic."""
        found: dict[bytes, Newest] = {}
        place = TopicPartition(self._settings.topic(TOPIC), self.place.partition)
        with consumer(self._settings, **BULK) as reader:
            for record in whole(reader, place):
                if is_own(record):
                    continue
                if record.value is None:
                    found.pop(record.key, None)
                    continue
                output = decode_output(record.value)
                decision = output.decision
                ours = isinstance(decision, ShadowChanged) and decision.shadow == self._trial.id
                found[record.key] = Newest(decision.sequence if ours else 0, output.id)
        return found

    def _progress(self) -> Progress:
        differences, live = self.pair.differences, self.pair.live
        return Progress(
            trial=self._trial.id,
            position=self.position,
            latest=format_instant(live.latest) if live.latest >= 0 else None,
            level=self.level,
            customers=len(live),
            live={ladder: {tier: n for tier, n in tiers.items() if n} for ladder, tiers in self.pair.standings.items()},
            begun=differences.counts["begun"],
            ended=differences.counts["ended"],
        )

    def _restore(self, begin: int, end: int) -> bool:
        found: Found | None = self._snapshots.newest(2**62, lambda head: begin <= head.position <= end)
        if found is None:
            return False
        self.pair.restore(list(found.states()), found.head.latest)
        self.position = self._snapshot_position = found.head.position
        return True

    def _new_pair(self) -> Pair:
        home = self.place.partition, self._count
        return Pair(home, self._trial, dedupe=self._settings.intake.dedupe, decoded_max=DECODED_MAX)


def snapshots_folder(settings: Settings) -> Path:
    """Where a shadow keeps its snapshots on this machine."""
    return Path(settings.worker.data_dir) / FOLDER


def journal_of(settings: Settings) -> str:
    """The topic that is folded."""
    return settings.topic(JOURNAL)


def _message(one: Publication) -> Message:
    value, headers = encode_output(one.known.decision, event_id=one.known.id, source=SOURCE)
    return one.key, value, headers
