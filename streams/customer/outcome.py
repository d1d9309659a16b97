"""What a record did to a customer, as far as judging needs to know it."""

from typing import Final, NamedTuple

from schemas.rejections import Rejected
from streams.customer.orders import Order


class Booked(NamedTuple):
    """What a record added to the day of a purchase, or took from it."""

    day: int
    spend: int
    orders: int
    order: Order
    """As it is after it."""


class Outcome(NamedTuple):
    """What a record did."""

    changed: bool = False
    """False: a repeat, or a record that concerns nothing that is kept."""
    repeated: bool = False
    subjects: frozenset[str] = frozenset()
    """What it may have changed: the subjects of metrics."""
    booked: tuple[Booked, ...] = ()
    taken: bool = False
    """Whether it took anything from any day."""
    by_hand: bool = False
    """Whether somebody decided about a place on a ladder."""
    refused: Rejected | None = None


UNCHANGED: Final = Outcome()
CHANGED: Final = Outcome(changed=True)
REPEATED: Final = Outcome(repeated=True)
