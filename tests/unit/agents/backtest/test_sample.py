"""Samples: the same customers in every run, exactly as many as wanted, and errors that are as large as they say."""

from collections import Counter
from functools import cache

import pytest

from agents.backtest.run import Backtest
from agents.backtest.sample import ALL, Sample, drawn_by, of_number, of_share
from tests.unit.agents.backtest.shops import compared, policy_text, some_journal, some_purchases

TEXTS = policy_text("60.00", "150.00"), policy_text("75.00", "120.00")


@cache
def whole() -> Backtest:
    """Everybody."""
    return compared(some_journal(), TEXTS)


def test_a_sample_is_a_part_of_the_whole() -> None:
    """Each drawn customer's differences are those of the whole; nobody else's are there."""
    sample = of_share(0.3)
    done = compared(some_journal(), TEXTS, sample=sample)
    drawn = [d for d in whole().tally.differences if drawn_by(d.customer.encode()) < sample.limit]
    assert done.tally.differences == drawn
    assert 0.2 < done.tally.customers / whole().tally.customers < 0.4
    assert done.scale == pytest.approx(1 / 0.3)
    assert done.estimate(done.tally.ever).error > 0
    assert whole().estimate(whole().tally.ever).error == 0


def test_so_many_customers_are_drawn() -> None:
    sample = of_number(some_journal(), 100)
    done = compared(some_journal(), TEXTS, sample=sample)
    assert (done.tally.customers, sample.population) == (100, whole().tally.customers)
    assert done.scale == whole().tally.customers / 100
    assert of_number(some_journal(), 10**6).limit == ALL


def test_errors_are_as_large_as_they_say() -> None:
    """400 samples of a tenth and of a half: of the shares found, 95 % lie within two errors of the truth."""
    customers = sorted({purchase.customer_id.encode() for purchase in some_purchases(3)})
    truth = 0.2
    special = {key for number, key in enumerate(customers) if number % 5 == 0}
    lots = [{key: drawn_by(key, number.to_bytes(4, "big")) for key in customers} for number in range(400)]
    for part in (0.1, 0.5):
        within, scores = Counter[bool](), []
        limit = round(part * ALL)
        for lot in lots:
            drawn = [key for key, number in lot.items() if number < limit]
            share = sum(key in special for key in drawn) / len(drawn)
            error = Sample(limit).standard_error(share, len(drawn))
            scores.append((share - truth) / error)
            within[abs(share - truth) <= 2 * error] += 1
        assert 0.93 <= within[True] / 400 <= 0.98
        assert sum(score**2 for score in scores) / 400 == pytest.approx(1, abs=0.2)
