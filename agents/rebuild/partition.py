"""Makes the states of one partition anew, as of the position at which its worker stopped, and writes them."""

import asyncio
from collections.abc import Iterator
from typing import Final

import msgspec

from agents.errors import ConfigurationError
from agents.kafka_security import security_of
from agents.partition_records import NO_TICK, take_due_work, take_history
from agents.processes import Told
from agents.rebuild.published import Published, published_by
from agents.replay.journal_file import Read
from agents.replay.journal_topic import JournalTopic, number_of
from agents.replay.unit import Options, Share, Tally, Unit
from agents.runtime.cluster import Cluster
from agents.runtime.stage import StateRecord
from agents.runtime.takeover import Taken, taken_over
from agents.settings import Settings
from schemas.journal import is_control_key
from streams.customer.record import encode_state

STAGE: Final = "customers"


class Rebuilding(msgspec.Struct, frozen=True):
    """What one process rebuilds."""

    settings: Settings
    units: list[str]
    options: Options


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """One partition, done."""

    partition: int
    position: int
    """Journal records before it are in the states."""
    customers: int
    changed: int
    """States that differ from what the changelog held."""
    removed: int
    """States that belonged to nobody in the journal."""
    raised: int
    """Customers whose published numbers were ahead of this version's fold."""


class JournalUpTo(JournalTopic, frozen=True):
    """The journal as far as a worker has folded it."""

    positions: dict[int, int] = msgspec.field(default_factory=dict)
    """By partition."""

    def span(self, unit: str) -> tuple[int, int]:
        """Where it begins, and the position."""
        begin, _ = JournalTopic.span(self, unit)
        return begin, max(begin, self._end(unit))

    def read(self, unit: str, position: int) -> Iterator[Read]:
        """The records from a position to the worker's."""
        end = self._end(unit)
        if position >= end:
            return
        for entries, after in JournalTopic.read(self, unit, position):
            yield Read([entry for entry in entries if entry.offset < end], min(after, end))
            if after >= end:
                return

    def _end(self, unit: str) -> int:
        return self.positions.get(number_of(unit), 0)


def rebuild_partitions(share: Rebuilding, told: Told) -> list[Rebuilt]:
    """Rebuild one partition after the other; `told` is told how many of the share's partitions are done."""
    done = []
    for unit in share.units:
        done.append(asyncio.run(_rebuild(share, unit)))
        told(len(done))
    return done


async def _rebuild(share: Rebuilding, unit: str) -> Rebuilt:
    settings = share.settings
    number = number_of(unit)
    cluster = Cluster(
        settings.kafka.bootstrap,
        client_id=settings.kafka.application_id,
        security=security_of(settings.kafka),
    )
    await cluster.start()
    try:
        async with taken_over(cluster, settings.kafka.application_id, STAGE, number) as taken:
            position = _position(taken, settings)
            # The loop stands meanwhile, and nothing waits for it: no transaction is open.
            states, raised = _fold(share, unit, position)
            old = taken.records
            new = {key: value for key, value in states if value is not None}
            gone = [key for key in old if key not in new and not is_control_key(key)]
            changed = [(key, value) for key, value in new.items() if old.get(key) != value]
            await taken.write([*changed, *((key, None) for key in gone)])
    finally:
        await cluster.close()
    return Rebuilt(
        partition=number,
        position=position,
        customers=sum(not is_control_key(key) for key in new),
        changed=sum(not is_control_key(key) for key, _ in changed),
        removed=len(gone),
        raised=raised,
    )


def _position(taken: Taken, settings: Settings) -> int:
    """The worker's position in the journal. Raises the reason when nothing can be rebuilt as of it."""
    where = f"{taken.changelog.topic}-{taken.changelog.partition}"
    topics = taken.position.topics if taken.position else {}
    journal = topics.get(settings.topic("customer-events"))
    if journal is None:
        raise ConfigurationError(
            "The changelog does not say how far the journal was folded.",
            where=where,
            why="no worker has had this partition yet, or the topic was deleted or lost",
            next_step="nothing needs to be rebuilt for a fresh application: tierstream worker",
        )
    if take_due_work(dict(taken.records)).until != NO_TICK or take_history(dict(taken.records)).live_at != NO_TICK:
        raise ConfigurationError(
            "The worker was stopped in the middle of a tick's or a go-live's work.",
            where=where,
            why="some of these customers' changes are published and others are not, which states alone cannot tell",
            next_step="start the version of the worker that wrote it, for some seconds, then again",
        )
    return journal.offset


def _fold(share: Rebuilding, unit: str, position: int) -> tuple[list[StateRecord], int]:
    """All records of the changelog as of the position, and for how many customers more had been published."""
    settings = share.settings
    number = number_of(unit)
    journal = JournalUpTo(settings, None, {number: position})
    work = Unit(Share(journal, [unit], share.options), unit, Tally())
    for _ in work.run():
        pass
    (fold,) = work.folds
    published: Published = published_by(settings, number)
    raised, ahead = 0, dict[bytes, bytes]()
    for key, state in fold.customers():
        if published.raise_numbers(key, state):
            raised += 1
            ahead[key] = encode_state(state)
    return [(key, ahead.get(key, value)) for key, value in fold.states()], raised
