"""Tickets of the help desk, without what was written in them."""

from typing import Annotated

from msgspec import Meta

from schemas.fields import Id, OptionalId, Text, Word, word_meta
from schemas.inputs.base import Event
from schemas.vocabulary import TICKET_PRIORITIES, TICKET_STATUSES

Rating = Annotated[float, Meta(ge=0, le=1000)]
ScaleMax = Annotated[float, Meta(ge=1, le=1000)]
Sentiment = Annotated[float, Meta(ge=-1, le=1)]


class Ticket(Event, kw_only=True):
    """A ticket after a step in its life."""

    ticket_id: Id
    status: Annotated[str, word_meta(TICKET_STATUSES, least=1)]
    priority: Annotated[str, word_meta(TICKET_PRIORITIES)] = ""
    category: Text = ""
    previous_status: Annotated[str, word_meta(TICKET_STATUSES)] = ""
    via_channel: Word = ""
    sla_breached: bool = False
    refund_requested: bool = False
    sentiment: Sentiment | None = None
    """-1 angry to 1 happy, as the sender's own analysis found."""


class TicketCreated(Ticket, kw_only=True, tag="support.ticket_created"):
    """A customer asked for help."""


class TicketUpdated(Ticket, kw_only=True, tag="support.ticket_updated"):
    """A ticket changed."""


class TicketSolved(Ticket, kw_only=True, tag="support.ticket_solved"):
    """A ticket was solved."""


class FirstResponse(Ticket, kw_only=True, tag="support.first_response"):
    """A ticket got its first answer by a person."""


class SatisfactionRated(Event, kw_only=True, tag="support.satisfaction_rated"):
    """A customer rated the support they got."""

    rating: Rating
    scale_max: ScaleMax
    """The best rating that the scale has, for example 5."""
    ticket_id: OptionalId = ""
    order_id: OptionalId = ""
