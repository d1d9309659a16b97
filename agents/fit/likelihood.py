"""How likely a model makes what customers did. Natural logarithms; equal histories are counted once, with their number.

MBG/NBD and BG/NBD after Fader, Hardie and Lee, and Batislam et al.; both terms are summed in log space, so that many
purchases or a long time lose nothing. Gamma-Gamma after Fader and Hardie, over customers with a repeat purchase.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

from agents.fit.histories import Customer
from streams.models.churn_model import DAYS_OF_UNIT, Family, TimeUnit

Floats = NDArray[np.float64]
Parameters = Sequence[float] | Floats


class Counters(NamedTuple):
    """Repeat purchase days, time from the first to the last, time from the first to the end."""

    x: Floats
    tx: Floats
    t: Floats
    weight: Floats
    """How many customers have these counters."""

    @property
    def customers(self) -> int:
        """How many customers these are."""
        return int(self.weight.sum())

    @property
    def repeaters(self) -> int:
        """How many of them bought again."""
        return int(self.weight[self.x > 0].sum())


class Spends(NamedTuple):
    """Repeat purchase days and their mean spend, in major units; only customers with both above 0."""

    x: Floats
    mean: Floats


def counters(customers: list[Customer], day: int, unit: TimeUnit) -> Counters:
    """What the purchase models need to know of customers who had bought by a day."""
    rows = np.array([_row(customer, day) for customer in customers], dtype=np.int64).reshape(-1, 3)
    unique, count = np.unique(rows, axis=0, return_counts=True)
    days = float(DAYS_OF_UNIT[unit])
    return Counters(unique[:, 0].astype(float), unique[:, 1] / days, unique[:, 2] / days, count.astype(float))


def spends(customers: list[Customer], day: int, minor_per_major: int) -> Spends:
    """Spend on repeat purchase days up to a day."""
    rows = []
    for customer in customers:
        bought = customer.purchases_until(day)
        total = sum(customer.minor[1:bought])
        if bought > 1 and total > 0:
            rows.append((bought - 1, total / (bought - 1) / minor_per_major))
    table = np.array(rows, dtype=float).reshape(-1, 2)
    return Spends(table[:, 0], table[:, 1])


def purchases_log_likelihood(family: Family, parameters: Parameters, data: Counters) -> float:
    """Of r, alpha, a, b."""
    r, alpha, a, b = parameters
    x, tx, t, weight = data
    first = 0 if family == "bg-nbd" else 1
    alive = betaln(a, b + x + first) - (r + x) * np.log(alpha + t)
    with np.errstate(invalid="ignore"):
        gone = betaln(a + 1, b + x + first - 1) - (r + x) * np.log(alpha + tx)
    if family == "bg-nbd":
        gone = np.where(x > 0, gone, -np.inf)
    both = np.logaddexp(alive, gone) - betaln(a, b)
    return float(np.sum(weight * (gammaln(r + x) - gammaln(r) + r * np.log(alpha) + both)))


def spend_log_likelihood(parameters: Parameters, data: Spends) -> float:
    """Of p, q, gamma."""
    p, q, gamma = parameters
    x, mean = data
    px = p * x
    each = gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(gamma)
    each += (px - 1) * np.log(mean) + px * np.log(x) - (px + q) * np.log(gamma + x * mean)
    return float(np.sum(each))


def _row(customer: Customer, day: int) -> tuple[int, int, int]:
    bought = customer.purchases_until(day)
    first = customer.days[0]
    return bought - 1, customer.days[bought - 1] - first, day - first
