"""Record batches on the wire: packing what is produced, unpacking what was fetched. Bytes only, no connection.

aiokafka's consumer builds an eleven-field object per record and its producer an awaitable per batch; here a fetched
batch stays bytes until it is folded, and a commit packs straight into the buffers that are sent.
"""

import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from aiokafka.errors import CorruptRecordException
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from agents.errors import BugError
from agents.runtime.stage import OutputRecord, Record

BATCH_BYTES_MAX = 900_000
"""A batch must stay under the broker's message.max.bytes, 1 MiB by default, with room for what brokers add."""
_MAGIC = 2
_NO_CODEC = 0


class ProducerState(NamedTuple):
    """What the broker recognises a producer by."""

    producer_id: int
    epoch: int


class Packed(NamedTuple):
    """One finished record batch."""

    data: bytes
    size: int
    """How many records."""


class Unpacked(NamedTuple):
    """The committed batches of a fetch, and the position after everything that was fetched."""

    batches: list[Any]
    next_offset: int


def pack(records: Iterable[OutputRecord], state: ProducerState, sequence: int, where: str) -> list[Packed]:
    """Pack records into transactional batches of at most BATCH_BYTES_MAX, numbered from `sequence`.

    `where` names topic and partition in the error that a record larger than a batch raises.
    """
    finished: list[Packed] = []
    now_ms = int(time.time() * 1000)  # a formality: the topics use LogAppendTime
    builder = _builder(state, sequence)
    append, count = builder.append, 0
    for key, value, headers in records:
        listed = headers if type(headers) is list else list(headers)
        if append(count, now_ms, key, value, listed) is None:
            finished.append(Packed(bytes(builder.build()), count))
            sequence = (sequence + count) & 0x7FFFFFFF
            builder = _builder(state, sequence)
            append, count = builder.append, 0
            append(count, now_ms, key, value, listed)
        if count == 0 and builder.size() > BATCH_BYTES_MAX:  # the first record always fits, says the builder
            raise _oversize(key, builder.size(), where)
        count += 1
    if count:
        finished.append(Packed(bytes(builder.build()), count))
    return finished


def pack_plain(records: Iterable[OutputRecord]) -> bytes:
    """Pack a few records into one batch without a transaction."""
    builder = DefaultRecordBatchBuilder(_MAGIC, _NO_CODEC, 0, -1, -1, -1, BATCH_BYTES_MAX)
    now_ms = int(time.time() * 1000)
    for number, (key, value, headers) in enumerate(records):
        builder.append(number, now_ms, key, value, list(headers))
    return bytes(builder.build())


def _builder(state: ProducerState, sequence: int) -> Any:  # noqa: ANN401 - aiokafka is untyped
    return DefaultRecordBatchBuilder(_MAGIC, _NO_CODEC, 1, state.producer_id, state.epoch, sequence, BATCH_BYTES_MAX)


def _oversize(key: bytes | None, size: int, where: str) -> BugError:
    digest = blake2b(key or b"", digest_size=8).hexdigest()  # a key is a customer id: never in clear
    return BugError(
        f"One record is larger than a batch may be: {size} bytes, limit {BATCH_BYTES_MAX}.",
        where=f"{where}, key hash {digest}",
        why="a state or output grew without bound; the broker would refuse it",
        next_step="report it with the key hash; nothing of this batch was acknowledged",
    )


def unpack(records: MemoryRecords, aborted: Sequence[tuple[int, int]], position: int) -> Unpacked:
    """Find the batches of committed records in what was fetched from `position`.

    `aborted` is the broker's list of (producer id, first offset) of aborted transactions. Raises CorruptRecordException
    when a checksum is wrong.
    """
    batches: list[Any] = []
    todo = sorted(aborted or (), key=lambda entry: entry[1])
    aborting: set[int] = set()
    while records.has_next():
        batch = records.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"wrong checksum in the batch at offset {batch.base_offset}")
        while todo and todo[0][1] <= batch.base_offset:
            aborting.add(todo.pop(0)[0])
        position = batch.next_offset
        if batch.is_control_batch:
            if ControlRecord.parse(next(batch).key) == ABORT_MARKER:
                aborting.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in aborting):
            batches.append(batch)
    return Unpacked(batches, position)


def to_records(batch: Any, topic: str, partition: int, position: int) -> list[Record]:  # noqa: ANN401 - as above
    """Turn one batch into records, leaving out those before the position (a fetch begins at a batch, not a record)."""
    make, kind = tuple.__new__, batch.timestamp_type
    records: list[Record] = [
        make(Record, (topic, partition, r.offset, r.timestamp, kind, r.key, r.value, r.headers)) for r in batch
    ]
    if batch.base_offset < position:
        return [record for record in records if record.offset >= position]
    return records
