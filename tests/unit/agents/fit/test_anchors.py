"""Fits of CDNOW against the published parameters, points and holdout figures."""

import numpy as np
import pytest

from agents.fit.backtest import backtest
from agents.fit.datasets import CDNOW_CALIBRATION_END
from agents.fit.fitting import Fitted, fit
from agents.fit.histories import Histories, inputs_at
from agents.fit.likelihood import counters, spends
from agents.fit.maximum import fit_purchases, fit_spend
from schemas.clock import MS_PER_DAY
from streams.models.churn_model import ChurnModel
from streams.models.lifetime_value import expected_purchases
from streams.models.scoring import scorer_of
from streams.models.spend import expected_spend
from tests.fits import HORIZON_DAYS, OPTIONS, sample, whole

UNTIL = CDNOW_CALIBRATION_END
DECEMBER, MARCH = UNTIL + 92, UNTIL + 182


def fitted_to(histories: Histories) -> Fitted:
    """The default fit to the published window."""
    return fit(histories, UNTIL, OPTIONS, lambda _: None)


@pytest.fixture(scope="module")
def model() -> Fitted:
    """Fitted to the sample."""
    return fitted_to(sample())


@pytest.mark.parametrize(
    ("family", "expected", "log_likelihood"),
    [
        ("bg-nbd", (0.2425945, 4.4136019, 0.7929199, 2.4258881), -9582.429),
        ("mbg-nbd", (0.524843, 6.183085, 0.891359, 1.614002), -9582.1357),
    ],
)
def test_purchase_parameters_are_the_published_ones(
    family: str, expected: tuple[float, ...], log_likelihood: float
) -> None:
    """On the 1/10 sample to 1997-09-30: a thousandth of each parameter, a hundredth of the log-likelihood."""
    data = counters(sample().customers, UNTIL, "weeks")
    found = fit_purchases(family, data, "weeks")  # type: ignore[arg-type]  # one of the two

    assert (data.customers, data.repeaters) == (2_357, 946)
    assert found[:4] == pytest.approx(expected, rel=1e-3)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=0.01)
    assert found.dropout_identified


def test_the_unit_of_time_changes_the_scale_alone() -> None:
    """In days alpha is seven times as large; the rest stays."""
    weeks = fit_purchases("mbg-nbd", counters(sample().customers, UNTIL, "weeks"), "weeks")
    days = fit_purchases("mbg-nbd", counters(sample().customers, UNTIL, "days"), "days")

    assert (days.r, days.alpha / 7, days.a, days.b) == pytest.approx(weeks[:4], rel=1e-3)


def test_spend_parameters_and_customers_are_the_published_ones() -> None:
    """Gamma-Gamma on 946 repeat buyers, and the first ten customers of Hardie's note 025."""
    found = fit_spend(spends(sample().customers, UNTIL, 100))
    assert found is not None
    p, q, gamma = found.parameters.p, found.parameters.q, found.parameters.gamma

    assert found.customers == 946
    assert (p, q, gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert found.log_likelihood == pytest.approx(-4055.918, abs=0.01)
    assert p * gamma / (q - 1) == pytest.approx(35.17, abs=0.02)
    first_ten = []
    for customer in sample().customers[:10]:
        bought = customer.purchases_until(UNTIL)
        mean = sum(customer.minor[1:bought]) / max(1, bought - 1) / 100
        first_ten.append(expected_spend(found.parameters, bought - 1, mean))
    assert first_ten == pytest.approx([24.66, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17], abs=0.01)


def test_individual_forecasts_correlate_as_published() -> None:
    """BG/NBD, 39 weeks ahead: 0.6256 between predicted and actual repeat purchases."""
    bg = fit_purchases("bg-nbd", counters(sample().customers, UNTIL, "weeks"), "weeks")
    model = ChurnModel(name="bg", family="bg-nbd", r=bg.r, alpha=bg.alpha, a=bg.a, b=bg.b)
    scorer = scorer_of(model, HORIZON_DAYS)
    predicted = [
        expected_purchases(scorer, inputs_at(each, UNTIL, model), UNTIL * MS_PER_DAY, 39 * 7)
        for each in sample().customers
    ]
    actual = [len(each.days) - each.purchases_until(UNTIL) for each in sample().customers]

    assert sum(actual) == 1_882
    assert np.corrcoef(predicted, actual)[0, 1] == pytest.approx(0.6256, abs=0.0005)


def test_the_sample_is_predicted_well(model: Fitted) -> None:
    """The model alone ranks like the literature's; with the calibration it ranks better. Both beat silence alone."""
    judged = {
        outcome.day: outcome
        for outcome in backtest(sample(), model.model, HORIZON_DAYS, [DECEMBER, MARCH])
        if outcome.group == "all"
    }

    for day, alone, calibrated in ((DECEMBER, 0.795, 0.810), (MARCH, 0.832, 0.833)):
        outcome = judged[day]
        assert outcome.uncalibrated is not None
        assert outcome.uncalibrated.auc >= alone
        assert outcome.model.auc >= calibrated
        assert outcome.model.auc > outcome.hiatus_auc
        assert outcome.model.brier <= 0.107
        assert outcome.model.ece <= 0.045  # of 2,357 customers: a tenth has 236


def test_the_whole_cohort_is_predicted_well() -> None:
    """23,570 customers, fitted once to 1997-09-30, judged three and six months later."""
    found = fitted_to(whole())
    assert (found.purchases.r, found.purchases.alpha, found.purchases.a, found.purchases.b) == pytest.approx(
        (0.63714, 7.31029, 0.80747, 1.22839), rel=1e-3
    )
    assert found.purchases.log_likelihood == pytest.approx(-95336.96, abs=0.01)
    judged = {
        outcome.day: outcome
        for outcome in backtest(whole(), found.model, HORIZON_DAYS, [DECEMBER, MARCH])
        if outcome.group == "all"
    }

    for day, alone, calibrated, brier in ((DECEMBER, 0.79, 0.805, 0.107), (MARCH, 0.825, 0.838, 0.091)):
        outcome = judged[day]
        assert outcome.uncalibrated is not None
        assert outcome.uncalibrated.auc >= alone
        assert outcome.uncalibrated.brier <= brier
        assert outcome.uncalibrated.ece <= 0.03
        assert outcome.model.auc >= calibrated
        assert outcome.model.brier <= brier
        assert outcome.model.ece <= 0.03
        assert outcome.model.auc > outcome.hiatus_auc
