"""The headers by which our own commands mark raw records, and what the intake reads from them.

No producer needs them. The intake turns them into fields of the journal record, so that the journal alone says all.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.rejections import ATTEMPTS_HEADER

BACKFILL_HEADER: Final = "tierstream-backfill"
"""Part of a history that is loaded: the event counts as having arrived when it happened, and nobody is told."""
FEED_HEADER: Final = "tierstream-feed"
"""`<feed id>:<place>`: a file that is fed again is recognised by it."""
ATTEMPTS_DIGITS_MAX: Final = 6
"""A longer number of attempts is none of ours."""


class Marks(NamedTuple):
    """What the headers of a raw record say besides its content."""

    backfill: bool = False
    redriven: int = 0
    """How often it was refused, and sent again, before."""


UNMARKED: Final = Marks()


def marks_of(headers: Sequence[tuple[str, bytes | None]]) -> Marks:
    """The marks among a record's headers; what is not as we write it counts as absent."""
    backfill, redriven = False, 0
    for name, value in headers:
        if name == BACKFILL_HEADER:
            backfill = True
        elif name == ATTEMPTS_HEADER and value is not None and value.isdigit() and len(value) <= ATTEMPTS_DIGITS_MAX:
            redriven = int(value)
    return Marks(backfill, redriven) if backfill or redriven else UNMARKED
