"""What folding leaves behind besides the state: decisions to publish, records to refuse, counts."""

from hashlib import sha1
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from uuid import NAMESPACE_DNS, uuid5

from schemas.decisions import (
    Cause,
    ChurnRiskChanged,
    Direction,
    DowngradeAverted,
    DowngradeUpcoming,
    Reason,
    TierChanged,
)
from schemas.rejections import Rejected
from streams.customer.standing import LadderStanding
from streams.policy.model import Ladder, Tier

if TYPE_CHECKING:
    from streams.standing.late_bands import LateBands

_VARIANTS = {digit: f"{int(digit, 16) & 0x3 | 0x8:x}" for digit in "0123456789abcdef"}
_NAMESPACE = uuid5(NAMESPACE_DNS, "tierstream").bytes


class Trigger(NamedTuple):
    """Why something is judged now."""

    cause: Cause
    event_id: str | None
    at: int
    """The instant as of which it is judged."""
    occurred_at: int | None
    """When what triggered it happened; None for time and policies."""
    backfill: bool = False
    """Whether the partition loads its history."""

    @property
    def told(self) -> Cause:
        """The cause as it is published: while a history is loaded `backfill`, whatever it was."""
        return "backfill" if self.backfill else self.cause


Published: TypeAlias = TierChanged | ChurnRiskChanged | DowngradeUpcoming | DowngradeAverted


class Change(NamedTuple):
    """A decision with its derived id."""

    topic: str
    decision: Published
    id: str


class Moved(NamedTuple):
    """A change of tier in brief: what is counted of it where nothing is published."""

    ladder: Ladder
    tier: Tier | None
    at: int
    cause: Cause
    direction: Direction
    reasons: tuple[Reason, ...]


class Refused(NamedTuple):
    """A journal record that can't be used."""

    rejected: Rejected
    value: bytes
    waited: bool
    """Whether it is not the record under way, but one that waited in the state."""


class Effects:
    """Collects, for one customer at a time; `take_over` begins with the next."""

    __slots__ = ("backfill", "changes", "key", "refused", "repeated")
    late_bands: "LateBands | None" = None
    """Keeps what bands follow from, where nobody is told when one is left."""
    in_brief = False
    """Whether only moves on ladders are wanted, in brief: nothing else is made ready, and nothing published."""

    def __init__(self, key: bytes = b"") -> None:
        self.backfill = False
        """Whether the partition loads its history; stays, whoever the customer is."""
        self.take_over(key)

    def take_over(self, key: bytes) -> None:
        """Forget everything and begin with the customer of this journal key."""
        self.key = key
        self.changes: list[Change] = []
        self.refused: list[Refused] = []
        self.repeated = 0

    @property
    def customer_id(self) -> str:
        """The customer's id."""
        return self.key.decode()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to publish or to count."""
        return not (self.changes or self.refused or self.repeated)

    @property
    def taken(self) -> bool:
        """Whether the record under way was taken: neither refused nor a repeat."""
        return not self.repeated and all(refused.waited for refused in self.refused)

    def judge(self, standing: LadderStanding) -> None:
        """Be told by which standing the change to be published next was judged; only who explains it asks."""

    def moved(self, change: Moved) -> None:
        """A change of tier, where only that is wanted."""
        raise NotImplementedError

    def publish(self, topic: str, decision: Published, change_id: str) -> None:
        """A change to publish, in order."""
        self.changes.append(Change(topic, decision, change_id))

    def refuse(self, rejected: Rejected, value: bytes, *, waited: bool = False) -> None:
        """A record for the dead letters."""
        self.refused.append(Refused(rejected, value, waited))


def output_id(
    customer_id: str, kind: str, sequence: int, policy_hash: str, effective_at: int, event_id: str | None
) -> str:
    """The id of an output, a UUIDv5: derived, so that a repeat is recognised.

    Never the same again for a customer who was erased and seen again, because the causing event or instant differs.
    """
    name = f"{customer_id}\0{kind}\0{sequence}\0{policy_hash}\0{effective_at}\0{event_id or ''}"
    digest = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    # RFC 9562: version 5 in the 13th digit, variant 10xx in the 17th. uuid.uuid5 costs three times as much.
    variant = _VARIANTS[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
