"""Requirements as they are judged: each comparison with its gauge, made once per policy.

A rule tells whether it is met at a moment, when time alone next turns that, and by which readings it was decided.
"""

from collections.abc import Callable, Iterator
from operator import eq, ge, gt, le, lt
from typing import Any, Final, NamedTuple

from streams.customer.outcome import Booked
from streams.customer.standing import EntryValue
from streams.policy.model import AllOf, AnyOf, Comparison, NotMet, Requirement
from streams.standing.fact_gauges import DaysSince
from streams.standing.gauge import Gauge, Value
from streams.standing.model_gauges import LifetimeValue, Probability
from streams.standing.moment import FOREVER, Moment
from streams.standing.sum_gauges import LoggedSum

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": ge,
    ">": gt,
    "<=": le,
    "<": lt,
    "==": eq,
    "in": lambda value, threshold: value in threshold,
}
_LOWER: Final = frozenset({">=", ">"})
_REACH_DAYS: Final = 36_525
"""What takes longer than a century never comes."""


class Reading(NamedTuple):
    """A comparison with what was read."""

    comparison: Comparison
    value: Value
    met: bool


class Rule:
    """A requirement that can be judged."""

    __slots__ = ()

    def met(self, moment: Moment) -> bool:
        """Whether it holds at a moment."""
        raise NotImplementedError

    def turns_at(self, moment: Moment, until: int = FOREVER) -> int:
        """The first instant after the moment at which time alone turns it; FOREVER: never.

        Nobody looks further than `until`: what comes then or later may be told as FOREVER.
        """
        raise NotImplementedError

    def leaves(self) -> "Iterator[Leaf]":
        """Its comparisons, in the order of the file."""
        raise NotImplementedError

    def met_with(self, values: Iterator[EntryValue]) -> bool:
        """Whether it holds for given values of its comparisons; takes as many as it has."""
        raise NotImplementedError

    def evidence(self, moment: Moment, *, met: bool) -> list[Reading]:
        """The readings that decide that it is met, or is not: from them alone the same follows."""
        raise NotImplementedError

    def may_turn(self, *, met: bool) -> bool:
        """Whether time alone could ever make it met (or unmet)."""
        raise NotImplementedError


class Leaf(Rule):
    """One comparison."""

    __slots__ = ("_compare", "comparison", "gauge", "threshold")

    def __init__(self, comparison: Comparison, gauge: Gauge) -> None:
        self.comparison, self.gauge, self.threshold = comparison, gauge, comparison.threshold
        self._compare = _COMPARE[comparison.operator]

    @property
    def cheap(self) -> bool:
        """Whether it is soon told when it turns."""
        return isinstance(self.gauge, LoggedSum | DaysSince) or self.gauge.constant

    def met(self, moment: Moment) -> bool:
        value = self.gauge.value(moment)
        return value is not None and self._compare(value, self.threshold)

    def turns_at(self, moment: Moment, until: int = FOREVER) -> int:
        gauge, met = self.gauge, self.met(moment)
        if not self.may_turn(met=not met):
            return FOREVER
        if isinstance(gauge, LoggedSum) and isinstance(self.threshold, int):
            least = self.threshold + (self.comparison.operator in {">", "<="})
            return gauge.sinks_below(moment, least)
        if isinstance(gauge, DaysSince) and isinstance(self.threshold, int):
            instants = [at for at in gauge.passes(moment, self.threshold) if at > moment.at]
        elif isinstance(gauge, Probability) and isinstance(self.threshold, int | float):
            return gauge.passes(moment, self.threshold, self.comparison.operator)
        elif isinstance(gauge, LifetimeValue):
            return self._falling(moment, gauge, met=met)
        else:
            return self._search(moment, until, met=met)
        return next((at for at in instants if self.met(moment.moved(at)) is not met), FOREVER)

    def leaves(self) -> "Iterator[Leaf]":
        yield self

    def met_with(self, values: Iterator[EntryValue]) -> bool:
        value = next(values)
        return value is not None and self._compare(value, self.threshold)

    def evidence(self, moment: Moment, *, met: bool) -> list[Reading]:
        value = self.gauge.value(moment)
        held = value is not None and self._compare(value, self.threshold)
        return [Reading(self.comparison, value, held)] if held is met else []

    def may_turn(self, *, met: bool) -> bool:
        if self.gauge.constant:
            return False
        if not self.gauge.sinks or self.comparison.operator in {"==", "in"}:
            return True
        return met is (self.comparison.operator not in _LOWER)

    def restated(self, value: EntryValue, moment: Moment, booked: Booked) -> EntryValue:
        """What the gauge read at an earlier moment, by what is known of it now."""
        return self.gauge.restated(value, moment, booked)

    def _search(self, moment: Moment, until: int, *, met: bool) -> int:
        """Look at every instant at which the value may change; each lets at least one day or fact pass."""
        at = self.gauge.next_change(moment)
        while at < until:
            later = moment.moved(at)
            if self.met(later) is not met:
                return at
            at = self.gauge.next_change(later)
        return FOREVER

    def _falling(self, moment: Moment, gauge: LifetimeValue, *, met: bool) -> int:
        """The local midnight at which a value turns the comparison: day by day while trouble fades, then by halving."""
        if gauge.value(moment) is None:
            return FOREVER
        later = moment
        while not gauge.falls(later):
            later = later.moved(gauge.next_change(later))
            if self.met(later) is not met:
                return later.at
        low, step, start = 0, 1, later.calendar.start_of
        if self.met(later.moved(start(later.day + _REACH_DAYS))) is met:
            return FOREVER
        while self.met(later.moved(start(later.day + low + step))) is met:
            low, step = low + step, step * 2
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            turned = self.met(later.moved(start(later.day + middle))) is not met
            low, high = (low, middle) if turned else (middle, high)
        return start(later.day + high)


class SumAtLeast(Leaf):
    """A running sum against a lower limit: by far the most frequent comparison, and as quick as it can be."""

    __slots__ = ("_least", "_place")

    def __init__(self, comparison: Comparison, gauge: LoggedSum, place: int, least: int) -> None:
        super().__init__(comparison, gauge)
        self._place, self._least = place, least

    def met(self, moment: Moment) -> bool:
        return moment.state.sums[self._place] >= self._least if moment.present else super().met(moment)


class Group(Rule):
    """All of several rules, or any of them."""

    __slots__ = ("_any", "_cheap_first", "_parts")

    def __init__(self, parts: tuple[Rule, ...], *, any_of: bool) -> None:
        self._parts, self._any = parts, any_of
        self._cheap_first = sorted(parts, key=lambda part: not isinstance(part, Leaf) or not part.cheap)

    def met(self, moment: Moment) -> bool:
        decisive = self._any
        for part in self._parts:
            if part.met(moment) is decisive:
                return decisive
        return not decisive

    def turns_at(self, moment: Moment, until: int = FOREVER) -> int:
        met, later = self.met(moment), moment
        if met is self._any and any(part.met(moment) is met and not part.may_turn(met=not met) for part in self._parts):
            return FOREVER  # one part decides for good
        while True:
            at = until
            for part in self._cheap_first:
                at = min(at, part.turns_at(later, at))
            if at >= until:
                return FOREVER
            later = moment.moved(at)
            if self.met(later) is not met:
                return at

    def leaves(self) -> Iterator[Leaf]:
        for part in self._parts:
            yield from part.leaves()

    def met_with(self, values: Iterator[EntryValue]) -> bool:
        held = [part.met_with(values) for part in self._parts]
        return any(held) if self._any else all(held)

    def evidence(self, moment: Moment, *, met: bool) -> list[Reading]:
        found = [part.evidence(moment, met=met) for part in self._parts if part.met(moment) is met]
        return [reading for readings in found for reading in readings]

    def may_turn(self, *, met: bool) -> bool:
        return any(part.may_turn(met=met) for part in self._parts)


class Negation(Rule):
    """What must not hold."""

    __slots__ = ("_part",)

    def __init__(self, part: Rule) -> None:
        self._part = part

    def met(self, moment: Moment) -> bool:
        return not self._part.met(moment)

    def turns_at(self, moment: Moment, until: int = FOREVER) -> int:
        return self._part.turns_at(moment, until)

    def leaves(self) -> Iterator[Leaf]:
        return self._part.leaves()

    def met_with(self, values: Iterator[EntryValue]) -> bool:
        return not self._part.met_with(values)

    def evidence(self, moment: Moment, *, met: bool) -> list[Reading]:
        return self._part.evidence(moment, met=not met)

    def may_turn(self, *, met: bool) -> bool:
        return self._part.may_turn(met=not met)


def rule_of(requirement: Requirement, gauge_of: Callable[[Comparison], Gauge]) -> Rule:
    """Make a requirement ready to be judged."""
    match requirement:
        case Comparison():
            gauge, threshold = gauge_of(requirement), requirement.threshold
            if requirement.operator != ">=" or not isinstance(threshold, int) or not isinstance(gauge, LoggedSum):
                return Leaf(requirement, gauge)
            place = gauge.place
            return Leaf(requirement, gauge) if place is None else SumAtLeast(requirement, gauge, place, threshold)
        case NotMet():
            return Negation(rule_of(requirement.part, gauge_of))
        case AllOf() | AnyOf():
            parts = tuple(rule_of(part, gauge_of) for part in requirement.parts)
            if len(parts) == 1:
                return parts[0]
            return Group(parts, any_of=isinstance(requirement, AnyOf))
