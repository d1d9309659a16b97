"""What the journal holds: every input event, and the control records that only the journal knows.

Control records say what else shaped a customer's standing: passing time, activated policies and churn models. They
concern every customer whose home partition they lie in, not one customer, and their keys begin with a zero byte, which
no id can. Only what was counted anew for a customer has the customer's key.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from schemas.events import Event, InputEvent
from schemas.fields import ANONYMOUS_PREFIX, Count, CustomerKey, Id, Instant, Text

Home = tuple[Count, Annotated[int, Meta(ge=1)]]
"""`[partition, count]` of the topic that the record was written for."""


class Control(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """A record that is no event: about all customers of one home partition, but for `customer.counters_restated`."""


class ClockTick(Control, kw_only=True, tag="clock.tick"):
    """Everything that arrived before `instant` is in the journal: what is due up to then may run."""

    instant: Instant
    home: Home


class ClockAdvanced(Control, kw_only=True, tag="clock.advanced"):
    """A feed with its own clock reached `instant`; written once per simulated day into every partition."""

    instant: Instant
    home: Home | None = None


class ClockClosed(Control, kw_only=True, tag="clock.closed"):
    """A feed with its own clock ended at `instant`: after it nothing runs by itself."""

    instant: Instant
    home: Home | None = None


class PolicyActivated(Control, kw_only=True, tag="policy.activated"):
    """From `effective_at` on, this policy decides."""

    id: Id
    effective_at: Instant
    name: Text
    hash: Id
    """SHA-256 of `text`, in hexadecimal."""
    text: str
    """The whole policy as canonical JSON text."""
    everybody_counted: bool = False
    """Whether every customer was counted from the beginning for what it filters by category or store, and the policy
    before it did not."""
    home: Home | None = None


class ModelActivated(Control, kw_only=True, tag="model.activated"):
    """From `effective_at` on, this churn model decides, under whatever policy holds that it fits."""

    id: Id
    effective_at: Instant
    name: Text
    hash: Id
    """SHA-256 of `text`, in hexadecimal."""
    text: str
    """The whole model as canonical JSON text."""
    home: Home | None = None


class GoLive(Control, kw_only=True, tag="go-live"):
    """The history is loaded: what is decided from here on is told. Without a history before it, it changes nothing."""

    instant: Instant
    """As of when every customer of whom the history told is introduced."""
    home: Home | None = None


class CountersDeclared(Control, kw_only=True, tag="counters.declared"):
    """A policy to come needs these counters: who is new is counted from the start, everybody else is restated.

    The newest declaration holds; one of the same counters changes nothing, one without counters withdraws it.
    """

    id: Id
    """SHA-256 of `text`, in hexadecimal."""
    text: str
    """The filters as JSON text."""
    home: Home | None = None


class CountersRestated(Control, kw_only=True, tag="customer.counters_restated"):
    """What one customer's declared counters amount to, counted from the beginning; keyed by the customer.

    It holds if no other record of the customer came between what it was counted from and itself.
    """

    customer_id: CustomerKey
    declaration: Id
    """The declaration's id."""
    journal_seq: Count
    """How many records of the customer it was counted from."""
    counters: bytes
    """Per filter, in the declaration's order, its daily series: packed as in the customer's state, in Base64."""


ControlRecord = (
    ClockTick
    | ClockAdvanced
    | ClockClosed
    | PolicyActivated
    | ModelActivated
    | GoLive
    | CountersDeclared
    | CountersRestated
)
Activated = PolicyActivated | ModelActivated
Passing = ClockTick | ClockAdvanced | ClockClosed
"""What lets time pass."""
JournalRecord = InputEvent | ControlRecord

_DECODER: Final = msgspec.json.Decoder(JournalRecord)
_ENCODER: Final = msgspec.json.Encoder()

decode_journal = _DECODER.decode
"""Bytes of a journal value to its record; msgspec.DecodeError when it is none, which in our own journal is a bug."""

encode_journal = _ENCODER.encode
"""A record to the bytes of a journal value; equal records give equal bytes."""


def journal_key(event: Event) -> bytes:
    """The key under which an event is journalled: its customer's id, or `anonymous:<id>` while nobody knows them."""
    return (event.customer_id or ANONYMOUS_PREFIX + event.anonymous_id).encode()


def redriven_of(value: bytes) -> int:
    """How often the event in a journal value was refused and sent again before."""
    event = decode_journal(value)
    return 0 if isinstance(event, Control) else event.redriven


def control_key(record: ControlRecord) -> bytes:
    """The key of a control record: a zero byte and the type; of one about a customer, theirs."""
    if isinstance(record, CountersRestated):
        return record.customer_id.encode()
    return b"\x00" + str(record.__struct_config__.tag).encode()


def is_control_key(key: bytes | None) -> bool:
    """Whether a record with this key concerns a partition and not one customer."""
    return key is not None and key[:1] == b"\x00"
