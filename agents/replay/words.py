"""One customer's records and the decisions that they led to, in words and as data: the rows of a timeline."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from agents.reason_words import reasons_of
from agents.replay.history import Step
from schemas.clock import format_instant
from schemas.decisions import DowngradeAverted, DowngradeUpcoming, TierChanged
from schemas.events import (
    BrowseActivity,
    InputEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    OrderReturned,
    OrderState,
    TicketCreated,
)
from schemas.money import minor_to_decimal
from streams.effects import Change, Published, Refused

Kind = Literal["event", "decision", "refused"]


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One line of a timeline."""

    at: str
    """When it was recorded, or from when it holds."""
    kind: Kind
    what: str
    """The event's type, the decision's topic, or the reason of the refusal."""
    words: str
    event_id: str | None = None
    """The event's; of a decision, the one that caused it. Null: time or a policy did."""
    data: msgspec.Raw
    """The whole record: event, decision, or refused event."""


def rows_of(step: Step) -> Iterator[Row]:
    """A step's rows: the record, then what it led to."""
    if step.event is not None:
        yield _event_row(step.event, repeated=step.repeated > 0)
    for change in step.changes:
        yield _decision_row(change)
    for refused in step.refused:
        yield _refused_row(refused, step.event)


def event_words(event: InputEvent) -> str:
    """What happened."""
    match event:
        case OrderCompleted():
            said = f"order {event.order_id}: {minor_to_decimal(event.total_minor, event.currency)} {event.currency}"
        case OrderRefunded():
            amount = minor_to_decimal(event.refund_minor, event.currency)
            said = f"refund of order {event.order_id}: {amount} {event.currency}"
        case OrderCancelled():
            said = f"order {event.order_id} cancelled"
        case OrderReturned():
            said = f"goods of order {event.order_id} returned"
        case OrderState():
            amount = minor_to_decimal(event.total_minor - event.refunded_minor, event.currency)
            said = f"order {event.order_id} is {event.status}: {amount} {event.currency}"
        case BrowseActivity():
            said = f"visit: {event.action.replace('_', ' ')}"
        case TicketCreated():
            said = f"support ticket {event.ticket_id}"
        case _:
            said = str(event.__struct_config__.tag).replace(".", " ").replace("_", " ")
    where = event.channel or event.channel_type
    late = f", happened {event.time}" if event.time[:16] != event.recordedtime[:16] else ""
    return said + (f" ({where})" if where else "") + late


def decision_words(decision: Published) -> str:
    """What changed, and why."""
    if isinstance(decision, TierChanged):
        before, after = (tier.name if tier else "no tier" for tier in (decision.previous_tier, decision.tier))
        said = f"{decision.ladder}: {before} → {after}"
        if decision.corrects:
            said += " (a correction)"
    elif isinstance(decision, DowngradeUpcoming):
        to = decision.falls_to.name if decision.falls_to else "no tier"
        said = f"{decision.ladder}: notice, {decision.tier.name} → {to} at {decision.falls_at}"
    elif isinstance(decision, DowngradeAverted):
        said = f"{decision.ladder}: the fall at {decision.would_have_fallen_at} is averted"
    else:
        before, after = (band.replace("_", " ") if band else "none" for band in (decision.previous_band, decision.band))
        said = f"risk: {before} → {after}"
    reasons = "; ".join(reasons_of(decision))
    cause = {
        "time": "by time",
        "policy": f"by policy {decision.policy.name}",
        "override": "by hand",
        "backfill": "while the history loaded",
    }
    why = ", ".join(part for part in (cause.get(decision.cause, ""), reasons) if part)
    return said + (f": {why}" if why else "")


def _event_row(event: InputEvent, *, repeated: bool) -> Row:
    return Row(
        at=event.recordedtime,
        kind="event",
        what=str(event.__struct_config__.tag),
        words=event_words(event) + (" (a repeat: not counted again)" if repeated else ""),
        event_id=event.id,
        data=_raw(event),
    )


def _decision_row(change: Change) -> Row:
    decision = change.decision
    return Row(
        at=decision.effective_at,
        kind="decision",
        what=change.topic,
        words=decision_words(decision),
        event_id=decision.caused_by.event_id,
        data=_raw(decision),
    )


def _refused_row(refused: Refused, event: InputEvent | None) -> Row:
    return Row(
        at=event.recordedtime if event is not None else "",
        kind="refused",
        what=refused.rejected.reason.value,
        words=f"refused: {refused.rejected.detail or refused.rejected.reason.value}",
        event_id=event.id if event is not None else None,
        data=msgspec.Raw(refused.value),
    )


def now_words(instant: int) -> str:
    """Up to when a timeline goes."""
    return f"Time has passed up to {format_instant(instant)}." if instant >= 0 else "No time has passed since."


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
