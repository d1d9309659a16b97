"""The one writer of a stage in a worker: one transaction for all its partitions that have something to commit.

A transaction per partition would cost more than the fold: twelve partitions and two stages at ten commits a second are
240 transactions, each with its requests and its markers in every partition that it touched, and intake touches all. So
partitions share a writer, and a partition belongs to the writer that its position record names: whoever takes it over
writes its own name there, after fencing the one that it found (`opening.py`).

A *term* is the life of one producer epoch. Whatever ends it ends the tenures of all partitions that joined it: what a
later term writes for a partition must have been restored and claimed in that term.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Mapping
from typing import Protocol

from agents.runtime.cluster import Cluster
from agents.runtime.engine_settings import Pace
from agents.runtime.failures import WriterReplacedError
from agents.runtime.pacing import CommitClock
from agents.runtime.producer import TransactionalProducer
from agents.runtime.stage import OutputRecord
from agents.runtime.wakeup import Wakeup

Outputs = dict[tuple[str, int], list[OutputRecord]]
"""Records by (topic, partition), each list in the order of publication."""


class Member(Protocol):
    """A partition at work, as its writer sees it. None of these waits."""

    def due_at(self) -> float:
        """When its pending records are to be committed (`time.monotonic()`); infinity when there are none."""

    def take(self) -> Outputs | None:
        """Hand over what is pending, its position included; None when there is nothing after all."""

    def committed(self) -> None:
        """Take note that what was taken last is committed."""

    def go_on(self) -> None:
        """Go on with due work: all that was done is taken."""

    def break_off(self, failure: Exception) -> None:
        """End with this failure: nothing after the last `committed` counts."""


class StageWriter:
    """Commits for the partitions of one stage, all that have something pending together, one transaction at a time."""

    def __init__(self, cluster: Cluster, name: str, pace: Pace) -> None:
        self._cluster = cluster
        self.name = name
        """The transactional id, and what position records call the owner of a partition."""
        self.clock = CommitClock(pace)
        self.planned = math.inf
        """When it will look at its members again by itself; who is due earlier wakes it."""
        self._producer: TransactionalProducer | None = None
        self._term = 0
        self._members: dict[Member, None] = {}
        self._open: list[Member] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._starting = asyncio.Lock()
        self._wakeup = Wakeup()
        self._task: asyncio.Task[None] | None = None

    # called by partitions

    async def ready(self) -> int:
        """Wait until the name is ours and no commit is under way; returns the term. Raises a TenureFailure."""
        async with self._starting:
            await self._idle.wait()  # a commit under way may hold records of a partition that is about to be restored
            if self._producer is None:
                producer = self.new_producer()
                try:
                    await producer.start()
                except BaseException:
                    await producer.close()
                    raise
                self._producer, self._term = producer, self._term + 1
                if self._task is None:
                    self._task = asyncio.create_task(self._run(), name=self.name)
            return self._term

    def join(self, member: Member, term: int) -> None:
        """Commit for this partition too; it must have been claimed during the term."""
        if self._producer is None or term != self._term:
            raise WriterReplacedError(f"{self.name}: its term ended while a partition was being opened")
        self._members[member] = None

    def leave(self, member: Member) -> None:
        """Commit for it no more; a commit under way goes on."""
        self._members.pop(member, None)

    def wake(self) -> None:
        """Look at the members' due times again."""
        self._wakeup.set()

    def holds(self, member: Member) -> bool:
        """Whether the commit under way has a part of this partition."""
        return member in self._open

    async def settled(self, member: Member, within_s: float) -> None:
        """Wait until no commit with a part of this partition is under way, or the time is over."""
        if self.holds(member):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._idle.wait()

    async def close(self) -> None:
        """End; what is under way is aborted."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._end_term(WriterReplacedError(f"{self.name}: closed"))

    def new_producer(self) -> TransactionalProducer:
        """Make the producer of the next term."""
        return TransactionalProducer(self._cluster, self.name)

    # the loop

    async def _run(self) -> None:
        while True:
            due = min((member.due_at() for member in self._members), default=math.inf)
            if due <= time.monotonic():
                self.planned = 0.0
                await self._commit()
            else:
                self.planned = due
                await self._wakeup.wait(until=None if due == math.inf else due)

    async def _commit(self) -> None:
        """Take what is pending of every member, due or not, and commit it."""
        self._open = []
        self._idle.clear()
        try:
            outputs = await self._gather()
            self.clock.taken()
            for member in self._members:
                member.go_on()
            if self._open and self._producer is not None:
                self.clock.begin()
                await self._producer.commit(outputs)
                for member in self._open:
                    member.committed()
        except Exception as error:  # noqa: BLE001 - the tenures judge it: each ends with it
            await self._end_term(error)
        finally:
            self._open = []
            self._idle.set()

    async def _gather(self) -> Outputs:
        outputs: Outputs = {}
        for member in tuple(self._members):
            if member.due_at() == math.inf:
                continue
            try:
                taken = member.take()
            except Exception as error:  # noqa: BLE001 - one partition's bug; the others' commit goes on
                self.leave(member)
                member.break_off(error)
                continue
            if taken:
                self._open.append(member)
                _merge(outputs, taken)
            await asyncio.sleep(0)  # a partition's drain is long enough for one turn of the loop
        return outputs

    async def _end_term(self, failure: Exception) -> None:
        members, self._members = self._members, {}
        producer, self._producer = self._producer, None
        for member in members:
            member.break_off(failure)
        if producer is not None:
            await producer.close()


def _merge(outputs: Outputs, more: Mapping[tuple[str, int], list[OutputRecord]]) -> None:
    """Several partitions of intake write to the same partition of the journal."""
    for place, records in more.items():
        present = outputs.get(place)
        if present is None:
            outputs[place] = records
        else:
            present.extend(records)
