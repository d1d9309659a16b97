"""The intake stage: where a record goes, when it is said to have arrived, and what is kept of it when it is refused."""

import json
import time
from collections import Counter
from math import inf

import pytest

from agents.errors import BreakerOpenError
from agents.intake import FEEDS_MAX, IntakePartition, IntakeStage
from agents.runtime.stage import Headers, Record
from schemas.catalog import TOPICS
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.journal import ClockAdvanced, ClockClosed, PolicyActivated, control_key, encode_journal
from schemas.marks import FEED_HEADER
from streams.intake import Limits
from tests.journal import Published

NOW = parse_instant("2026-06-10T12:00:00.000Z")
APPEND_TIME, CREATE_TIME = 1, 0


def intake_stage(partitions: int = 4, breaker: tuple[float, int] = (0.95, 1_000)) -> IntakeStage:
    """The stage with two sources."""
    names = {name: name for name in TOPICS}
    counts: Counter[tuple[str, ...]] = Counter()
    sources = ("purchases", "imports")
    return IntakeStage(sources, "imports", names, partitions, limits=Limits(), breaker=breaker, counts=counts)


def record(
    value: bytes | None,
    *,
    topic: str = "purchases",
    key: bytes | None = None,
    headers: Headers = (),
    at: int = NOW,
    stamp: int = APPEND_TIME,
) -> Record:
    """A raw record in partition 2 of a topic."""
    return Record(topic, 2, 77, at, stamp, key, value, headers)


def visit(customer: str = "c1", at: int = NOW) -> bytes:
    """A visit as a producer sends it."""
    event = {"type": "browse.activity", "id": "e1", "time": format_instant(at), "action": "search"}
    return json.dumps({**event, "customer_id": customer}).encode()


def taken(partition: IntakePartition, *records: Record) -> dict[tuple[str, int], list[Published]]:
    """What a partition publishes of records, by topic and partition."""
    assert partition.fold(records, inf) == len(records)
    batch = partition.drain()
    return {place: [Published(*each) for each in published] for place, published in batch.outputs.items()}


@pytest.mark.parametrize(
    ("customer", "murmur2"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_a_customers_home_is_where_java_puts_the_key(customer: str, murmur2: int) -> None:
    """The hashes are those of Apache Kafka's own UtilsTest; the sign bit is cut off as its partitioner does."""
    for partitions in (1, 4, 12, 13):
        home = (murmur2 & 0x7FFFFFFF) % partitions
        stage = intake_stage(partitions)

        assert stage.home(customer.encode()) == home
        assert list(taken(stage.partition(0), record(visit(customer)))) == [("customer-events", home)]


def test_the_producers_key_does_not_matter() -> None:
    """Whatever key or none the record had, the journal's key is the customer's id."""
    places = [taken(intake_stage().partition(2), record(visit(), key=key)) for key in (None, b"", b"other", b"c1")]

    assert all(place == places[0] for place in places)
    assert [published.key for published in next(iter(places[0].values()))] == [b"c1"]


def recorded_at(value: bytes | None) -> str:
    text: str = json.loads(value or b"{}")["recordedtime"]
    return text


def test_a_broker_stamped_record_arrived_when_the_broker_says() -> None:
    """Also when this machine's clock is behind the broker's."""
    ahead = int(time.time() * 1000) + MS_PER_DAY

    ((published,),) = taken(intake_stage().partition(2), record(visit(at=ahead), at=ahead)).values()

    assert recorded_at(published.value) == format_instant(ahead)


def test_a_producers_stamp_is_believed_but_never_ahead_of_now() -> None:
    """A bound topic with CreateTime: an old stamp stands, one of tomorrow becomes now."""
    before = int(time.time() * 1000)
    old, tomorrow = before - 5 * MS_PER_DAY, before + MS_PER_DAY

    ((first, second),) = taken(
        intake_stage().partition(2),
        record(visit(at=old), at=old, stamp=CREATE_TIME),
        record(visit(at=before), at=tomorrow, stamp=CREATE_TIME),
    ).values()

    assert recorded_at(first.value) == format_instant(old)
    assert before <= parse_instant(recorded_at(second.value)) <= int(time.time() * 1000)


def test_a_dead_letter_holds_the_original_and_says_why_and_whence() -> None:
    """Key, value and headers as they were, ours after them."""
    original = record(b'{"type":"no.such"}', key=b"k", headers=[("trace", b"t1")], at=NOW)

    ((letter,),) = taken(intake_stage().partition(2), original).values()

    assert (letter.key, letter.value, letter.headers[0]) == (b"k", original.value, ("trace", b"t1"))
    found = letter.header
    assert found["tierstream-dlq-reason"] == b"unknown_type"
    assert found["tierstream-dlq-stage"] == b"decode"
    assert found["tierstream-dlq-topic"] == found["kafka_dlt-original-topic"] == b"purchases"
    assert found["tierstream-dlq-partition"] == b"2"
    assert found["tierstream-dlq-offset"] == b"77"
    assert found["tierstream-dlq-timestamp"] == str(NOW).encode()
    assert found["tierstream-dlq-attempts"] == b"1"
    assert found["tierstream-dlq-app-version"]
    assert int.from_bytes(found["kafka_dlt-original-offset"], "big") == 77


def test_a_dead_letter_lies_in_the_partition_of_the_raw_record() -> None:
    """So that a partition's refusals keep their order."""
    assert list(taken(intake_stage().partition(2), record(None))) == [("dead-letters", 2)]


def fed(place: object, feed: str = "f1", topic: str = "imports") -> Record:
    """A record of a file that was fed."""
    return record(visit(), topic=topic, headers=[(FEED_HEADER, f"{feed}:{place}".encode())])


def count(partition: IntakePartition, *records: Record) -> int:
    """How many of these records reach the journal."""
    return sum(len(published) for published in taken(partition, *records).values())


def test_a_file_that_is_fed_again_is_taken_from_where_it_stopped() -> None:
    """The highest place taken decides, for each file and topic on its own."""
    partition = intake_stage().partition(2)

    assert count(partition, fed(1), fed(2), fed(5)) == 3
    assert count(partition, fed(1), fed(2), fed(5), fed(6)) == 1
    assert count(partition, fed(1, feed="f2"), fed(1, topic="purchases")) == 2
    assert partition._stage.counts["repeated", "intake"] == 3


def test_how_far_a_file_has_come_survives_a_restart() -> None:
    """The changelog holds the place of every file, and a new partition goes on from it."""
    stage = intake_stage()
    first, second = stage.partition(2), stage.partition(2)
    first.fold([fed(1), fed(7), fed(3, feed="f2")], inf)
    second.restore(first.drain().states)
    second.ready()

    assert count(second, fed(7), fed(8), fed(3, feed="f2"), fed(4, feed="f2")) == 2


def test_only_so_many_files_are_remembered() -> None:
    """The oldest makes room, in the changelog too."""
    partition = intake_stage().partition(2)
    partition.fold([fed(1, feed=f"f{n}") for n in range(FEEDS_MAX)], inf)
    partition.drain()

    partition.fold([fed(1, feed="one more")], inf)

    assert dict(partition.drain().states) == {b"feed:imports:f0": None, b"feed:imports:one more": b"1"}
    assert count(partition, fed(1, feed="f1")) == 0
    assert count(partition, fed(1, feed="f0")) == 1


@pytest.mark.parametrize("place", ["", "x", "-1", "1.5", "²", "9" * 5_000])
def test_a_feed_header_of_somebody_else_is_no_header(place: str) -> None:
    """Anything that is no place is taken as an ordinary record, twice if it comes twice, and nothing breaks."""
    partition = intake_stage().partition(2)

    assert count(partition, fed(place), fed(place)) == 2


def test_a_feeds_clock_passes_to_the_same_partition_of_the_journal() -> None:
    """Key and instant unchanged, whatever home the key's hash would have."""
    advanced, closed = (
        ClockAdvanced(instant="2026-06-10T12:00:00.000Z"),
        ClockClosed(instant="2026-06-10T12:00:00.000Z"),
    )

    published = taken(
        intake_stage().partition(3),
        *(record(encode_journal(each), topic="imports", key=control_key(each)) for each in (advanced, closed)),
    )

    assert list(published) == [("customer-events", 3)]
    assert [(each.key, each.value) for each in published["customer-events", 3]] == [
        (b"\x00clock.advanced", encode_journal(advanced)),
        (b"\x00clock.closed", encode_journal(closed)),
    ]


@pytest.mark.parametrize("topic", ["purchases", "imports"])
def test_no_producer_puts_a_policy_in_force(topic: str) -> None:
    """A control key on a raw topic opens no door; what it holds is refused as the event that it is not."""
    forged = PolicyActivated(id="p", effective_at="2026-06-10T12:00:00.000Z", name="mine", hash="h", text="{}")

    published = taken(intake_stage().partition(2), record(encode_journal(forged), topic=topic, key=control_key(forged)))

    assert list(published) == [("dead-letters", 2)]


def test_a_partition_that_refuses_everything_stops() -> None:
    """With the place, the account of reasons and what to do next."""
    partition = intake_stage(breaker=(0.5, 10)).partition(2)

    with pytest.raises(BreakerOpenError) as stopped:
        partition.fold([record(b"{}")] * 20, inf)

    assert "purchases[2] up to offset 77" in str(stopped.value)
    assert "10 of 10 records refused: 10 unknown_type" in str(stopped.value)


def test_a_slice_ends_at_its_deadline_and_loses_nothing() -> None:
    """What was taken is in the batch, the rest is taken in the next slice."""
    partition, records = intake_stage().partition(2), [record(visit())] * 200

    first = partition.fold(records, -inf)
    rest = partition.fold(records[first:], inf)

    assert 0 < first < 200
    assert first + rest == sum(len(each) for each in partition.drain().outputs.values()) == 200


def test_a_record_that_is_refused_again_counts_its_attempts() -> None:
    """The headers of the earlier refusal give way; where it was redriven from and the producer's own stay."""
    headers = [("trace", b"t"), ("tierstream-dlq-attempts", b"2"), ("tierstream-dlq-redriven-from", b"1-5")]

    ((letter,),) = taken(intake_stage().partition(2), record(b"{}", headers=headers)).values()

    names = [name for name, _ in letter.headers]
    assert letter.header["tierstream-dlq-attempts"] == b"3"
    assert (letter.header["trace"], letter.header["tierstream-dlq-redriven-from"]) == (b"t", b"1-5")
    assert len(names) == len(set(names))
