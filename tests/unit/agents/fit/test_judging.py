"""Figures of merit on predictions that can be judged by hand."""

from math import log

import numpy as np
import pytest

from agents.fit.judging import auc, judge


def test_a_small_case_by_hand() -> None:
    """Ten customers, a tenth each: every figure follows from its definition."""
    predicted = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    happened = [True, False, True, False, False, False, False, False, False, False]
    found = judge(predicted, happened)
    assert found is not None

    assert found.rate == 0.2
    assert found.auc == 15 / 16
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.36 + 0.25 + 0.16 + 0.09 + 0.04 + 0.01) / 10)
    assert found.ece == pytest.approx((0.1 + 0.8 + 0.3 + 0.6 + 0.5 + 0.4 + 0.3 + 0.2 + 0.1) / 10)
    assert found.captured == 0.5
    assert [decile.lift for decile in found.deciles[:3]] == pytest.approx([5, 0, 5])


def test_log_loss_is_that_of_its_definition() -> None:
    """And certainty that fails costs much, not infinitely much."""
    found = judge([0.25, 0.5], [False, True])
    assert found is not None
    assert found.log_loss == pytest.approx(-(log(0.75) + log(0.5)) / 2)
    certain = judge([1.0, 0.5], [False, True])
    assert certain is not None
    assert 10 < certain.log_loss < 20


def test_ties_count_half() -> None:
    """Equal predictions rank nobody, and their order in the list is no matter."""
    assert auc(np.array([1.0, 1.0]), np.array([1.0, 0.0])) == 0.5
    for happened in ([True, False, False, True], [False, True, True, False]):
        found = judge([0.3] * 4, happened)
        assert found is not None
        assert found.average_precision == 0.5


@pytest.mark.parametrize("happened", [[], [True, True], [False, False]])
def test_where_all_are_alike_nothing_is_judged(happened: list[bool]) -> None:
    """Nobody to tell from anybody."""
    assert judge([0.5] * len(happened), happened) is None
