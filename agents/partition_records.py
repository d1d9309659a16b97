"""What the changelog keeps of a partition of customers as a whole: its policies, and what its last tick left to do."""

from typing import Final

import msgspec

NO_TICK: Final = -1


class Activation(msgspec.Struct, array_like=True):
    """A policy as the changelog keeps it."""

    effective_at: int
    text: str


class DueWork(msgspec.Struct, array_like=True, frozen=True):
    """What the last tick left to do. In the changelog, because the position may pass the tick before it is done."""

    until: int = NO_TICK
    """Customers due up to here are run; NO_TICK: nothing is left to do."""
    closing: str | None = None
    """The instant of a `clock.closed` to be acknowledged when it is done."""


decode_due_work = msgspec.msgpack.Decoder(DueWork).decode
decode_activations = msgspec.msgpack.Decoder(list[Activation]).decode
