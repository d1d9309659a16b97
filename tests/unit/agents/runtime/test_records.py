"""What is packed can be read back, in batches that a broker takes; what was aborted or is a marker is not a record."""

import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from agents.errors import BugError
from agents.runtime.records import BATCH_BYTES_MAX, ProducerState, pack, to_records, unpack

STATE = ProducerState(7, 3)
ABORTED = 9


def at_offset(data: bytes, offset: int) -> bytes:
    """Give a batch the base offset that a broker would give it (outside its checksum)."""
    return struct.pack(">q", offset) + data[8:]


def batch(*values: bytes, offset: int, producer: int = 7) -> bytes:
    """Make one transactional batch as a broker stores it."""
    (packed,) = pack([(b"k", value, ()) for value in values], ProducerState(producer, 0), 0, "t-0")
    return at_offset(packed.data, offset)


def abort_marker() -> bytes:
    """Make an abort marker as a broker writes it: a control batch with key (version 0, type 0)."""
    key, value = struct.pack(">hh", 0, 0), struct.pack(">hi", 0, 0)
    body = bytes([0, 0, 0, len(key) << 1]) + key + bytes([len(value) << 1]) + value + b"\x00"
    record = bytes([len(body) << 1]) + body
    transactional_and_control = 0x30
    summed = struct.pack(">hiqqqhii", transactional_and_control, 0, 0, 0, ABORTED, 0, -1, 1) + record
    return struct.pack(">qiibI", 0, 4 + 1 + 4 + len(summed), 0, 2, calc_crc32c(summed)) + summed


def test_records_come_back_as_they_were() -> None:
    """Key, value and headers survive, absent ones included, and offsets count from the batch's."""
    headers: list[tuple[str, bytes | None]] = [("h", b"x"), ("n", None)]
    records = [(b"a", b"1", headers), (None, b"2", []), (b"c", None, [])]
    (packed,) = pack(records, STATE, 0, "t-0")
    (read,) = unpack(MemoryRecords(at_offset(packed.data, 40)), (), 40).batches

    back = to_records(read, "t", 0, 40)

    assert [(r.key, r.value, list(r.headers)) for r in back] == [(k, v, list(h)) for k, v, h in records]
    assert [r.offset for r in back] == [40, 41, 42]


def test_batches_stay_under_the_limit_and_number_on() -> None:
    """Three hundred records of ten kilobytes need several batches; their sequence numbers follow each other."""
    packed = pack([(b"k%d" % i, b"v" * 10_000, ()) for i in range(300)], STATE, 100, "t-0")

    batches = [DefaultRecordBatch(p.data) for p in packed]

    assert len(packed) > 1
    assert all(len(p.data) <= BATCH_BYTES_MAX for p in packed)
    assert sum(p.size for p in packed) == 300
    assert [b.base_sequence for b in batches] == [100 + sum(p.size for p in packed[:i]) for i in range(len(packed))]
    assert {(b.producer_id, b.producer_epoch, b.is_transactional) for b in batches} == {(7, 3, True)}


@pytest.mark.parametrize("before", [0, 3])
def test_a_record_larger_than_a_batch_is_named_without_its_key(before: int) -> None:
    """The error tells place, size and a hash of the key: the key is a customer id."""
    records = [*[(b"small", b"", ())] * before, (b"customer-4711", b"v" * 1_000_000, ())]

    with pytest.raises(BugError) as caught:
        pack(records, STATE, 0, "changelog-3")

    assert "changelog-3, key hash" in str(caught.value)
    assert "1000" in str(caught.value)
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4], ids=["none", "gzip", "snappy", "lz4", "zstd"])
def test_whatever_producers_compress_with_is_read(codec: int) -> None:
    """Their choice, not ours: raw topics are theirs."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1_000_000)
    for number in range(100):
        builder.append(number, 1_000, b"k", b"value " * 20, [])
    (read,) = unpack(MemoryRecords(bytes(builder.build())), (), 0).batches

    assert [r.value for r in to_records(read, "t", 0, 0)] == [b"value " * 20] * 100


def test_nothing_makes_no_batch() -> None:
    """An empty list needs no request."""
    assert pack([], STATE, 0, "t-0") == []


def test_aborted_transactions_are_left_out() -> None:
    """What a producer wrote before its abort marker is skipped, what it writes afterwards is not."""
    marker = at_offset(abort_marker(), 2)
    data = batch(b"aborted", b"too", offset=0, producer=ABORTED) + marker
    data += batch(b"good", offset=3, producer=ABORTED) + batch(b"other", offset=4, producer=8)

    found = unpack(MemoryRecords(data), [(ABORTED, 0)], 0)

    assert [r.value for b in found.batches for r in to_records(b, "t", 0, 0)] == [b"good", b"other"]
    assert found.next_offset == 5


def test_a_marker_moves_the_position_and_is_no_record() -> None:
    """Control records take offsets: the position after a fetch is behind them."""
    data = batch(b"one", offset=10) + at_offset(abort_marker(), 11)

    found = unpack(MemoryRecords(data), (), 10)

    assert len(found.batches) == 1
    assert found.next_offset == 12


def test_records_before_the_position_are_left_out() -> None:
    """A fetch begins at a batch, also when the position is in the middle of it."""
    (read,) = unpack(MemoryRecords(batch(b"0", b"1", b"2", offset=5)), (), 6).batches

    assert [r.offset for r in to_records(read, "t", 0, 6)] == [6, 7]


def test_a_batch_cut_off_by_the_fetch_limit_is_read_next_time() -> None:
    """Brokers cut the last batch of an answer; the position stays before it."""
    data = batch(b"one", offset=0) + batch(b"two", offset=1)[:-3]

    found = unpack(MemoryRecords(data), (), 0)

    assert len(found.batches) == 1
    assert found.next_offset == 1
