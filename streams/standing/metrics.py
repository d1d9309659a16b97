"""Conditions of a policy against one customer's aggregates: the values, whether they suffice, and until when."""

from typing import NamedTuple

from streams.calendar import Calendar
from streams.customer import daylog
from streams.customer.state import CustomerState
from streams.policy.model import Condition, Requirement

FOREVER = 2**62


class Measured(NamedTuple):
    """A condition and the value it was held against."""

    condition: Condition
    value: int

    @property
    def met(self) -> bool:
        """Whether the value reaches the threshold."""
        return self.value >= self.condition.at_least


def measure(state: CustomerState, requirement: Requirement, as_of: int) -> list[Measured]:
    """Every condition with its value as of a day to which the windows have been advanced."""
    return [Measured(c, daylog.total(state, c.metric, c.window_days, as_of)) for c in requirement.conditions]


def holds(state: CustomerState, requirement: Requirement, as_of: int) -> bool:
    """Whether the requirement holds; stops at the first condition that decides."""
    decisive = requirement.mode == "any"
    for c in requirement.conditions:
        if (daylog.total(state, c.metric, c.window_days, as_of) >= c.at_least) is decisive:
            return decisive
    return not decisive


def holds_until(state: CustomerState, requirement: Requirement, as_of: int, calendar: Calendar) -> int:
    """The instant at which a requirement that holds ceases to hold by time alone; FOREVER if never."""
    ends = []
    for c in requirement.conditions:
        if c.window_days is None:
            lifetime_met = daylog.total(state, c.metric, None, as_of) >= c.at_least
            ends.append(FOREVER if lifetime_met else 0)
        else:
            day = daylog.day_falls_below(state, c.metric, c.window_days, c.at_least, as_of)
            ends.append(FOREVER if day is None else 0 if day == as_of else calendar.start_of(day))
    return max(ends) if requirement.mode == "any" else min(ends)
