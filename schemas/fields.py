"""The kinds of field that events and decisions are made of, each with the limits that decoding enforces.

Limits live in the types, so that the typed decode is the validation and the published JSON Schemas say the same.
"""

from collections.abc import Set as AbstractSet
from typing import Annotated, Final

from msgspec import Meta

from schemas.clock import RFC_3339
from schemas.money import EXPONENTS

AMOUNT_MINOR_MAX: Final = 10**12
TEXT_LENGTH_MAX: Final = 1024
ID_LENGTH_MAX: Final = 128
LIST_LENGTH_MAX: Final = 256
WORD_LENGTH_MAX: Final = 64
COUNT_MAX: Final = 2**53 - 1  # the largest integer that every JSON reader keeps exact

ANONYMOUS_PREFIX: Final = "anonymous:"
"""Stands in front of an anonymous id where a customer id is expected, so no customer id may begin with it."""

UNPRINTABLE: Final = (
    r"\u0000-\u001F\u007F-\u00A0\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202F\u205F-\u206F\uFEFF\uFFF0-\uFFFF"
)
"""Characters that no id may hold, as the inside of a regular expression's class: control characters, blanks that look
like another blank or like nothing, and marks that turn the writing direction. Fixed here and not taken from a Unicode
table, so that every validator and every Python version draws the same line."""

_NOT_ANONYMOUS: Final = f"(?!{ANONYMOUS_PREFIX})"


def _id(*, least: int, but: str = "") -> Meta:
    """The limits of an id of at least so many characters; `but` is a look-ahead for what it must not begin with."""
    pattern = f"^{but}[^{UNPRINTABLE}]{'+' if least else '*'}$"
    return Meta(min_length=least or None, max_length=ID_LENGTH_MAX, extra_json_schema={"pattern": pattern})


Id = Annotated[str, _id(least=1)]
"""1 to 128 printable characters; stored in Unicode's composed form (NFC)."""

OptionalId = Annotated[str, _id(least=0)]
"""As `Id`, or empty for unknown."""

CustomerId = Annotated[str, _id(least=1, but=_NOT_ANONYMOUS)]
OptionalCustomerId = Annotated[str, _id(least=0, but=_NOT_ANONYMOUS)]

CustomerKey = Annotated[str, Meta(min_length=1, max_length=len(ANONYMOUS_PREFIX) + ID_LENGTH_MAX)]
"""A customer id, or `anonymous:<id>` while nobody knows who it is."""

Text = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
RequiredText = Annotated[str, Meta(min_length=1, max_length=TEXT_LENGTH_MAX)]

Word = Annotated[str, Meta(max_length=WORD_LENGTH_MAX)]
"""A lower-case word of an open vocabulary (`schemas.vocabulary`): readers take an unknown one as `other`."""


def word_meta(vocabulary: AbstractSet[str], *, least: int = 0) -> Meta:
    """The limits of a word, with the known ones as examples."""
    return Meta(min_length=least or None, max_length=WORD_LENGTH_MAX, examples=sorted(vocabulary))


Instant = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=WORD_LENGTH_MAX,
        extra_json_schema={"format": "date-time", "pattern": f"^{RFC_3339}$", "examples": ["2026-11-22T10:00:00.000Z"]},
    ),
]
"""RFC 3339 with `Z` or an offset; `schemas.clock.parse_instant` is the judge."""

Currency = Annotated[str, Meta(min_length=3, max_length=3, extra_json_schema={"enum": sorted(EXPONENTS)})]
"""ISO 4217 code in capitals; `schemas.money.EXPONENTS` is the list."""

AmountMinor = Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX, description="Whole minor units of the currency.")]
SignedMinor = Annotated[
    int, Meta(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX, description="Whole minor units of the currency.")
]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
DurationMs = Annotated[int, Meta(ge=0, le=COUNT_MAX, description="Milliseconds.")]
