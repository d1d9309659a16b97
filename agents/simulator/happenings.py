"""What happened, before it is put on paper: an event and when it reaches us."""

from typing import NamedTuple

from schemas.events import InputEvent


class Happening(NamedTuple):
    """An event of one customer."""

    arrived_at: int
    """When it reaches us, epoch milliseconds: its own time, or that of the batch that it comes in."""
    occurred_at: int
    event: InputEvent


class Person(NamedTuple):
    """Who an event is about, and how their events are named."""

    source: str
    stem: str
    """What the ids of their events begin with."""
    customer_id: str
    channel: str = "web"
    """Where they are when they are online: `web` or `app`."""
    anonymous_id: str = ""
    """The device on which they were before they were known; empty for those who were always known."""
    known_from: int = 0
    """Epoch milliseconds: before it, a device acts and no customer."""
    test: bool = False
