"""What becomes of a raw record: a journal record keyed by its customer, or a refusal with its reason."""

from typing import NamedTuple

import msgspec

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.cloudevents import decode_input
from schemas.envelope import Headers
from schemas.events import ErasureRequested, InputEvent
from schemas.journal import ClockAdvanced, ClockClosed, encode_journal, journal_key
from schemas.marks import UNMARKED, marks_of
from schemas.rejections import RefusalReason, Rejected

STAGE = "intake"
EARLIEST_MS = parse_instant("1990-01-01T00:00:00.000Z")
LATEST_MS = parse_instant("2169-01-01T00:00:00.000Z")
"""The day log counts days in 16 bits. Only an event clock can come so far."""
ERASES_NOBODY = Rejected(
    reason=RefusalReason.UNSUPPORTED,
    stage=STAGE,
    detail="nobody is erased or restricted by this version: carry the request out as docs/how-to/personal-data.md says",
)
"""A request of this weight is never taken and then left undone."""
_CANONICAL_LENGTH = len("1990-01-01T00:00:00.000Z")


class Limits(msgspec.Struct, frozen=True):
    """How far an event's own time may lie from its arrival, and which of the two is the clock."""

    late_ms_max: int = 400 * MS_PER_DAY
    ahead_ms_max: int = 300_000
    event_clock: bool = False
    """Imports and demos: an event counts as having arrived when it happened."""


class Accepted(NamedTuple):
    """A journal record."""

    key: bytes
    value: bytes
    event: InputEvent
    occurred_at: int
    recorded_at: int


def accept(value: bytes | None, headers: Headers, arrived_at: int, limits: Limits) -> Accepted | Rejected:
    """Decode, validate and stamp a raw record that the broker received at `arrived_at` (epoch ms).

    An event of a history that is loaded counts as having arrived when it happened, unless that lies ahead.
    """
    event = decode_input(value, headers)
    return event if type(event) is Rejected else admit(event, headers, arrived_at, limits)


def admit(event: InputEvent, headers: Headers, arrived_at: int, limits: Limits) -> Accepted | Rejected:
    """Judge the time of a checked event, whatever format it came in, and stamp it; `headers` may mark it."""
    if type(event) is ErasureRequested:
        return ERASES_NOBODY
    occurred_at = parse_instant(event.time)
    marks = marks_of(headers) if headers else UNMARKED
    on_time = limits.event_clock or (marks.backfill and occurred_at <= arrived_at)
    recorded_at = occurred_at if on_time else arrived_at
    late = untimely(event.time, occurred_at, recorded_at, limits)
    if late is not None:
        return late
    if len(event.time) != _CANONICAL_LENGTH or event.time[-1] != "Z":
        event.time = format_instant(occurred_at)
    event.recordedtime = event.time if on_time else format_instant(recorded_at)
    event.backfill, event.redriven = marks
    return Accepted(journal_key(event), encode_journal(event), event, occurred_at, recorded_at)


def understood(value: bytes) -> InputEvent | Rejected:
    """An event of a file, as intake would decode it; when it happened is not judged."""
    event = decode_input(value)
    return ERASES_NOBODY if type(event) is ErasureRequested else event


def untimely(time: str, occurred_at: int, recorded_at: int, limits: Limits) -> Rejected | None:
    """Why what happened at `occurred_at`, written as `time`, cannot be taken at `recorded_at`; None: it can."""
    if EARLIEST_MS <= occurred_at < LATEST_MS and (
        recorded_at - limits.late_ms_max <= occurred_at <= recorded_at + limits.ahead_ms_max
    ):
        return None
    if occurred_at < EARLIEST_MS:
        return Rejected(reason=RefusalReason.BAD_TIME, stage=STAGE, detail=f"time {time} is before 1990")
    if occurred_at >= LATEST_MS:
        return Rejected(reason=RefusalReason.BAD_TIME, stage=STAGE, detail=f"time {time} is after 2168")
    if occurred_at > recorded_at + limits.ahead_ms_max:
        ahead_s = (occurred_at - recorded_at) // 1000
        return Rejected(
            reason=RefusalReason.BAD_TIME, stage=STAGE, detail=f"time {time} is {ahead_s} s ahead of its arrival"
        )
    days, limit = (recorded_at - occurred_at) // MS_PER_DAY, limits.late_ms_max // MS_PER_DAY
    return Rejected(
        reason=RefusalReason.LATE,
        stage=STAGE,
        detail=f"time {time} is {days} days before its arrival, the limit is {limit}",
    )


def accept_clock(value: bytes | None) -> bytes | Rejected:
    """A feed's clock record, as the journal takes it. Nothing else may enter the journal under a control key."""
    try:
        record = _decode_clock(value or b"")
        instant = format_instant(parse_instant(record.instant))
    except msgspec.DecodeError as error:
        return Rejected(reason=RefusalReason.SCHEMA, stage=STAGE, detail=f"no clock record: {error}")
    except ValueError as error:
        return Rejected(reason=RefusalReason.BAD_TIME, stage=STAGE, detail=f"instant: {error}")
    return encode_journal(msgspec.structs.replace(record, instant=instant))


_decode_clock = msgspec.json.Decoder(ClockAdvanced | ClockClosed).decode
