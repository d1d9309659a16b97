"""What goes into a decoder of a foreign format and what comes out of it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias, final

import msgspec

from schemas.envelope import Headers
from schemas.events import InputEvent
from schemas.rejections import Rejected


class Raw(NamedTuple):
    """A record as a producer sent it."""

    value: bytes | None
    headers: Headers = ()
    key: bytes | None = None


class SkipCause(StrEnum):
    """Why a well-formed record means nothing here; such records are counted, not kept."""

    TOMBSTONE = "tombstone"
    """A null value: what it stood for was said before."""
    NO_MEANING = "no_meaning"
    """A call or an event of the format that no event of ours says."""
    NO_RULE = "no_rule"
    """No `[[event]]` of the mapping takes it, and the mapping says to skip such records."""


@final
class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A record that was understood and passed over."""

    cause: SkipCause
    detail: str


Decoded: TypeAlias = tuple[InputEvent | Rejected, ...] | Skipped
"""Each event of a record is judged by itself: one that is refused takes no other with it."""

Decoder: TypeAlias = Callable[[Raw], Decoded]

FORMATS: Final = ("tierstream", "segment", "json", "debezium", "outbox")
"""What a topic can hold."""
MAPPED_FORMATS: Final = ("json", "debezium", "outbox", "csv")
"""What a mapping file can be written for. `csv` is a file's format, never a topic's."""
