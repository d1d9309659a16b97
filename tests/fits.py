"""Shops for the tests of fitting: CDNOW from its package, and simulated ones of which the truth is known."""

import random
from functools import cache

from agents.fit.datasets import cdnow, cdnow_sample
from agents.fit.fitting import Options
from agents.fit.histories import Customer, Histories, TicketWord

LAST_DAY = 10_400
HORIZON_DAYS = 90
OPTIONS = Options("test", "mbg-nbd", "weeks", HORIZON_DAYS, calibrated=True)

sample = cache(cdnow_sample)
whole = cache(cdnow)


def simulated(customers: int, *, days: int = 400, seed: int = 1) -> Histories:
    """A shop that lives by MBG/NBD, with visits and tickets.

    A week brings 0.8 visits to the living and 0.1 to those who have left. Half of the customers write one ticket, and
    an open one doubles the chance to leave at the next purchase.
    """
    dice = random.Random(seed)
    made = []
    for _ in range(customers):
        born = dice.randrange(days // 2)
        rate, leaves = dice.gammavariate(0.8, 1 / 40), dice.betavariate(1.0, 3.0)
        bought, t, alive_until = [born], float(born), float(days)
        complains = born + dice.randrange(60) if dice.random() < 0.5 else None
        while True:
            angry = complains is not None and complains <= t < complains + 60
            if dice.random() < min(1.0, leaves * (4 if angry else 1)):
                alive_until = t
                break
            t += dice.expovariate(rate)
            if t >= days:
                break
            bought.append(int(t))
        visits = [day for day in range(born, days) if dice.random() < (0.8 if day < alive_until else 0.1) / 7]
        kept = sorted(set(bought))
        first = LAST_DAY - days
        made.append(
            Customer(
                days=[first + day for day in kept],
                minor=[dice.randrange(500, 9_000) for _ in kept],
                visits=[first + day for day in visits],
                tickets=[] if complains is None else [TicketWord(first + complains, 7, solved=False)],
            )
        )
    return Histories("simulated", "EUR", LAST_DAY - days, LAST_DAY, made)
