"""Where a member of a programme stands, as the naive judge remembers it, and what it would have told."""

from dataclasses import dataclass
from typing import NamedTuple

from tests.properties.member import FOREVER, Value


class Told(NamedTuple):
    """A change of a place that must be published."""

    ladder: str
    at: int
    previous: int
    current: int
    cause: str


@dataclass
class Place:
    """Where the member stands on a ladder, and what that rests on."""

    rank: int = 0
    since: int = 0
    grace_until: int = 0
    valid_until: int = 0
    review_at: int = 0
    judged_day: int = 0
    deducted: int = 0
    entry_deducted: int = 0
    fell: bool = False
    seen: list[Value] | None = None
    """What `enter` was met with; None after a fall."""
    risen_from: int = 0
    shown: int = 0
    override: int = -1
    override_until: int = FOREVER
    match: int = 0
    match_until: int = FOREVER
