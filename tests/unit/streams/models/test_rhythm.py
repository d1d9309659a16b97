"""When the next order is to be expected."""

from math import log1p

import msgspec
import pytest

from schemas.clock import MS_PER_DAY
from streams.models.churn_model import CDNOW_1997_MODEL
from streams.models.rhythm import expected_next_order_by
from streams.models.scoring import ChurnInputs, scorer_of, silence_at
from tests.churn import ANCHOR_MS, FULL, HORIZON_DAYS, TROUBLED, after


@pytest.mark.parametrize(("repeats", "recency"), [(0, 0.0), (3, 20.0), (100_000, 1_000.0)])
def test_half_of_the_living_have_bought_by_then(repeats: int, recency: float) -> None:
    """The chance that nothing is bought until then is one half."""
    scorer, inputs = scorer_of(FULL, HORIZON_DAYS), TROUBLED._replace(repeats=repeats, recency=recency)
    at_ms = expected_next_order_by(scorer, inputs, after(12))
    assert at_ms is not None
    age = scorer.alpha + recency + silence_at(scorer, inputs, after(12))

    wait = (at_ms - after(12)) / scorer.ms_per_unit
    assert (scorer.r + repeats) * log1p(wait / age) == pytest.approx(0.693147, rel=1e-3)


def test_who_buys_often_is_expected_sooner() -> None:
    """Ten times in twenty weeks, or twice."""
    scorer = scorer_of(CDNOW_1997_MODEL, HORIZON_DAYS)
    often = expected_next_order_by(scorer, ChurnInputs(9, 20.0, ANCHOR_MS), ANCHOR_MS)
    seldom = expected_next_order_by(scorer, ChurnInputs(1, 20.0, ANCHOR_MS), ANCHOR_MS)
    assert often is not None
    assert seldom is not None

    assert often < seldom
    assert (often - ANCHOR_MS) / MS_PER_DAY == pytest.approx(7 * 26.183085 * (2 ** (1 / 9.524843) - 1), abs=1e-6)


def test_what_no_century_brings_is_not_promised() -> None:
    """A model of hardly any purchases overflows nothing."""
    idle = scorer_of(msgspec.structs.replace(CDNOW_1997_MODEL, r=0.001), HORIZON_DAYS)

    assert expected_next_order_by(idle, ChurnInputs(0, 0.0, ANCHOR_MS), ANCHOR_MS) is None
