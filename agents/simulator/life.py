"""The truth about one customer: when they come, buy and leave. No events yet.

MBG/NBD as it was written down: a rate from Gamma(r, alpha), a propensity to leave from Beta(a, b), a chance to leave
after every purchase, the first included. A ticket may drive away who would have stayed; with `ticket_churn` 0 the
purchases are exactly the model's, whatever else happens.
"""

from math import inf
from typing import Literal, NamedTuple, cast

from agents.simulator.habits import Habits
from agents.simulator.model import Model
from agents.simulator.tickets import Ticket, ticket_after
from agents.simulator.variates import beta, gamma, stream, wait

DAYS_PER_WEEK = 7.0

Reason = Literal["purchase", "ticket"] | None
"""What made a customer leave; None for who did not."""


class Life(NamedTuple):
    """One customer; days are since the shop's opening."""

    rate_per_week: float
    leaving: float
    """Chance to leave after a purchase."""
    mean_order: float
    """Of this customer, in the currency's units."""
    orders: tuple[float, ...]
    """When they buy; the first is when they come."""
    tickets: tuple[Ticket, ...]
    left: float
    """When they leave; infinite for whoever is there at the end."""
    left_after: Reason


def life_of(seed: int, number: int, model: Model, habits: Habits, days: float, joining_days: float) -> Life:
    """The life of a customer up to `days`; a longer simulation only goes on with it."""
    dice, help_desk = stream(seed, "life", number), stream(seed, "tickets", number)
    rate_per_week = gamma(dice, model.buying.r) / model.buying.alpha
    leaving = beta(dice, model.buying.a, model.buying.b)
    mean_order = model.spend.p * model.spend.gamma / _positive(gamma(dice, model.spend.q))
    at = joining_days * dice.random()
    orders, tickets = list[float](), list[Ticket]()
    left, left_after = inf, cast("Reason", None)
    while at < days:
        orders.append(at)
        stays = dice.random() >= leaving
        following = at + wait(dice, rate_per_week) * DAYS_PER_WEEK
        ticket = ticket_after(len(orders), at, habits, help_desk)
        driven_away = help_desk.random()
        if ticket is not None:
            tickets.append(ticket)
        if not stays:
            left, left_after = at, "purchase"
            break
        anger = 0.0 if ticket is None else habits.ticket_churn * ticket.severity / len(orders)
        if ticket is not None and driven_away < anger and ticket.over < min(following, days):
            left, left_after = ticket.over, "ticket"
            break
        at = following
    return Life(rate_per_week, leaving, mean_order, tuple(orders), tuple(tickets), left, left_after)


def order_values(life: Life, model: Model, seed: int, number: int) -> list[float]:
    """What each order is worth, in the currency's units."""
    dice = stream(seed, "spend", number)
    return [life.mean_order / model.spend.p * gamma(dice, model.spend.p) for _ in life.orders]


def _positive(x: float) -> float:
    return x if x > 0.0 else 1e-300
