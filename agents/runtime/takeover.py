"""Takes a partition's state over from outside a worker, to write it anew at the position where it stands.

The same claim as a worker's (`opening.py`): whoever wrote for the partition is fenced before anything is written, and a
worker that comes meanwhile fences us. The position record changes last and says the same as before, so that an end in
the middle leaves states that all belong to the same position.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec
from aiokafka import TopicPartition

from agents.errors import BrokerUnreachableError, FencedError, TierstreamError
from agents.runtime import names
from agents.runtime.cluster import Cluster
from agents.runtime.failures import FencedOffError, TenureFailure
from agents.runtime.opening import fence
from agents.runtime.position import POSITION_KEY, Position, encode_position
from agents.runtime.producer import TransactionalProducer
from agents.runtime.restore import RestoreProgress, restore
from agents.runtime.stage import OutputRecord, StateRecord

RECORDS_PER_COMMIT: Final = 20_000
"""Some ten megabytes of states: a commit is over long before its transaction times out."""


class Taken(NamedTuple):
    """A partition that nobody else writes for."""

    position: Position | None
    """None: its changelog is empty."""
    records: dict[bytes, bytes]
    """What its changelog holds: states, still encoded, and the stage's own records."""
    claim: TransactionalProducer
    changelog: TopicPartition

    async def write(self, states: Sequence[StateRecord]) -> None:
        """Write states of this position, then say that the partition belongs to nobody."""
        assert self.position is not None  # noqa: S101 - whoever writes states knows of which position they are
        for first in range(0, len(states), RECORDS_PER_COMMIT):
            await self._commit([(key, value, []) for key, value in states[first : first + RECORDS_PER_COMMIT]])
        released = msgspec.structs.replace(self.position, writer="")
        await self._commit([(POSITION_KEY, encode_position(released), [])])

    async def _commit(self, records: list[OutputRecord]) -> None:
        await self.claim.commit({tuple(self.changelog): records})


@asynccontextmanager
async def taken_over(cluster: Cluster, application: str, stage: str, partition: int) -> AsyncIterator[Taken]:
    """Claim a partition. FencedError when a worker took it back, BrokerUnreachableError when the cluster went away."""
    changelog = TopicPartition(names.changelog(application, stage), partition)
    claim = TransactionalProducer(cluster, names.claim_id(application, stage, partition))
    try:
        await claim.start()
        kept = _Kept()

        async def end_term(found: str) -> None:
            await fence(cluster, found, "")

        position = await restore(cluster, changelog, kept, RestoreProgress(lambda *_: None), end_term)
        yield Taken(position, kept.records, claim, changelog)
    except TenureFailure as failure:
        raise _as_error(failure, changelog) from failure
    finally:
        await claim.close()


def _as_error(failure: TenureFailure, changelog: TopicPartition) -> TierstreamError:
    where = f"{changelog.topic}-{changelog.partition}"
    if isinstance(failure, FencedOffError):
        return FencedError(
            "Somebody else took the partition over meanwhile.",
            where=where,
            why="a worker was started, or the same command a second time",
            next_step="stop it, then run the command again: what is written so far does no harm",
        )
    return BrokerUnreachableError(
        "The cluster did not carry out a transaction.",
        where=where,
        why=str(failure),
        next_step="run the command again: what is written so far does no harm",
    )


class _Kept:
    """Keeps a changelog as it is."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}

    def restore(self, records: Iterable[StateRecord]) -> None:
        for key, value in records:
            if value is None:
                self.records.pop(key, None)
            else:
                self.records[key] = value

    def ready(self) -> None:
        """Nothing is derived."""
