"""One tenure of a partition: from the claim that opens it to the failure or revocation that ends it.

It owns everything of the partition: restored state, cursor, inbox. After any failure it is thrown away whole. The
stage's writer commits for it; folding goes on while a commit is under way.
"""

import math
import time
from collections.abc import Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

from agents.errors import BugError, TierstreamError
from agents.runtime import names
from agents.runtime.cluster import TopicIdentity
from agents.runtime.context import Context
from agents.runtime.cursor import Cursor
from agents.runtime.inbox import Chunk, Inbox
from agents.runtime.position import POSITION_KEY, Position, advance, encode_position
from agents.runtime.stage import OutputRecord, Record, Stage, StagePartition
from agents.runtime.wakeup import Wakeup
from agents.runtime.writer import Outputs, StageWriter

SLICE_S = 0.02
"""How long one slice of folding may hold the event loop."""
POLL_INTERVAL_S = 1.0
FINISH_WITHIN_S = 2.0
_NO_HEADERS: list[tuple[str, bytes | None]] = []


class Taken(NamedTuple):
    """What a commit under way holds of a partition."""

    offsets: dict[str, int]
    folded: int
    oldest_ms: int
    at: float


class Tenure:
    """A restored partition at work. Made by `opening.open_tenure`; `run` returns only by `stop`."""

    def __init__(
        self,
        context: Context,
        stage: Stage,
        partition: int,
        writer: StageWriter,
        state: StagePartition,
        position: Position,
        identities: Mapping[str, TopicIdentity],
    ) -> None:
        self._context, self._state, self._writer = context, state, writer
        self._position, self._identities = position, identities
        self._changelog = (names.changelog(context.application, stage.name), partition)
        self.metrics = context.metrics.of(stage.name, partition)
        self.tps = [TopicPartition(topic, partition) for topic in stage.sources]
        self.cursor = Cursor(partition, {topic: position.topics[topic].offset for topic in stage.sources})
        self.seek = -1
        self._delivered = dict(self.cursor.next)
        """Next offset to be delivered, by topic: behind the last chunk taken."""
        self._inbox = Inbox(lambda: context.source.pause(self.tps), lambda: context.source.resume(self.tps))
        self._wakeup = Wakeup()
        self._records: list[Record] = []
        self._chunk: Chunk | None = None
        self._folded = 0
        self._oldest_ms = 0
        self._touched = False
        self._more_work = False
        self._held = self._stopping = self._given_back = False
        self._failure: BaseException | None = None
        self._commit: Taken | None = None
        self._next_poll = 0.0
        self.last_commit = self.last_move = time.monotonic()
        self.commits = 0

    # called by others

    def deliver(self, chunk: Chunk) -> None:
        """Take a fetched chunk; one of an older seek is dropped. Never waits."""
        if chunk.seek == self.seek and not self._stopping:
            self._delivered[chunk.topic] = chunk.end
            self._inbox.put(chunk)
            self._wakeup.set()

    def fetch(self) -> None:
        """(Re)start fetching behind everything that was delivered and kept."""
        self.seek = self._context.source.open({tp: self._delivered[tp.topic] for tp in self.tps})

    def hold(self) -> None:
        """Begin no fold and no commit until `release`; what is under way goes on."""
        self._held = True

    def release(self) -> None:
        """Go on after `hold`."""
        self._held = False
        self._wakeup.set()

    def stop(self) -> None:
        """End `run` as soon as the partition is given back in order; what is not in the open commit is dropped."""
        self._stopping = True
        self._wakeup.set()
        self._writer.wake()

    def break_off(self, failure: Exception) -> None:
        """Have `run` raise this."""
        self._failure = failure
        self._wakeup.set()

    async def settled(self, within_s: float) -> None:
        """Wait until no transaction is open, or the time is over."""
        await self._writer.settled(self, within_s)

    def progressed_at(self) -> float:
        """Return when it last committed, or passed input that needed no commit (`time.monotonic()`)."""
        idle = not self._folded and self._commit is None
        return max(self.last_commit, self.last_move) if idle else self.last_commit

    def stuck_at(self) -> str:
        """Say what a tenure with input is waiting for; empty when nothing was delivered."""
        if self._held:
            return "a rebalance does not end"
        if self._commit is not None:
            return f"a commit has been open for {time.monotonic() - self._commit.at:.0f} s"
        if self._can_work():
            return f"input was delivered, but nothing folded for {time.monotonic() - self.last_move:.0f} s"
        return ""

    def passed(self, topic: str) -> int:
        """Return the offset before which everything is folded and committed (control records count)."""
        idle = not self._folded and self._commit is None
        return self.cursor.next[topic] if idle else self.cursor.committed[topic]

    # the loop

    async def run(self) -> None:
        """Fold until stopped and given back; raises the failure that ended the tenure."""
        try:
            await self._fold_on()
        except BaseException as error:
            # At once, before its writer looks again: half a slice may be in memory that no position stands for.
            self._failure = self._failure or error
            raise

    async def _fold_on(self) -> None:
        while not self._given_back:
            if self._failure is not None:
                if self._stopping:
                    return
                raise self._failure
            if self._held or self._stopping:
                await self._wakeup.wait()
                continue
            now = time.monotonic()
            if now >= self._next_poll:
                self._poll(now)
            if self.due_at() < self._writer.planned:
                self._writer.wake()
            committing_s = now - self._commit.at if self._commit else 0.0
            if self._can_work() and not self._writer.clock.saturated(self._folded, committing_s):
                await self._context.turns.take()
                try:
                    self._work_slice()
                finally:
                    self._context.turns.leave()
            else:
                await self._wakeup.wait(until=self._next_poll)

    def _can_work(self) -> bool:
        return bool(self._records) or bool(self._inbox) or (self._more_work and not self._writer.clock.work_done)

    def _work_slice(self) -> None:
        """Fold and do due work for one slice."""
        if self._stopping or self._held:  # while it waited for its turn
            return
        deadline = time.perf_counter() + SLICE_S
        if not self._records:
            self._next_chunk()
        if self._records:
            self._fold(deadline)
        if not self._writer.clock.work_done:
            began = time.perf_counter()
            self._more_work = self._state.work(deadline)
            self._writer.clock.worked(time.perf_counter() - began)
        self._touched = True

    def _next_chunk(self) -> None:
        while not self._records and (chunk := self._inbox.get()) is not None:
            self._records = self.cursor.open(chunk)
            self._chunk = chunk
            if not self._records:
                self.cursor.close(chunk)
                self.last_move = time.monotonic()

    def _fold(self, deadline: float) -> int:
        records = self._records
        try:
            count = self._state.fold(records, deadline)
        except TierstreamError:
            raise
        except Exception as error:
            raise fold_bug(records, error) from error
        if count and not self._folded:
            self._oldest_ms = records[0].timestamp
            self.metrics.behind_since_ms = self.metrics.behind_since_ms or self._oldest_ms
        if count:
            self._writer.clock.met_events()
            self._folded += count
            self.cursor.folded(records, count)
            self.metrics.folded(records[count - 1].topic, records[count - 1].timestamp)
            self.last_move = time.monotonic()
        if count >= len(records):
            self._records = []
            if self._chunk is not None:
                self.cursor.close(self._chunk)
        else:
            self._records = records[count:]
        return count

    def _poll(self, now: float) -> None:
        self._next_poll = now + POLL_INTERVAL_S
        self._state.poll(self._context.watermark())
        self._touched = self._more_work = True

    # what its writer asks

    def due_at(self) -> float:
        """See Member."""
        if self._stopping:
            return math.inf if self._given_back or self._failure else 0.0
        if self._held or self._failure or not (self._folded or self._touched):
            return math.inf
        return self._writer.clock.due_at(self._folded, self._oldest_ms)

    def take(self) -> Outputs | None:
        """See Member. After `stop` it is the position as last committed, as nobody's."""
        if self._stopping:
            return self._entered({}, [], self.cursor.committed, "")
        batch = self._state.drain()
        self._touched = False
        folded, self._folded = self._folded, 0
        if not folded and not batch.states and not batch.outputs:
            self._state.committed()
            return None
        self._commit = Taken(dict(self.cursor.next), folded, self._oldest_ms, time.monotonic())
        changelog: list[OutputRecord] = [(key, value, _NO_HEADERS) for key, value in batch.states]
        return self._entered(batch.outputs, changelog, self._commit.offsets, self._writer.name)

    def _entered(
        self, outputs: Outputs, changelog: list[OutputRecord], offsets: Mapping[str, int], writer: str
    ) -> Outputs:
        """Outputs and states with the position behind them."""
        self._position = advance(self._position, offsets, self._identities, self._context.app_version, writer)
        changelog.append((POSITION_KEY, encode_position(self._position), _NO_HEADERS))
        return {**outputs, self._changelog: changelog}

    def committed(self) -> None:
        """See Member."""
        now = time.monotonic()
        taken, self._commit = self._commit, None
        if taken is None:
            self._given_back = True
        else:
            self.cursor.committed.update(taken.offsets)
            self.metrics.committed(events=taken.folded, seconds=now - taken.at, oldest_ms=taken.oldest_ms)
            self.metrics.behind_since_ms = self._oldest_ms if self._folded else 0
            self._state.committed()
            self.commits += 1
            self.last_commit = now
        self._wakeup.set()

    def go_on(self) -> None:
        """See Member."""
        if self._more_work:
            self._wakeup.set()

    async def close(self) -> None:
        """Leave the writer; a commit under way has its time to finish (after `stop` it had it)."""
        if not self._stopping:  # the fold failed, not the commit before it
            await self._writer.settled(self, FINISH_WITHIN_S)
        self._writer.leave(self)


def fold_bug(records: list[Record], error: Exception) -> BugError:
    """Name where a fold broke; the error's own text may hold customer data and stays out of the message."""
    first = records[0]
    return BugError(
        "The fold failed; nothing of this batch was acknowledged.",
        where=f"{first.topic}-{first.partition}, offsets {first.offset} to {records[-1].offset}",
        why=type(error).__name__,
        next_step="report it with the trace in the log; the worker goes on from the same offset when started again",
    )
