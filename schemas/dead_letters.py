"""A dead letter read back: the original as it came, and what our headers say about its refusal."""

from collections.abc import Sequence
from typing import Final

import msgspec

from schemas.rejections import ATTEMPTS_HEADER, HEADER_PREFIX, REDRIVEN_FROM_HEADER

ATTEMPTS_MAX: Final = 3
"""A letter that was refused so often is parked: sending it a fourth time would hardly help."""
_REASON: Final = HEADER_PREFIX + "reason"

Header = tuple[str, bytes | None]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the topic `dead-letters`."""

    partition: int
    offset: int
    arrived_at: int
    """When the broker received the letter, epoch ms."""
    reason: str
    stage: str
    detail: str
    topic: str
    """Where the original was read, by the full name of the topic; its partition number is the letter's."""
    source_offset: int
    """-1: it waited in a customer's state and was no record any more."""
    attempts: int
    app_version: str
    redriven_from: str
    """The place of the letter that it was before; empty: it was never sent again."""
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    """The original's own."""

    @property
    def place(self) -> str:
        """How commands name it: partition and offset in the topic `dead-letters`."""
        return f"{self.partition}-{self.offset}"

    @property
    def parked(self) -> bool:
        """Whether it was refused as often as is reasonable."""
        return self.attempts >= ATTEMPTS_MAX


def letter_of(
    *,
    partition: int,
    offset: int,
    timestamp: int,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[Header],
) -> DeadLetter | None:
    """The letter in a record; None when somebody else wrote it, who did not say why."""
    said = {name: (text or b"").decode(errors="replace") for name, text in headers}
    if _REASON not in said:
        return None
    begin = next(n for n, (name, _) in enumerate(headers) if name == _REASON)
    return DeadLetter(
        partition=partition,
        offset=offset,
        arrived_at=timestamp,
        reason=said[_REASON],
        stage=said.get(HEADER_PREFIX + "stage", ""),
        detail=said.get(HEADER_PREFIX + "detail", ""),
        topic=said.get(HEADER_PREFIX + "topic", ""),
        source_offset=_number(said.get(HEADER_PREFIX + "offset"), -1),
        attempts=_number(said.get(ATTEMPTS_HEADER), 1),
        app_version=said.get(HEADER_PREFIX + "app-version", ""),
        redriven_from=said.get(REDRIVEN_FROM_HEADER, ""),
        key=key,
        value=value,
        # Our headers stand behind the original's own, from the reason on.
        headers=tuple(header for header in headers[:begin] if not header[0].startswith(HEADER_PREFIX)),
    )


def _number(text: str | None, otherwise: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise
