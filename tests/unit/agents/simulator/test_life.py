"""Lives agree with the closed forms of the model that the product itself judges customers by.

Every bound is a number of standard errors, computed beside it; SIGMAS of them are passed by chance once in 16,000.
"""

from math import exp, lgamma, sqrt
from statistics import fmean, stdev

import pytest

from agents.simulator.habits import Habits
from agents.simulator.life import DAYS_PER_WEEK, Life, life_of, order_values
from agents.simulator.model import Model
from streams.models.mbgnbd import CDNOW_1997, p_alive, p_purchase_within

SIGMAS = 4.0
CUSTOMERS = 40_000
"""So many that a tenth of the rate, and a twentieth of the chance to leave, are told."""
DAYS, JOINING_DAYS, SPLIT = 540.0, 84.0, 360.0
CALM = Habits(ticket_churn=0.0)


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    """Customers whom no ticket drives away."""
    return [life_of(1997, number, Model(), CALM, DAYS, JOINING_DAYS) for number in range(1, CUSTOMERS + 1)]


def counters(life: Life, until: float) -> tuple[int, float, float]:
    """X, tx and t in weeks, as the product counts them."""
    orders = [at for at in life.orders if at < until]
    return len(orders) - 1, (orders[-1] - orders[0]) / DAYS_PER_WEEK, (until - orders[0]) / DAYS_PER_WEEK


def z_of(outcomes: list[bool], chances: list[float]) -> float:
    """Standard errors between how often something came true and how often it was expected to."""
    return (sum(outcomes) - sum(chances)) / sqrt(sum(p * (1.0 - p) for p in chances))


@pytest.mark.parametrize("repeat_buyers", [False, True])
def test_as_many_are_alive_as_the_model_says(lives: list[Life], *, repeat_buyers: bool) -> None:
    """P(alive) given what was seen, summed over one-time and over repeat buyers, against the truth."""
    chosen = [life for life in lives if (counters(life, SPLIT)[0] > 0) == repeat_buyers]
    alive = [life.left >= SPLIT for life in chosen]
    assert len(chosen) > 4_000
    assert abs(z_of(alive, [p_alive(CDNOW_1997, *counters(life, SPLIT)) for life in chosen])) < SIGMAS


@pytest.mark.parametrize("repeat_buyers", [False, True])
def test_as_many_buy_again_as_the_model_says(lives: list[Life], *, repeat_buyers: bool) -> None:
    """P(at least one order within 180 days) given the past, against the future."""
    chosen = [life for life in lives if (counters(life, SPLIT)[0] > 0) == repeat_buyers]
    buys = [any(at >= SPLIT for at in life.orders) for life in chosen]
    weeks = (DAYS - SPLIT) / DAYS_PER_WEEK
    chances = [p_purchase_within(CDNOW_1997, *counters(life, SPLIT), weeks) for life in chosen]
    assert abs(z_of(buys, chances)) < SIGMAS


def test_the_share_of_repeat_buyers_is_that_of_the_model(lives: list[Life]) -> None:
    """P(a second order within t) = b / (a + b) * (1 - (alpha / (alpha + t))^r)."""
    model, weeks = CDNOW_1997, 52.0
    chance = model.b / (model.a + model.b) * (1.0 - (model.alpha / (model.alpha + weeks)) ** model.r)
    again = [len(life.orders) > 1 and life.orders[1] - life.orders[0] <= weeks * DAYS_PER_WEEK for life in lives]
    assert abs(z_of(again, [chance] * len(again))) < SIGMAS


def test_the_mean_number_of_repeats_is_that_of_the_model(lives: list[Life]) -> None:
    """E[(1 - p) / p * (1 - (alpha / (alpha + p t))^r)] over p ~ Beta(a, b), by the midpoint rule in u = p^a."""
    r, alpha, a, b = CDNOW_1997.r, CDNOW_1997.alpha, CDNOW_1997.a, CDNOW_1997.b
    weeks, steps = 52.0, 20_000
    total = 0.0
    for step in range(steps):
        p = ((step + 0.5) / steps) ** (1.0 / a)
        total += (1.0 - p) ** b / p * (1.0 - (alpha / (alpha + p * weeks)) ** r)
    expected = total / steps / a / exp(lgamma(a) + lgamma(b) - lgamma(a + b))
    repeats = [sum(at - life.orders[0] <= weeks * DAYS_PER_WEEK for at in life.orders) - 1 for life in lives]
    assert abs(fmean(repeats) - expected) < SIGMAS * stdev(repeats) / sqrt(len(repeats))


def test_orders_are_worth_what_gamma_gamma_says(lives: list[Life]) -> None:
    """The mean over all first orders is p gamma / (q - 1)."""
    model = Model()
    first = [order_values(life, model, 1997, number)[0] for number, life in enumerate(lives, 1)]
    assert abs(fmean(first) - model.spend.mean) < SIGMAS * stdev(first) / sqrt(len(first))


def test_nobody_buys_after_leaving(lives: list[Life]) -> None:
    """And whoever is there at the end never left."""
    assert all(life.orders[-1] <= life.left for life in lives)
    assert all((life.left_after is None) == (life.left > DAYS) for life in lives)


def test_tickets_drive_customers_away() -> None:
    """Whoever leaves after a ticket would have stayed; an unsolved one costs more than a solved one."""
    angry = Habits(tickets=1.0, ticket_churn=1.0)
    calm = Habits(tickets=1.0, ticket_churn=0.0)
    left = {True: [0, 0], False: [0, 0]}
    for number in range(1, 3_001):
        with_anger = life_of(3, number, Model(), angry, DAYS, JOINING_DAYS)
        without = life_of(3, number, Model(), calm, DAYS, JOINING_DAYS)
        assert with_anger.orders == without.orders[: len(with_anger.orders)]
        assert without.left_after != "ticket"
        ticket = with_anger.tickets[0]
        if len(without.orders) > 1 or without.left_after is None:  # stays after the first order
            counts = left[ticket.solved < DAYS]
            counts[0] += 1
            counts[1] += with_anger.left_after == "ticket" and len(with_anger.orders) == 1
    solved, unsolved = (left[key][1] / left[key][0] for key in (True, False))
    assert 0.2 < solved < unsolved < 1.0


def test_a_longer_simulation_only_goes_on() -> None:
    """The first year of three is the year that was simulated alone."""
    for number in range(1, 300):
        short = life_of(5, number, Model(), Habits(), 365.0, JOINING_DAYS)
        long = life_of(5, number, Model(), Habits(), 1095.0, JOINING_DAYS)
        assert short.orders == tuple(at for at in long.orders if at < 365.0)
        assert long.left == short.left or long.left >= 365.0
