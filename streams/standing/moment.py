"""One customer at one instant: what conditions are held against."""

from typing import Final

from streams.calendar import Calendar
from streams.customer.standing import LadderStanding
from streams.customer.state import CustomerState

FOREVER: Final = 2**62
"""Later than any instant: never."""


class Moment:
    """A customer as of an instant.

    The present one is that to whose day the state's windows have been advanced. Others look at the same records from
    another day: a later one as if nothing more happened, a closed one without what came after its day.
    """

    __slots__ = ("at", "base", "calendar", "closed", "day", "deducted", "present", "since", "standing", "state")

    def __init__(
        self,
        state: CustomerState,
        standing: LadderStanding,
        calendar: Calendar,
        at: int,
        *,
        day: int = 0,
        present: bool = True,
        closed: bool = False,
    ) -> None:
        """`day` is the local day of `at`, where it is known already."""
        self.state, self.standing, self.calendar, self.at = state, standing, calendar, at
        self.day = day or calendar.day_of(at)
        self.present, self.closed = present, closed
        self.deducted = standing.deducted
        self.since, self.base = standing.since, standing.base

    @property
    def last(self) -> int | None:
        """The last day that counts; None: all."""
        return self.day if self.closed else None

    def moved(self, at: int) -> "Moment":
        """The same customer at a later instant, as if nothing happened until then."""
        later = Moment(self.state, self.standing, self.calendar, at, present=False)
        later.deducted, later.since, later.base = self.deducted, self.since, self.base
        return later

    def end_of(self, day: int) -> "Moment":
        """The same customer at the end of a day, without what came after it."""
        at = self.calendar.start_of(day + 1) - 1
        closed = Moment(self.state, self.standing, self.calendar, at, present=False, closed=True)
        closed.deducted, closed.since, closed.base = self.deducted, self.since, self.base
        return closed

    def joined(self) -> int:
        """The day on which the customer joined: of the sign-up, else of the first purchase, else of the first record.

        Told or bought late, it is the earlier one.
        """
        state = self.state
        if state.signed_up_at:
            return self.calendar.day_of(state.signed_up_at)
        return state.first_day or self.calendar.day_of(state.first_seen_at)
