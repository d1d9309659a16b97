"""Who a customer is and which ids are theirs. The only events that may carry personal traits."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.fields import CustomerId, Id, Instant, Word
from schemas.inputs.base import Event


class Traits(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What is known of a person, coarse on purpose: no name, no address, no full birth date."""

    birth_month: Annotated[int, Meta(ge=1, le=12)] | None = None
    birth_day: Annotated[int, Meta(ge=1, le=31)] | None = None
    age_band: Word = ""
    gender: Word = ""
    locale: Word = ""
    """BCP 47, for example `zh-CN`."""
    country: Word = ""
    """ISO 3166-1 alpha-2."""
    city: Word = ""
    industry: Word = ""
    size: Word = ""
    signup_time: Instant | None = None


class Identified(Event, kw_only=True, tag="identity.identified"):
    """A customer became known, or more became known of them."""

    traits: Traits | None = None


class Linked(Event, kw_only=True, tag="identity.linked"):
    """A device turned out to be this customer's."""

    customer_id: CustomerId
    anonymous_id: Id


class Unlinked(Event, kw_only=True, tag="identity.unlinked"):
    """A device is no longer this customer's."""

    customer_id: CustomerId
    anonymous_id: Id


class Merged(Event, kw_only=True, tag="identity.merged"):
    """Two customers turned out to be one: `customer_id` stays, `previous_customer_id` ends."""

    customer_id: CustomerId
    previous_customer_id: CustomerId
