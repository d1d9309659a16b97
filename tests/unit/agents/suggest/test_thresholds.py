"""Thresholds are quantiles, ties stay together, and CDNOW gives the amounts of the preset."""

import random
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from agents.fit.datasets import cdnow
from agents.fit.histories import Histories
from agents.suggest.policy_text import Source, policy_text
from agents.suggest.thresholds import figures_of, histogram, human, quantile, share_reaching, suggest
from streams.policy.model import Policy, comparisons
from streams.policy.parse import parse
from tests.journal import default_policy

END_OF_1997 = 10_226
"""1997-12-31, as of which the preset states its shares."""


@cache
def history() -> Histories:
    """The whole cohort."""
    return cdnow()


def spend_of_1997() -> list[int]:
    return figures_of(history(), "spend", 365, END_OF_1997, active=False)


@pytest.mark.parametrize("seed", range(20))
def test_thresholds_are_numpys_quantiles(seed: int) -> None:
    """Among figures that are all different, to the unit; also at the ends."""
    dice = random.Random(seed)
    figures = sorted(dice.sample(range(1, 1_000_000), dice.randint(50, 5_000)))
    shares = sorted((dice.uniform(0.001, 0.9) for _ in range(4)), reverse=True)
    for share in (*shares, 0.0, 1.0):
        assert quantile(figures, share) == np.quantile(figures, share, method="inverted_cdf")
    for share, found in zip(shares, suggest(figures, shares, None), strict=True):
        lower = int(np.quantile(figures, 1 - share, method="inverted_cdf"))
        near = {lower, figures[figures.index(lower) + 1]}
        assert found.threshold in near
        assert abs(found.share - share) <= 0.5 / len(figures) + 1e-12


def test_equal_customers_are_never_parted() -> None:
    """Of two thresholds around a tie the nearer share is taken, and told."""
    figures = sorted([1] * 70 + [2] * 20 + [3] * 9 + [9])
    [low, high] = suggest(figures, [0.28, 0.02], None)
    assert (low.threshold, low.share) == (2, 0.30)
    assert (high.threshold, high.share) == (9, 0.01)
    with pytest.raises(ValueError, match="same threshold"):
        suggest(figures, [0.28, 0.27], None)
    with pytest.raises(ValueError, match=r"60\.00% cannot be reached: 50\.00%"):
        suggest([0] * 50 + [1] * 50, [0.6], None)


def test_numbers_are_those_that_people_remember() -> None:
    assert [human(exact, 0) for exact in (7, 13, 249, 24_937, 61_126, 7_096)] == [7, 12, 250, 25_000, 60_000, 7_000]
    assert human(24_937, 25_000) > 25_000


def test_the_presets_amounts_come_out_of_cdnow() -> None:
    """7 % and 1.3 % lead to its 250 and 600 USD; its Silver, by amount or orders, is reached by 31 %."""
    [gold, platinum] = suggest(spend_of_1997(), [0.07, 0.013], human)
    ladder = default_policy().ladders[0]
    amounts = [next(comparisons(tier.enter)).threshold for tier in ladder.tiers[2:]]
    assert [gold.threshold, platinum.threshold] == amounts == [25_000, 60_000]
    assert gold.share == pytest.approx(0.07, abs=0.001)
    assert platinum.share == pytest.approx(0.013, abs=0.001)

    silver, orders = (c.threshold for c in comparisons(ladder.tiers[1].enter))
    assert isinstance(silver, int)
    assert isinstance(orders, int)
    reached = sum(
        sum(m for d, m in zip(c.days, c.minor, strict=True) if d <= END_OF_1997) >= silver
        or sum(n for d, n in zip(c.days, c.orders, strict=True) if d <= END_OF_1997) >= orders
        for c in history().customers
    )
    assert reached / len(history().customers) == pytest.approx(0.31, abs=0.01)


def test_who_is_counted() -> None:
    """Ever, or within the window; orders are counted one by one, also those of one day."""
    ever = figures_of(history(), "orders", 30, END_OF_1997, active=False)
    within = figures_of(history(), "orders", 30, END_OF_1997, active=True)
    assert len(ever) == 23_570
    assert len(within) == sum(figure > 0 for figure in ever)
    assert sum(figures_of(history(), "orders", None, 20_000, active=False)) == 69_659


def test_the_histogram_holds_everybody() -> None:
    rows = histogram(spend_of_1997())
    assert sum(count for *_, count in rows) == 23_570
    assert all(before[1] == after[0] for before, after in pairwise(rows[1:]))


@pytest.mark.parametrize(("metric", "currency"), [("spend", "USD"), ("spend", "JPY"), ("orders", "KWD")])
def test_the_policy_is_valid_and_says_what_was_found(metric: str, currency: str) -> None:
    """In currencies with none, two and three decimals."""
    found = suggest(sorted(range(2, 2_002)), [0.3, 0.07, 0.015], human)
    source = Source(metric, "365 days", currency, "UTC", "somebody", "2026-01-01")  # type: ignore[arg-type] # one of two
    policy = parse(policy_text("mine", source, found))
    assert isinstance(policy, Policy), policy
    tiers = policy.ladders[0].tiers
    assert [tier.name for tier in tiers][1:] == [
        {"en": "Silver", "zh": "银卡"},
        {"en": "Gold", "zh": "金卡"},
        {"en": "Platinum", "zh": "白金"},
    ]
    assert [c.threshold for tier in tiers[1:] for c in comparisons(tier.enter)] == [each.threshold for each in found]
    assert policy.churn is not None
    assert share_reaching(sorted(range(2, 2_002)), found[0].threshold) == found[0].share
