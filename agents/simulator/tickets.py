"""The help desk: tickets that follow orders, how they end, how customers rate that, and how angry they leave them."""

from collections.abc import Iterator
from math import inf
from random import Random
from typing import NamedTuple

from agents.simulator.habits import Habits
from agents.simulator.happenings import Happening, Person
from agents.simulator.shop_time import ONLINE, ShopTime
from agents.simulator.variates import exponential
from schemas.clock import format_instant
from schemas.events import FirstResponse, SatisfactionRated, TicketCreated, TicketSolved

CATEGORIES = ("delivery", "quality", "delivery", "payment", "return", "account")
PRIORITIES = ("normal", "normal", "low", "high", "normal", "urgent")
OPENED_AFTER_DAYS = 0.5
"""At least: nobody complains before the parcel is on its way."""
SPREAD_DAYS = 4.0
RESPONSE_HOURS, SOLUTION_HOURS, RATING_HOURS = 5.0, 30.0, 10.0
"""Means."""
SLOW_HOURS = 72.0
"""A solution as late as this leaves as little goodwill as it can."""
PROMISED_HOURS = 24.0
"""First answer within: else the service level is breached."""
GIVES_UP_DAYS = 4.0
"""When whoever got no solution stops to wait."""
RATING_MAX = 5


class Ticket(NamedTuple):
    """The course of one; days since the shop's opening, infinite for what never comes."""

    number: int
    opened: float
    answered: float
    solved: float
    rated: float
    rating: int
    kind: int

    @property
    def severity(self) -> float:
        """What remains of the anger, 0.15 for a quick solution to 1 for none."""
        if self.solved == inf:
            return 1.0
        return 0.15 + 0.55 * min(1.0, (self.solved - self.opened) * 24.0 / SLOW_HOURS)

    @property
    def over(self) -> float:
        """When the customer draws a conclusion from it."""
        return self.opened + GIVES_UP_DAYS if self.solved == inf else self.solved


def ticket_after(number: int, at: float, habits: Habits, dice: Random) -> Ticket | None:
    """The ticket that follows an order, if one does."""
    if dice.random() >= habits.tickets:
        return None
    opened = at + OPENED_AFTER_DAYS + SPREAD_DAYS * exponential(dice)
    answered = opened + RESPONSE_HOURS / 24.0 * exponential(dice)
    solved = answered + SOLUTION_HOURS / 24.0 * exponential(dice) if dice.random() < habits.solved else inf
    rated = solved + RATING_HOURS / 24.0 * exponential(dice) if dice.random() < habits.rated else inf
    ticket = Ticket(number, opened, answered, solved, rated, 0, int(dice.random() * len(CATEGORIES)))
    mood = 1.15 - ticket.severity + 0.3 * (dice.random() - 0.5)
    return ticket._replace(rating=max(1, min(RATING_MAX, 1 + int(mood * RATING_MAX))))


def ticket_happenings(ticket: Ticket, order_id: str, who: Person, time: ShopTime) -> Iterator[Happening]:
    """What the help desk sends of a ticket before the simulation's end."""
    stem = f"{who.stem}t{ticket.number}"
    late = (ticket.answered - ticket.opened) * 24.0 > PROMISED_HOURS
    steps = (
        (ticket.opened, TicketCreated, "c", "new", ""),
        (ticket.answered, FirstResponse, "f", "open", "new"),
        (ticket.solved, TicketSolved, "s", "solved", "open"),
    )
    for at, step, mark, status, previous in steps:
        if at >= time.days:
            return
        instant = time.instant(at, ONLINE)
        event = step(
            id=stem + mark,
            source=who.source,
            time=format_instant(instant),
            customer_id=who.customer_id,
            channel="email",
            channel_type="online",
            test=who.test,
            ticket_id=stem,
            status=status,
            previous_status=previous,
            priority=PRIORITIES[ticket.kind],
            category=CATEGORIES[ticket.kind],
            via_channel="email",
            sla_breached=late and step is not TicketCreated,
        )
        yield Happening(instant, instant, event)
    if ticket.rated < time.days:
        yield _rating(ticket, stem, order_id, who, time)


def _rating(ticket: Ticket, stem: str, order_id: str, who: Person, time: ShopTime) -> Happening:
    instant = time.instant(ticket.rated, ONLINE)
    event = SatisfactionRated(
        id=stem + "r",
        source=who.source,
        time=format_instant(instant),
        customer_id=who.customer_id,
        channel="email",
        channel_type="online",
        test=who.test,
        rating=ticket.rating,
        scale_max=RATING_MAX,
        ticket_id=stem,
        order_id=order_id,
    )
    return Happening(instant, instant, event)
