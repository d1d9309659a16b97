"""What a gauge is: it reads one metric of a customer at a moment, and tells when time alone may change what it reads.

All but probabilities and facts change at local midnight only. Amounts and counts of a window fall as days leave it;
days since something rise; shares may do either.
"""

from typing import TypeAlias

from streams.customer.outcome import Booked
from streams.standing.moment import FOREVER, Moment

Value: TypeAlias = int | float | str | bool | None
"""None: nothing is known. It meets no comparison."""


class Gauge:
    """Reads a metric. `sinks`: time alone can only lower it; `constant`: time alone never changes it."""

    __slots__ = ()
    sinks = False
    constant = False

    def value(self, moment: Moment) -> Value:
        """What is read at a moment."""
        raise NotImplementedError

    def next_change(self, _moment: Moment) -> int:
        """The first instant after the moment at which time alone may have changed the value; FOREVER: never."""
        return FOREVER

    def restated(self, value: Value, _moment: Moment, _booked: Booked) -> Value:
        """A value that was read at an earlier moment, after a record of an order has changed what is known of it."""
        return value
