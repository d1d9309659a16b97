"""What the changelog of the customers stage holds about a partition as a whole, beside its customers' states."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from agents.errors import RefusedPositionError
from agents.runtime.stage import StateRecord
from schemas.clock import parse_canonical
from schemas.journal import ClockClosed, Passing
from streams.customer.record import UnknownStateError, head
from streams.policy.model import Declaration

POLICIES_KEY: Final = b"\x00policies"
DUE_WORK_KEY: Final = b"\x00due"
BACKFILL_KEY: Final = b"\x00backfill"
COUNTERS_KEY: Final = b"\x00counters"
NO_TICK: Final = -1


class Activation(msgspec.Struct, array_like=True):
    """An activated policy or churn model as the changelog keeps it."""

    effective_at: int
    text: str
    is_model: bool = False


class DeclaredCounters(msgspec.Struct, array_like=True, frozen=True):
    """The newest declaration of counters. There is no record in a partition that never saw one."""

    declaration: Declaration
    is_open: bool
    """Whether no policy has taken its counters over yet."""


class DueWork(msgspec.Struct, array_like=True, frozen=True):
    """What the last tick left to do. In the changelog, because the position may pass the tick before it is done."""

    until: int = NO_TICK
    """Customers due up to here are run; NO_TICK: nothing is left to do."""
    closing: str | None = None
    """The instant of a `clock.closed` to be acknowledged when it is done."""


class HistoryRecord(msgspec.Struct, array_like=True, frozen=True):
    """How far a partition is with its history. There is none in a partition that never loaded one."""

    loading: bool = False
    """From the first event that is part of a history to the go-live."""
    live_at: int = NO_TICK
    """The instant of a go-live of which not every customer has been told yet; NO_TICK: nothing is left to do."""


def heads(store: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Key, due instant and policy ordinal of every customer's restored state.

    RefusedPositionError when one is of a version that this application does not read.
    """
    for key, record in store.items():
        try:
            due, ordinal = head(record)
        except UnknownStateError as error:
            raise unreadable(error) from error
        yield key, due, ordinal


def unreadable(error: UnknownStateError) -> RefusedPositionError:
    """What the operator is told of it."""
    return RefusedPositionError(
        "The states were written by a version that this one does not follow.",
        where="the changelog of the customers stage",
        why=str(error),
        next_step="start the version that wrote them, or have them made anew: tierstream state rebuild",
    )


def take_due_work(store: dict[bytes, bytes]) -> DueWork:
    """Take what the last tick left to do out of the restored records."""
    record = store.pop(DUE_WORK_KEY, None)
    return DueWork() if record is None else msgspec.msgpack.decode(record, type=DueWork)


def work_record(work: DueWork) -> StateRecord:
    """The same for the changelog."""
    return DUE_WORK_KEY, msgspec.msgpack.encode(work)


def due_work_of(event: Passing) -> DueWork:
    """Let customers run who are due up to its instant; the end of a feed's clock is acknowledged."""
    return DueWork(parse_canonical(event.instant), event.instant if isinstance(event, ClockClosed) else None)


def take_policies(store: dict[bytes, bytes]) -> list[Activation]:
    """Take the activated policies and models, oldest first, out of the restored records."""
    record = store.pop(POLICIES_KEY, None)
    return [] if record is None else msgspec.msgpack.decode(record, type=list[Activation])


def policies_record(activations: list[Activation]) -> StateRecord:
    """The same for the changelog."""
    return POLICIES_KEY, msgspec.msgpack.encode(activations)


def take_counters(store: dict[bytes, bytes]) -> DeclaredCounters | None:
    """Take the declared counters out of the restored records."""
    record = store.pop(COUNTERS_KEY, None)
    return None if record is None else msgspec.msgpack.decode(record, type=DeclaredCounters)


def counters_record(declared: DeclaredCounters) -> StateRecord:
    """The same for the changelog."""
    return COUNTERS_KEY, msgspec.msgpack.encode(declared)


def take_history(store: dict[bytes, bytes]) -> HistoryRecord:
    """Take how far the history is out of the restored records."""
    record = store.pop(BACKFILL_KEY, None)
    return HistoryRecord() if record is None else msgspec.msgpack.decode(record, type=HistoryRecord)


def history_record(history: HistoryRecord) -> StateRecord:
    """The same for the changelog."""
    return BACKFILL_KEY, msgspec.msgpack.encode(history)
