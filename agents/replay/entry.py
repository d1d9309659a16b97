"""What a fold of the journal is given and whom it tells: the types that its users share."""

from typing import NamedTuple, Protocol

from streams.effects import Effects


class Entry(NamedTuple):
    """A journal record, wherever it was read."""

    key: bytes
    value: bytes
    partition: int = 0
    offset: int = -1
    timestamp: int = -1


class Told(Protocol):
    """Is told what one customer's record, or time alone, led to: decisions, refusals, repeats."""

    def __call__(self, effects: Effects, entry: Entry | None, /) -> None:
        """`effects.key` is the customer; the lists may be kept. Without an entry, time or a control record did it."""
