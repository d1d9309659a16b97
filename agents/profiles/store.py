"""The projection's side of Redis: claims, writes, removals and looks, each a call of the library beside this module.

Every call raises RedisOutage when Redis cannot do it now; whether a call that got no answer was carried out is unknown,
and does not matter: each may be repeated, and a former holder's is refused.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from importlib import resources
from typing import Any, Literal, NamedTuple, TypeVar, cast

import msgspec
import redis

from agents.profiles.connection import connect, failures_named, named, required
from agents.profiles.layout import Entry, Layout
from agents.settings import Settings
from schemas.catalog import TOPICS
from schemas.clock import MS_PER_DAY

LIBRARY = "tierstream_1"
"""Name of the library and first part of its functions. Another number goes with another meaning of the calls, so that
two versions of tierstream may run side by side."""
LIBRARY_FILE = "library.lua"
ABSENCE_MS_MAX = int(TOPICS["customer-profiles"].config["delete.retention.ms"]) - MS_PER_DAY
"""A partition that nobody projected for so long is read from its begin: the topic may have forgotten erasures."""
SCAN_COUNT = 1_000

State = Literal["rebuilding", "ready"]
Item = TypeVar("Item")

_pack = msgspec.msgpack.Encoder().encode


class Answer(IntEnum):
    """What became of a write."""

    LOST = -1
    """The marker is another's, or gone: nothing was changed."""
    STALE = 0
    """Redis has a newer one."""
    WRITTEN = 1
    REPEATED = 2


class Position(NamedTuple):
    """Where a partition stands in Redis."""

    epoch: str
    offset: int
    state: State


class Move(NamedTuple):
    """A marker's next place."""

    partition: int
    offset: int
    state: State


class Write(NamedTuple):
    """One customer's newest entry; None removes the customer."""

    customer: bytes
    partition: int
    entry: Entry | None


class ProfileStore:
    """One connection to Redis, and what this process holds there. Single-threaded."""

    def __init__(self, settings: Settings) -> None:
        self._wanted = required(settings)
        self.client = connect(settings)
        self.layout = Layout(self._wanted.key_prefix, self._wanted.shards)
        self._ttl_ms = self._wanted.inactive_ttl_days * MS_PER_DAY
        self._holder = secrets.token_hex(8)
        self._epochs: dict[int, str] = {}

    def close(self) -> None:
        """Give up the connection; the next call opens another."""
        self._holder = secrets.token_hex(8)  # what may still lie in the old connection is a stranger's from now on
        self._epochs.clear()
        self.client.close()
        self.client.connection_pool.disconnect()

    def expired(self, as_of_ms: int) -> bool:
        """Whether Redis should have forgotten a profile of that instant by now."""
        return bool(self._ttl_ms) and as_of_ms + self._ttl_ms <= now_ms()

    def claim(self, partition: int, topic_id: str) -> Position:
        """Become the partition's only writer; returns from where to go on."""
        answer = self._call(
            "claim", [self.layout.marker_key(partition)], self._holder, topic_id, now_ms(), ABSENCE_MS_MAX
        )
        epoch, offset, state = (part.decode() for part in answer)
        self._epochs[partition] = epoch
        return Position(epoch, int(offset), state)

    def advance(self, moves: Sequence[Move]) -> list[bool]:
        """Say up to where everything is here; False where the partition is lost. Also the sign of life."""

        def queue(pipe: Any, move: Move) -> None:  # noqa: ANN401 - redis-py's pipeline is typed as its client
            marker = self.layout.marker_key(move.partition)
            pipe.fcall(f"{LIBRARY}_advance", 1, marker, self._holder, move.offset, move.state, now_ms())

        return [int(answer) != Answer.LOST for answer in self.pipelined(moves, queue)]

    def restart(self, partition: int, topic_id: str) -> None:
        """Have the partition read again from its begin, by whoever projects it."""
        self._call("restart", [self.layout.marker_key(partition)], topic_id, now_ms())

    def positions(self, partitions: Iterable[int]) -> Mapping[int, Position]:
        """The markers that exist, without claiming them."""
        numbers = list(partitions)
        rows = self.pipelined(
            numbers, lambda pipe, number: pipe.hmget(self.layout.marker_key(number), "epoch", "offset", "state")
        )
        return {
            number: Position(row[0].decode(), int(row[1]), row[2].decode())
            for number, row in zip(numbers, rows, strict=True)
            if row[1] is not None
        }

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        """Write or remove customers of claimed partitions, in one round trip."""
        return [Answer(min(int(answer), 2)) for answer in self.pipelined(writes, self._queue)]

    def _queue(self, pipe: Any, write: Write) -> None:  # noqa: ANN401 - redis-py's pipeline is typed as its client
        keys = self.layout.hash_key(write.customer), self.layout.marker_key(write.partition)
        first = self._holder, self.layout.prefix, write.customer
        entry = write.entry
        if entry is None:
            pipe.fcall(f"{LIBRARY}_erase", 2, *keys, *first, "")
            return
        expires_ms = entry.as_of_ms + self._ttl_ms if self._ttl_ms else 0
        if self.expired(entry.as_of_ms):
            expires_ms = -1
        pipe.fcall(
            f"{LIBRARY}_put",
            2,
            *keys,
            *first,
            self._epochs[write.partition],
            entry.revision,
            entry.as_of_ms,
            expires_ms,
            _pack([part for place in entry.places for part in place]),
            _pack([part for field in entry.fields.items() for part in field]),
        )

    def drop_leftovers(self, customers: Sequence[bytes], partition: int) -> int:
        """Remove those of a claimed partition that its round has not met; returns how many."""
        epoch = self._epochs[partition]

        def queue(pipe: Any, customer: bytes) -> None:  # noqa: ANN401 - as above
            keys = self.layout.hash_key(customer), self.layout.marker_key(partition)
            pipe.fcall(f"{LIBRARY}_erase", 2, *keys, self._holder, self.layout.prefix, customer, epoch)

        return sum(max(0, int(answer)) for answer in self.pipelined(customers, queue))

    def unlist(self, index: str, customers: Sequence[bytes]) -> int:
        """Take customers out of an index that their hashes do not name; returns how many."""
        place = index.removeprefix(self.layout.prefix)

        def queue(pipe: Any, customer: bytes) -> None:  # noqa: ANN401 - as above
            pipe.fcall(f"{LIBRARY}_unlist", 2, self.layout.hash_key(customer), index, place, customer)

        return sum(int(answer) for answer in self.pipelined(customers, queue))

    def scan(self, pattern: str | bytes) -> Iterator[list[bytes]]:
        """Keys that match, page by page; a key may come twice, and pages may be empty."""
        cursor = 0
        while True:
            with failures_named(self._wanted):
                cursor, keys = self.client.scan(cursor, match=pattern, count=SCAN_COUNT)
            yield cast("list[bytes]", keys)
            if cursor == 0:
                return

    def members(self, index: str) -> Iterator[list[tuple[bytes, float]]]:
        """Customers and scores of an index, page by page."""
        cursor = 0
        while True:
            with failures_named(self._wanted):
                cursor, members = self.client.zscan(index, cursor, count=SCAN_COUNT)
            yield cast("list[tuple[bytes, float]]", members)
            if cursor == 0:
                return

    def hashes(self, customers: Sequence[bytes]) -> list[dict[bytes, bytes]]:
        """The hashes as they are; empty where there is none."""
        return self.pipelined(customers, lambda pipe, customer: pipe.hgetall(self.layout.hash_key(customer)))

    def places(self, customers: Sequence[bytes]) -> list[list[str]]:
        """The indexes that each one's hash names; none where there is no hash."""
        named = self.pipelined(customers, lambda pipe, customer: pipe.hget(self.layout.hash_key(customer), "_in"))
        return [(text or b"").decode().split("\n") for text in named]

    def scores(self, entries: Sequence[tuple[str, bytes]]) -> list[float | None]:
        """The scores of index entries, given by index (without the prefix) and customer; None where there is none."""
        return self.pipelined(entries, lambda pipe, entry: pipe.zscore(self.layout.prefix + entry[0], entry[1]))

    def pipelined(self, items: Sequence[Item], queue: Callable[[Any, Item], object]) -> list[Any]:
        """One answer per item, all in one round trip; the first refusal is raised after all were read."""
        if not items:
            return []
        with failures_named(self._wanted):
            pipe = self.client.pipeline(transaction=False)
            for item in items:
                queue(pipe, item)
            answers: list[Any] = pipe.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, redis.exceptions.RedisError):
                raise named(answer, self._wanted)
        return answers

    def _call(self, function: str, keys: Sequence[str], *arguments: str | int) -> Any:  # noqa: ANN401 - Redis answers
        """One call; loads the library where it is missing, as after a restart without persistence."""
        name = f"{LIBRARY}_{function}"
        with failures_named(self._wanted):
            try:
                return self.client.fcall(name, len(keys), *keys, *arguments)
            except redis.exceptions.ResponseError as error:
                if "Function not found" not in str(error):
                    raise
            self.client.function_load(resources.files(__package__).joinpath(LIBRARY_FILE).read_text(), replace=True)
            return self.client.fcall(name, len(keys), *keys, *arguments)


def now_ms() -> int:
    """The host's clock, as epoch milliseconds: for signs of life and expiry, never for order."""
    return int(time.time() * 1000)
