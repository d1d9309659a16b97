"""What every input event carries, whatever its type."""

from typing import Annotated, Final

import msgspec

from schemas.fields import Count, Id, Instant, OptionalCustomerId, OptionalId, Text, Word, word_meta
from schemas.vocabulary import CHANNEL_TYPES

STAMPED: Final = ("recordedtime", "backfill", "redriven")
"""Fields that only the journal has: the intake writes them, and producers are not told of them."""


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """Something that happened with one customer: `customer_id`, or `anonymous_id` while nobody knows who they are."""

    id: Id
    """Unique per `source`: the same pair again is the same event, counted and dropped."""
    source: Text = ""
    """Who sends it, for example `shop` or a URI."""
    time: Instant
    """When it happened."""
    recordedtime: Text = ""
    """When it reached us; stamped by the intake, whatever a producer writes here."""
    backfill: bool = False
    """Part of a history that is loaded: nobody is told before the go-live. Stamped as `recordedtime` is."""
    redriven: Count = 0
    """How often it was a dead letter and sent again. Stamped as `recordedtime` is."""
    customer_id: OptionalCustomerId = ""
    anonymous_id: OptionalId = ""
    channel: Word = ""
    """Where it happened, for example `web`, `app`, `pos`."""
    channel_type: Annotated[str, word_meta(CHANNEL_TYPES)] = ""
    store_id: OptionalId = ""
    test: bool = False
    """Marked through to every output, so that downstream can leave test customers alone."""


class Campaign(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """The marketing campaign that an order or a visit is credited to (the five UTM parameters and an id)."""

    id: OptionalId = ""
    source: Text = ""
    medium: Text = ""
    name: Text = ""
    term: Text = ""
    content: Text = ""
