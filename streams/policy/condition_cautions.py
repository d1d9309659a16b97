"""What is odd about conditions, though valid: those that never decide, and those that nobody meets."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.policy.logic import implies, impossible
from streams.policy.model import AllOf, AnyOf, Comparison, NotMet, Requirement
from streams.policy.positions import Path
from streams.policy.windows import ROLLING_DAYS_MAX, Window

PER_DAY_MAX: Final = {"orders": 10, "tickets": 10, "carts": 500, "visits": 1_000, "views": 2_000}
"""More of it, every day of a window, is no customer but a mistake."""
KNOWN_MAX: Final = {"categories": 32, "tickets_open": 32, "birth_month": 12, "birth_day": 31}
"""The greatest value that a metric or a trait can have."""
_PERIOD_DAYS: Final = {"calendar-month": 31, "calendar-quarter": 92}
_YEAR_DAYS: Final = 366


class Caution(NamedTuple):
    """Something valid that will hardly do what was meant, and where it stands."""

    path: Path
    message: str


def condition_cautions(requirement: Requirement, path: Path) -> Iterator[Caution]:
    """Cautions about a requirement that stands at a path."""
    if isinstance(requirement, Comparison):
        yield from _out_of_reach(requirement, path)
    elif isinstance(requirement, NotMet):
        yield from condition_cautions(requirement.part, (*path, "not"))
    else:
        group = "any" if isinstance(requirement, AnyOf) else "all"
        yield from _superfluous(requirement, (*path, group))
        for place, part in enumerate(requirement.parts):
            inner: Path = (*path, group, place)
            if isinstance(requirement, AnyOf) and impossible(part):
                yield Caution(inner, "nobody can meet it: its conditions contradict each other")
            yield from condition_cautions(part, inner)


def window_days(window: Window) -> int | None:
    """The most days that a window looks at; None: it has no end."""
    match window.kind:
        case "days":
            return window.days
        case "calendar-year" | "fixed-year" | "membership-year":
            return _YEAR_DAYS
        case "calendar-month" | "calendar-quarter":
            return _PERIOD_DAYS[window.kind]
        case _:
            return None


def _superfluous(group: AllOf | AnyOf, path: Path) -> Iterator[Caution]:
    """Parts that one beside them makes superfluous; of two that say the same the later one."""
    for place, part in enumerate(group.parts):
        for other_place, other in enumerate(group.parts):
            strong, weak = (part, other) if isinstance(group, AnyOf) else (other, part)
            if other_place == place or not implies(strong, weak) or (place < other_place and implies(weak, strong)):
                continue
            name = f"{path[-1]}[{other_place}]"
            met = f"meets `{name}` as well" if isinstance(group, AnyOf) else "meets it as well"
            who = "whoever meets it" if isinstance(group, AnyOf) else f"whoever meets `{name}`"
            yield Caution((*path, place), f"never decides: {who} {met}; leave it out")
            break


def _out_of_reach(c: Comparison, path: Path) -> Iterator[Caution]:
    threshold = c.threshold
    if not isinstance(threshold, int) or isinstance(threshold, bool):
        return
    least = threshold + (c.operator == ">")
    known = KNOWN_MAX.get(c.name if c.metric == "trait" else c.metric)
    if known is not None and c.operator in {">=", ">"} and least > known:
        yield Caution(path, f"nobody can meet it: it is never above {known}")
    elif c.metric == "trait" and c.operator in {"<=", "<"} and threshold - (c.operator == "<") < 1:
        yield Caution(path, "nobody can meet it: it is never below 1")
    days, per_day = window_days(c.window), PER_DAY_MAX.get(c.metric)
    if days is not None and per_day is not None and c.operator in {">=", ">"} and least > days * per_day:
        span = "1 day" if days == 1 else f"{min(days, ROLLING_DAYS_MAX)} days"
        yield Caution(path, f"hardly anybody can meet it: {threshold} {c.metric} in {span}")
