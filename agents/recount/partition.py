"""Counts one partition of the journal anew, and restates its customers until none is left to be restated.

The fold is a replay that counts the declared counters from the beginning. It follows the journal behind its end and
obeys the same rule as the workers, so it knows from the journal alone who is counted for a declaration, who was new
after it, and which restatement came too late because its customer had another record: that customer is restated again.
Once nobody is left nobody ever will be: so a partition that is done stays done, unless the declaration is withdrawn.
"""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError, ProducerFencedError

from agents.control_records import control_writer
from agents.errors import BrokerUnreachableError, ConfigurationError, RestartError
from agents.kafka_clients import consumer
from agents.lookup import BULK, QUIET_S_MAX
from agents.outputs import APP_VERSION
from agents.policy_log import PolicyLog
from agents.processes import Told
from agents.replay.fold import FOR_EVER, JournalFold
from agents.replay.journal_topic import JournalTopic, entry_of, number_of
from agents.replay.snapshots import Fit, Head, Snapshots
from agents.replay.unit import SNAPSHOT_EVERY
from agents.settings import Settings
from schemas.journal import control_key, encode_journal
from streams.customer.record import VERSION
from streams.policy.model import Declaration, OrderFilter, Policy
from streams.recount import is_counted, restatement

PURPOSE: Final = "recount"
"""Of the transactional ids, one per partition: a second command on the same partition ends the first."""
BATCH: Final = 200
"""Customers restated in one transaction."""
RECORD_BYTES_MAX: Final = 900_000
"""Brokers take a little more than this in one record."""
TRANSACTION_TIMEOUT_MS: Final = 10_000
_POLL_MS: Final = 100


class Share(msgspec.Struct, frozen=True):
    """What one process does."""

    settings: Settings
    units: list[str]
    filters: tuple[OrderFilter, ...]
    declaration: str
    """Its id."""
    customers_per_s: float
    """At most so many are restated by this process."""
    snapshots: str = ""
    """Folder to go on from, and to leave snapshots in."""


class Counted(msgspec.Struct):
    """What was done in a process."""

    events: int = 0
    """That were folded now."""
    customers: int = 0
    """Of the partitions."""
    restated: int = 0
    """Restatements that hold."""
    stale: int = 0
    """Those that came too late and were made again."""
    positions: dict[int, int] = msgspec.field(default_factory=dict)
    """Partition to the first offset that was not folded."""
    newest: dict[int, Policy] = msgspec.field(default_factory=dict)
    """Partition to the newest policy there."""
    numbers: dict[int, int] = msgspec.field(default_factory=dict)
    """Partition to the number of the declaration that was counted for: the same everywhere, unless it was withdrawn and
    made again meanwhile."""

    def add(self, other: "Counted") -> None:
        """Take over what another process counted."""
        self.events += other.events
        self.customers += other.customers
        self.restated += other.restated
        self.stale += other.stale
        self.positions |= other.positions
        self.newest |= other.newest
        self.numbers |= other.numbers

    @property
    def agrees(self) -> bool:
        """Whether every partition counted for one and the same declaration."""
        return len(set(self.numbers.values())) == 1


def recount_units(share: Share, told: Told) -> Counted:
    """Count one partition after the other; `told` is told how many records of the journal have been passed."""
    counted, passed = Counted(), 0
    for unit in share.units:
        for amount in _Partition(share, unit, counted).run():
            passed += amount
            told(passed)
    return counted


class _Partition:
    """One partition, from its beginning to the moment when every customer of it is counted."""

    def __init__(self, share: Share, unit: str, counted: Counted) -> None:
        self._share, self._counted, self._unit = share, counted, unit
        self._journal = JournalTopic(share.settings)
        self._homes = self._journal.homes(unit)
        self._home = self._homes[0]
        self._place = TopicPartition(self._journal.name, number_of(unit))
        self._fold = JournalFold(
            self._home,
            lambda _effects, _entry: None,
            dedupe=share.settings.intake.dedupe,
            policies=PolicyLog(share.filters),
        )
        self._begin, self._end = self._journal.span(unit)
        self._position = self._begin
        self._seen = -1
        """Offset of the last record that was folded."""
        fit = Fit(
            self._journal.identity(unit) if share.snapshots else "",
            APP_VERSION,
            VERSION,
            f"counting {share.declaration}",
            share.settings.intake.dedupe,
            unit,
        )
        self._fit = fit
        self._snapshots = Snapshots(Path(share.snapshots), fit) if share.snapshots else None

    def run(self) -> Iterator[int]:
        """Do all of it; gives by how much the position advanced."""
        with consumer(self._share.settings, **BULK) as reader:
            reader.assign([self._place])
            yield self._resume() - self._begin
            reader.seek(self._place, self._position)
            yield from self._fold_to_end(reader)
            for _ in self._restate(reader):
                yield 0
        self._counted.events += self._fold.events
        self._counted.customers += len(self._fold)
        self._counted.positions[self._place.partition] = self._position
        self._counted.newest[self._place.partition] = self._fold.regimes[-1].policy

    def _fold_to_end(self, reader: Any) -> Iterator[int]:  # noqa: ANN401 - kafka-python is untyped
        """Fold what was in the journal when this began, and at least up to the declaration, which came before."""
        written = 0
        heard = time.monotonic()
        while self._position < self._end:
            before = self._position
            if self._take(reader, 1_000):
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                raise BrokerUnreachableError(
                    "The journal could not be read to its end.", where=f"{self._place.topic}[{self._place.partition}]"
                )
            yield self._position - before
            if self._fold.events - written >= SNAPSHOT_EVERY:
                self._snapshot()
                written = self._fold.events
        if self._fold.events > written:
            self._snapshot()

    def _restate(self, reader: Any) -> Iterator[None]:  # noqa: ANN401 - kafka-python is untyped
        """Write restatements until each customer has one that holds; those that did not are made again at once."""
        declaration = self._declared()
        left = deque(key for key, state in self._fold.customers() if not is_counted(state, declaration))
        if not left:
            return
        with control_writer(
            self._share.settings,
            f"{PURPOSE}-{self._place.partition}",
            timeout_ms=TRANSACTION_TIMEOUT_MS,
            compression_type="gzip",
        ) as writer:
            again: list[bytes] = []
            while left or again:
                begun = time.monotonic()
                self._take(reader, 0)
                declaration = self._declared()
                batch = again or [left.popleft() for _ in range(min(BATCH, len(left)))]
                last = self._write(writer, batch, declaration)
                self._await(reader, last)
                again = [key for key in batch if not self._holds(key, declaration)]
                self._counted.restated += len(batch) - len(again)
                self._counted.stale += len(again)
                yield
                pause = len(batch) / self._share.customers_per_s - (time.monotonic() - begun)
                if pause > 0 and not again:
                    time.sleep(pause)

    def _declared(self) -> Declaration:
        """The declaration that this is about, as this partition numbers it."""
        declaration, place = self._fold.declaration, self._place.partition
        number = self._counted.numbers.setdefault(place, declaration.number) if declaration else 0
        if declaration is None or (declaration.id, declaration.number) != (self._share.declaration, number):
            raise RestartError(
                "Other counters were declared, these were withdrawn, or a policy with them was activated, before this "
                "command ended.",
                where=f"{self._place.topic}[{self._place.partition}]",
                why="the newest `tierstream policy activate` goes on alone",
                next_step="tierstream policy show; then activate again, if that is not what you want",
            )
        return declaration

    def _holds(self, key: bytes, declaration: Declaration) -> bool:
        state = self._fold.state_now(key)
        return state is not None and is_counted(state, declaration)

    def _write(self, writer: Any, batch: list[bytes], declaration: Declaration) -> int:  # noqa: ANN401 - likewise
        """Restate these customers in one transaction; the offset of the last record."""
        where = f"{self._place.topic}[{self._place.partition}]"
        records = []
        for key in batch:
            state = self._fold.state_now(key)
            assert state is not None  # noqa: S101 - customers are never forgotten
            record = restatement(state, key.decode(), declaration)
            value = encode_journal(record)
            if len(value) > RECORD_BYTES_MAX:
                raise ConfigurationError(
                    "The counters of one customer are larger than a record of Kafka may be.",
                    where=where,
                    why=f"{len(declaration.filters)} counters over very many orders make {len(value):,} bytes",
                    next_step="have the policy filter by fewer categories and stores",
                )
            records.append((control_key(record), value))
        try:
            writer.begin_transaction()
            sent = [
                writer.send(self._place.topic, value, key=key, partition=self._place.partition)
                for key, value in records
            ]
            writer.flush(timeout=TRANSACTION_TIMEOUT_MS / 1000)
            last = max(each.get(timeout=1).offset for each in sent)
            writer.commit_transaction()
        except ProducerFencedError as error:
            raise RestartError(
                "Another `tierstream policy activate` counts this partition now.", where=where, next_step="wait for it"
            ) from error
        except AuthorizationError:  # told where the client was opened
            raise
        except KafkaError as error:
            raise BrokerUnreachableError(
                "A restatement did not come through.",
                where=where,
                why=str(error) or type(error).__name__,
                next_step="the same command again: it goes on where the cluster is",
            ) from error
        return int(last)

    def _await(self, reader: Any, offset: int) -> None:  # noqa: ANN401 - likewise
        """Fold until this record has been folded."""
        heard = time.monotonic()
        while self._seen < offset:
            if self._take(reader, _POLL_MS):
                heard = time.monotonic()
            elif time.monotonic() - heard > QUIET_S_MAX:
                raise BrokerUnreachableError(
                    "What was written into the journal cannot be read.",
                    where=f"{self._place.topic}[{self._place.partition}]",
                    why="a transaction of another writer is open, or the broker does not answer",
                    next_step="the same command again: it goes on where the cluster is",
                )

    def _take(self, reader: Any, wait_ms: int) -> bool:  # noqa: ANN401 - likewise
        """Fold what has come; whether anything has."""
        records = reader.poll(timeout_ms=wait_ms).get(self._place, [])
        for record in records:
            self._fold.take(entry_of(record))
            self._seen = record.offset
        before, self._position = self._position, reader.position(self._place)
        return bool(records) or self._position > before

    def _resume(self) -> int:
        """Restore the newest snapshot that fits; the position to go on from."""
        found = self._snapshots and self._snapshots.newest(
            FOR_EVER, lambda head: self._begin <= head.position <= self._end
        )
        if found:
            for states in found.states():
                self._fold.restore(states, found.head.latest)
            self._position = found.head.position
        return self._position

    def _snapshot(self) -> None:
        if self._snapshots is not None:
            head = Head(self._fit, self._position, self._fold.latest, self._fold.events, "", self._homes)
            self._snapshots.write(head, iter([self._fold.states()]))
