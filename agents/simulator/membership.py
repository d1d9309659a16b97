"""How a customer becomes known: the device that turns out to be theirs, who they are, and what they consent to."""

from collections.abc import Iterator
from random import Random
from typing import TypeVar

from agents.simulator.happenings import Happening, Person
from agents.simulator.shop_time import ONLINE, ShopTime
from agents.simulator.variates import exponential
from schemas.clock import MS_PER_SECOND, format_instant
from schemas.events import ConsentUpdated, ContactChannels, Event, Identified, Linked, Purposes, Traits

SomeEvent = TypeVar("SomeEvent", bound=Event)

AGE_BANDS = ("18-24", "25-34", "25-34", "35-44", "35-44", "45-54", "55-64", "65+")
MARKETING_SHARE = 0.6
SECOND_THOUGHTS = 0.08
"""Customers who change their mind about marketing, once."""
SECOND_THOUGHTS_DAYS = 120.0
BIRTH_DAYS = 28
BEFORE_ORDER_MS = 20 * MS_PER_SECOND
"""They sign up on the way to their first order."""


def joining(who: Person, first: float, arrives_at: int, time: ShopTime, dice: Random) -> Iterator[Happening]:
    """What tells of a customer whose first order was at `first`; in a store it arrives with the order."""
    marketing = dice.random() < MARKETING_SHARE
    instant = who.known_from
    online = arrives_at <= instant + BEFORE_ORDER_MS
    arrival = instant if online else arrives_at
    if who.anonymous_id:
        linked = _signed(
            Linked(id=who.stem + "l", time="", customer_id="", anonymous_id=who.anonymous_id), who, instant
        )
        yield Happening(instant, instant, linked)
    traits = Traits(
        birth_month=1 + int(dice.random() * 12),
        birth_day=1 + int(dice.random() * BIRTH_DAYS),
        age_band=AGE_BANDS[int(dice.random() * len(AGE_BANDS))],
        signup_time=format_instant(instant),
    )
    yield Happening(arrival, instant, _signed(Identified(id=who.stem + "i", time="", traits=traits), who, instant))
    yield Happening(arrival, instant, _consent(who, 1, instant, marketing=marketing, first=True))
    changes, later = dice.random() < SECOND_THOUGHTS, first + 1.0 + SECOND_THOUGHTS_DAYS * exponential(dice)
    if changes and later < time.days:
        changed = time.instant(later, ONLINE)
        yield Happening(changed, changed, _consent(who, 2, changed, marketing=not marketing, first=False))


def _consent(who: Person, number: int, instant: int, *, marketing: bool, first: bool) -> ConsentUpdated:
    purposes = Purposes(marketing=marketing)
    if first:
        purposes.tiering = purposes.churn = True
    channels = ContactChannels(email=marketing, push=marketing and who.channel == "app")
    return _signed(
        ConsentUpdated(id=f"{who.stem}c{number}", time="", purposes=purposes, channels=channels), who, instant
    )


def _signed(event: SomeEvent, who: Person, instant: int) -> SomeEvent:
    event.source, event.customer_id, event.time = who.source, who.customer_id, format_instant(instant)
    event.channel, event.channel_type, event.test = who.channel, "online", who.test
    return event
