"""A simulated shop with a year of customers, made once for all tests that look at it."""

from collections.abc import Iterable
from math import sqrt

from agents.simulator.habits import Habits
from agents.simulator.shop import Made, Options
from schemas.events import InputEvent, OrderCompleted

CUSTOMERS = 1_500
SIGMAS = 4.5
ZONE = "America/New_York"
OPTIONS = Options(customers=CUSTOMERS, days=400, seed=11, time_zone=ZONE, habits=Habits(ticket_churn=0.0))


def events_of(made: Iterable[Made]) -> list[InputEvent]:
    """Everything that they send, customer by customer."""
    return [happening.event for customer in made for happening in customer.happenings]


def orders_of(customer: Made) -> list[OrderCompleted]:
    """In order of time."""
    orders = [happening.event for happening in customer.happenings if isinstance(happening.event, OrderCompleted)]
    return sorted(orders, key=lambda order: order.time)


def near(count: int, of: int, share: float) -> bool:
    """Whether a count is within SIGMAS standard errors of its share."""
    return abs(count - of * share) < SIGMAS * sqrt(of * share * (1.0 - share))
