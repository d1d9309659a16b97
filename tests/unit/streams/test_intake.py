"""How far an event's own time may lie from its arrival, and what the journal record says about both."""

import json

import pytest

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.journal import (
    ClockAdvanced,
    ClockClosed,
    ClockTick,
    ControlRecord,
    CountersDeclared,
    CountersRestated,
    PolicyActivated,
    encode_journal,
)
from schemas.marks import BACKFILL_HEADER
from schemas.rejections import ATTEMPTS_HEADER, RefusalReason, Rejected
from streams.calendar import Calendar
from streams.customer.daylog import DAY_ZERO
from streams.intake import EARLIEST_MS, LATEST_MS, Accepted, Limits, accept, accept_clock

NOW = parse_instant("2026-06-10T12:00:00.000Z")
EVENT_CLOCK = Limits(event_clock=True)


def raw(time: str, **members: object) -> bytes:
    """An order at a time."""
    order = {"type": "order.completed", "id": "e1", "order_id": "o1", "currency": "USD", "total_minor": 100}
    return json.dumps({**order, "customer_id": "c1", "time": time, **members}).encode()


def taken(time: str, arrived_at: int = NOW, limits: Limits | None = None) -> Accepted:
    """The journal record; it must not be refused."""
    result = accept(raw(time), [], arrived_at, limits or Limits())
    assert isinstance(result, Accepted), result
    return result


def reason(time: str, arrived_at: int = NOW, limits: Limits | None = None) -> RefusalReason | None:
    """Why the event was refused; None: it was not."""
    result = accept(raw(time), [], arrived_at, limits or Limits())
    return result.reason if isinstance(result, Rejected) else None


def test_the_journal_record_says_when_it_happened_and_when_it_arrived() -> None:
    """Both in UTC with milliseconds, whatever the producer wrote; the key is the customer."""
    result = taken("2026-06-10T13:30:00+02:00")

    told = json.loads(result.value)
    assert (told["time"], told["recordedtime"]) == ("2026-06-10T11:30:00.000Z", "2026-06-10T12:00:00.000Z")
    assert (result.key, result.recorded_at) == (b"c1", NOW)


def test_what_a_producer_says_about_its_arrival_is_overwritten() -> None:
    """`recordedtime` is ours alone."""
    result = accept(raw("2026-06-10T12:00:00.000Z", recordedtime="1999-01-01T00:00:00.000Z"), [], NOW, Limits())

    assert isinstance(result, Accepted)
    assert json.loads(result.value)["recordedtime"] == "2026-06-10T12:00:00.000Z"


@pytest.mark.parametrize(
    ("time", "refused"),
    [
        ("2025-05-06T12:00:00.000Z", None),
        ("2025-05-06T11:59:59.999Z", RefusalReason.LATE),
        ("2026-06-10T12:05:00.000Z", None),
        ("2026-06-10T12:05:00.001Z", RefusalReason.BAD_TIME),
        ("1989-12-31T23:59:59.999Z", RefusalReason.BAD_TIME),
    ],
    ids=["400 days late", "a millisecond more", "5 minutes ahead", "a millisecond more ahead", "before 1990"],
)
def test_the_limits_hold_to_the_millisecond(time: str, refused: RefusalReason | None) -> None:
    """400 days late and 5 minutes ahead are accepted, a millisecond beyond is refused by name."""
    assert reason(time) is refused


def test_the_limits_are_the_settings() -> None:
    """A shop that uploads within a week may refuse what is older."""
    limits = Limits(late_ms_max=7 * MS_PER_DAY, ahead_ms_max=0)

    assert reason(format_instant(NOW - 7 * MS_PER_DAY), limits=limits) is None
    assert reason(format_instant(NOW - 7 * MS_PER_DAY - 1), limits=limits) is RefusalReason.LATE
    assert reason(format_instant(NOW + 1), limits=limits) is RefusalReason.BAD_TIME


def test_a_refusal_says_how_far_it_was_off() -> None:
    """Days late with the limit, or seconds ahead."""
    late = accept(raw(format_instant(NOW - 500 * MS_PER_DAY)), [], NOW, Limits())
    ahead = accept(raw(format_instant(NOW + 4_000_000)), [], NOW, Limits())

    assert isinstance(late, Rejected)
    assert "500 days before its arrival, the limit is 400" in late.detail
    assert isinstance(ahead, Rejected)
    assert "4000 s ahead of its arrival" in ahead.detail


def test_on_an_event_clock_an_event_arrives_when_it_happened() -> None:
    """Neither late nor ahead, however long ago or far away; the day log's ends alone are limits."""
    assert taken("1997-01-01T12:00:00Z", limits=EVENT_CLOCK).recorded_at == parse_instant("1997-01-01T12:00:00.000Z")
    assert taken("2100-01-01T12:00:00Z", limits=EVENT_CLOCK).recorded_at == parse_instant("2100-01-01T12:00:00.000Z")
    assert reason(format_instant(EARLIEST_MS), limits=EVENT_CLOCK) is None
    assert reason(format_instant(EARLIEST_MS - 1), limits=EVENT_CLOCK) is RefusalReason.BAD_TIME
    assert reason(format_instant(LATEST_MS - 1), limits=EVENT_CLOCK) is None
    assert reason(format_instant(LATEST_MS), limits=EVENT_CLOCK) is RefusalReason.BAD_TIME


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "UTC", "Pacific/Kiritimati"])
def test_every_day_that_is_let_in_fits_into_the_day_log(zone: str) -> None:
    """Days are counted in 16 bits there, from DAY_ZERO, in the policy's zone."""
    calendar = Calendar(zone)

    assert calendar.day_of(EARLIEST_MS) - DAY_ZERO >= 0
    assert calendar.day_of(LATEST_MS - 1) - DAY_ZERO < 2**16


@pytest.mark.parametrize(
    "record", [ClockAdvanced(instant="2026-06-10T12:00:00Z"), ClockClosed(instant="2026-06-10T12:00:00Z")]
)
def test_a_feeds_clock_record_enters_the_journal_with_a_canonical_instant(record: ControlRecord) -> None:
    """`clock.advanced` and `clock.closed` are all that may come in under a control key."""
    value = accept_clock(encode_journal(record))

    assert isinstance(value, bytes)
    assert json.loads(value) == json.loads(encode_journal(record)) | {"instant": "2026-06-10T12:00:00.000Z"}


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        (None, RefusalReason.SCHEMA),
        (b"", RefusalReason.SCHEMA),
        (b"\xff\x00", RefusalReason.SCHEMA),
        (raw("2026-06-10T12:00:00.000Z"), RefusalReason.SCHEMA),
        (b'{"type":"policy.activated","instant":"2026-06-10T12:00:00.000Z"}', RefusalReason.SCHEMA),
        (encode_journal(ClockTick(instant="2026-06-10T12:00:00.000Z", home=(0, 1))), RefusalReason.SCHEMA),
        (b'{"type":"clock.closed","instant":"tomorrow"}', RefusalReason.BAD_TIME),
    ],
    ids=["no value", "empty", "bytes", "an event", "a policy", "a tick", "no instant"],
)
def test_nothing_else_enters_the_journal_under_a_control_key(value: bytes | None, refused: RefusalReason) -> None:
    """Whoever can write to `imports` can't put a policy in force, nor bytes on which every worker would stop."""
    result = accept_clock(value)

    assert isinstance(result, Rejected)
    assert result.reason is refused


@pytest.mark.parametrize(
    "record",
    [
        CountersDeclared(id="a", text="[]"),
        CountersRestated(customer_id="c1", declaration="a", journal_seq=1, counters=b""),
        PolicyActivated(id="a", effective_at="2026-06-10T12:00:00Z", name="n", hash="h", text="{}"),
    ],
)
def test_no_producer_can_say_what_a_customer_is_counted_for(record: ControlRecord) -> None:
    """Neither as an event nor under a control key."""
    value = encode_journal(record)
    as_event, as_control = accept(value, [], NOW, Limits()), accept_clock(value)

    assert isinstance(as_event, Rejected)
    assert as_event.reason is RefusalReason.UNKNOWN_TYPE
    assert isinstance(as_control, Rejected)


def test_an_event_of_a_history_arrived_when_it_happened() -> None:
    """So it is never late; the journal says that it is one, and no producer can say so in its bytes."""
    marked = [(BACKFILL_HEADER, b"1")]
    old = "2021-06-10T12:00:00.000Z"
    result = accept(raw(old), marked, NOW, Limits())
    assert isinstance(result, Accepted)
    told = json.loads(result.value)
    assert (told["time"], told["recordedtime"], told["backfill"]) == (old, old, True)
    assert reason(old) is RefusalReason.LATE

    claimed = accept(raw("2026-06-10T12:00:00.000Z", backfill=True, redriven=7), [], NOW, Limits())
    assert isinstance(claimed, Accepted)
    assert json.loads(claimed.value).keys().isdisjoint({"backfill", "redriven"})


def test_a_history_does_not_reach_into_the_future() -> None:
    """A clock a little ahead is taken at its arrival, as of a live event; more than that is refused."""
    marked = [(BACKFILL_HEADER, b"1")]
    ahead = accept(raw(format_instant(NOW + 1_000)), marked, NOW, Limits())
    assert isinstance(ahead, Accepted)
    assert ahead.recorded_at == NOW

    refused = accept(raw(format_instant(NOW + MS_PER_DAY)), marked, NOW, Limits())
    assert isinstance(refused, Rejected)
    assert refused.reason is RefusalReason.BAD_TIME


@pytest.mark.parametrize(
    ("written", "redriven"), [(b"2", 2), (b"", 0), (b"-1", 0), (b"x", 0), (b"9" * 50, 0), (None, 0)]
)
def test_the_journal_says_how_often_an_event_was_redriven(written: bytes | None, redriven: int) -> None:
    """What is no number of ours counts as none."""
    result = accept(raw("2026-06-10T12:00:00.000Z"), [(ATTEMPTS_HEADER, written)], NOW, Limits())

    assert isinstance(result, Accepted)
    assert result.event.redriven == redriven


def test_an_erasure_that_nobody_carries_out_is_refused() -> None:
    """It goes to the dead letters, where an alert sees it, and is not taken into the journal in silence."""
    told = {"type": "privacy.erasure_requested", "id": "p1", "customer_id": "c1", "request_id": "r1", "mode": "erase"}

    result = accept(json.dumps({**told, "time": "2026-06-10T12:00:00Z"}).encode(), [], NOW, Limits())

    assert isinstance(result, Rejected)
    assert result.reason is RefusalReason.UNSUPPORTED
    assert "personal-data.md" in result.detail
