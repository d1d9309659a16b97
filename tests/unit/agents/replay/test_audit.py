"""The audit finds what was planted, and says of it what it is; what may be otherwise it leaves alone."""

from collections.abc import Callable
from math import inf

import msgspec
import pytest

from agents.replay.audit import JUDGED, STATE, Difference, Expected, Output, Seen, differences, digest_of, parting
from agents.replay.entry import Entry
from agents.replay.event_files import DEAD_LETTERS, PROFILES, Headers
from schemas.catalog import TOPICS
from streams.customer.record import decode_state, encode_state
from tests.journal import Committed, customers_stage
from tests.unit.agents.replay.journals import partitions

TOPIC = "tier-changes"
_CONTENTS: dict[bytes, tuple[bytes, Headers]] = {}


def planted(topic: str, offset: int, key: bytes, value: bytes, headers: Headers = ()) -> Output:
    """A record whose contents can be asked for again."""
    digest = digest_of(value, headers)
    _CONTENTS[digest] = value, headers
    return Output(topic, offset, key, digest)


def value_of(output: Output) -> bytes:
    return _CONTENTS[output.digest][0]


def headers_of(output: Output) -> Headers:
    return _CONTENTS[output.digest][1]


def changed(output: Output, value: bytes, headers: Headers | None = None) -> Output:
    """The same record with other contents."""
    return planted(output.topic, output.offset, output.key, value, headers_of(output) if headers is None else headers)


def expected(keep: tuple[bytes, ...] = ()) -> Expected:
    """What the journal folds to."""
    made = Expected({name: name for name in TOPICS}, (0, 1), dedupe=True, keep=keep)
    for record in partitions(1)[0]:
        made.fold.take(Entry(record.key or b"", record.value or b"", 0, record.offset, record.timestamp))
    made.close()
    return made


def published() -> Seen:
    """What the stage makes of it, with a commit after every 50 records."""
    committed, partition, records = Committed(), customers_stage().partition(0), partitions(1)[0]
    partition.ready()
    for begin in range(0, len(records), 50):
        partition.fold(records[begin : begin + 50], inf)
        while partition.work(inf):
            pass
        committed.commit(partition.drain())
    topics = {
        topic: [
            planted(topic, n, r.key or b"", r.value or b"", r.headers) for n, r in enumerate(committed.topics[topic])
        ]
        for topic in (*JUDGED, PROFILES)
    }
    states = {key: planted(STATE, 0, key, committed.changelog[key] or b"") for key in committed.customers()}
    return Seen(states, {output.key: output for output in topics.pop(PROFILES)}, topics, (), moved=False)


def found(seen: Seen) -> list[Difference]:
    return list(differences(expected(), seen))


def with_records(seen: Seen, change: Callable[[list[Output]], list[Output]], topic: str = TOPIC) -> Seen:
    return seen._replace(records={**seen.records, topic: change(list(seen.records[topic]))})


def test_what_the_stage_published_is_what_is_expected() -> None:
    """Every record of it."""
    seen = published()
    assert found(seen) == []
    assert len(seen.records[TOPIC]) > 40
    assert seen.records[DEAD_LETTERS]
    assert len(seen.states) == len(seen.profiles) == 24


def test_a_changed_byte_is_found() -> None:
    """In a value or in a header: the field, what it should be and what it is."""
    seen = published()
    third = seen.records[TOPIC][3]
    value = value_of(third)
    wrong = changed(third, value.replace(b'"rank":', b'"rank":1'))
    assert wrong.digest != third.digest
    (difference,) = found(with_records(seen, lambda records: [*records[:3], wrong, *records[4:]]))
    assert (difference.kind, difference.topic, difference.offset, difference.customer) == (
        "different",
        TOPIC,
        3,
        third.key,
    )
    wanted = expected((third.key,)).values[difference.digest]
    assert wanted == value
    field, should_be, is_now = parting(TOPIC, wanted, value_of(wrong))
    assert field.endswith("rank")
    assert is_now == f"1{should_be}"
    assert third.key.decode() not in str(parting(TOPIC, value, value.replace(third.key, b"somebody")))

    headers = [(name, b"0:999" if name == "tierstream-journal" else said) for name, said in headers_of(third)]
    other = changed(third, value, headers)
    (difference,) = found(with_records(seen, lambda records: [*records[:3], other, *records[4:]]))
    assert parting(TOPIC, value, value_of(other))[0] == "headers"


@pytest.mark.parametrize("topic", [topic for topic in JUDGED if topic != "notices"])  # this policy gives none
def test_a_missing_a_doubled_and_a_foreign_record_are_found(topic: str) -> None:
    """On every topic of which each record counts."""
    seen = published()
    first = seen.records[topic][0]
    (missing,) = found(with_records(seen, lambda records: records[1:], topic))
    assert (missing.kind, missing.offset, missing.customer) == ("missing", -1, first.key)
    (doubled,) = found(with_records(seen, lambda records: [*records, first._replace(offset=999)], topic))
    assert (doubled.kind, doubled.offset) == ("doubled", 999)
    stranger = first._replace(key=b"stranger", offset=999)
    (foreign,) = found(with_records(seen, lambda records: [*records, stranger], topic))
    assert (foreign.kind, foreign.customer) == ("unexpected", b"stranger")


def test_another_order_is_found() -> None:
    """Of one customer; that of two customers is not promised."""
    seen = published()
    key = next(o.key for o in seen.records["churn-risk"] if sum(o.key == p.key for p in seen.records["churn-risk"]) > 1)
    (difference,) = found(
        with_records(
            seen,
            lambda records: [o for o in records if o.key != key] + [o for o in reversed(records) if o.key == key],
            "churn-risk",
        )
    )
    assert (difference.kind, difference.customer) == ("out of order", key)
    assert found(with_records(seen, lambda records: sorted(records, key=lambda output: output.key))) == []


def test_a_changed_state_and_an_older_profile_are_found() -> None:
    """And those that are missing, or of nobody."""
    seen = published()
    state = decode_state(value_of(seen.states[b"c3"]))
    state.revision += 1
    wrong = planted(STATE, 7, b"c3", encode_state(state))
    (difference,) = found(seen._replace(states={**seen.states, b"c3": wrong}))
    assert (difference.kind, difference.topic, difference.offset) == ("different", STATE, 7)
    wanted = expected((b"c3",)).values[difference.digest]
    assert parting(STATE, wanted, value_of(wrong)) == ("2", str(state.revision - 1), str(state.revision))
    assert parting(STATE, wanted, b"no state")[2] == "unreadable"

    without = {key: output for key, output in seen.states.items() if key != b"c3"}
    assert [d.kind for d in found(seen._replace(states=without))] == ["missing"]
    assert [d.kind for d in found(seen._replace(states={**seen.states, b"x": wrong}))] == ["unexpected"]
    profile = seen.profiles[b"c3"]
    older = changed(profile, value_of(profile).replace(b'"revision":', b'"revision":1'))
    assert [d.kind for d in found(seen._replace(profiles={**seen.profiles, b"c3": older}))] == ["different"]
    assert [d.kind for d in found(seen._replace(profiles={}))] == ["missing"] * 24


def test_what_retention_removed_and_what_came_since_is_no_difference() -> None:
    """But what should be there still is looked for."""
    seen = published()._replace(cut=(TOPIC,))
    assert found(with_records(seen, lambda records: records[20:])) == []
    last = seen.records[TOPIC][-1]
    middle = seen.records[TOPIC].index(next(o for o in seen.records[TOPIC][20:] if o.key != last.key))
    assert found(with_records(seen, lambda records: [*records[20:middle], *records[middle + 1 :], last])) != []

    newer = changed(last, msgspec.json.encode({"data": "newer"}))._replace(offset=9_999)
    assert [d.kind for d in found(with_records(published(), lambda records: [*records, newer]))] == ["unexpected"]
    assert found(with_records(published()._replace(moved=True), lambda records: [*records, newer])) == []
