"""What a fit refuses, warns of and finds in shops of which the truth is known."""

import msgspec
import pytest

from agents.errors import ConfigurationError
from agents.fit.backtest import dates_after
from agents.fit.calibrate import fit_calibration
from agents.fit.evidence_fit import fit_frustration, fit_visits
from agents.fit.fitting import STEPS, fit
from agents.fit.histories import Customer, Histories, inputs_at
from agents.fit.run import run
from schemas.clock import MS_PER_DAY
from streams.models.churn_model import CDNOW_1997_MODEL
from streams.models.scoring import score, scorer_of
from tests.fits import HORIZON_DAYS, LAST_DAY, OPTIONS, simulated

JUDGED = LAST_DAY - HORIZON_DAYS


@pytest.mark.parametrize(
    ("customers", "days", "complaint"),
    [(300, 400, "300 customers with a purchase, at least 500"), (700, 150, "150 days of history, at least 180")],
)
def test_too_little_is_refused_with_the_numbers(customers: int, days: int, complaint: str) -> None:
    """And with what to do instead."""
    shop = simulated(customers, days=days)
    shop = Histories(shop.name, shop.currency, LAST_DAY - days + 1, LAST_DAY, shop.customers)

    with pytest.raises(ConfigurationError) as refused:
        fit(shop, LAST_DAY, OPTIONS, lambda _: None)

    assert complaint in refused.value.why
    assert "cdnow-1997" in refused.value.next_step


def test_a_shop_of_one_time_buyers_is_refused() -> None:
    """There is nothing to learn a rhythm from."""
    customers = [Customer(days=[LAST_DAY - 300 + number % 200], minor=[100]) for number in range(800)]

    with pytest.raises(ConfigurationError) as refused:
        fit(Histories("once", "EUR", LAST_DAY - 300, LAST_DAY, customers), LAST_DAY, OPTIONS, lambda _: None)

    assert "0 customers who bought again, at least 100" in refused.value.why


def test_customers_who_never_leave_are_flagged() -> None:
    """Everybody buys every ten days: what dropout there is cannot be seen, and the report says so."""
    customers = [
        Customer(days=list(range(LAST_DAY - 300 + n % 10, LAST_DAY, 8 + n % 5)), minor=[100] * 60) for n in range(600)
    ]
    shop = Histories("steady", "EUR", LAST_DAY - 300, LAST_DAY, customers)

    found = fit(shop, LAST_DAY, OPTIONS, lambda _: None)

    assert not found.purchases.dropout_identified
    assert any(warning.startswith("dropout not identified") for warning in found.warnings)
    assert any(warning.startswith("Not calibrated") for warning in found.warnings)
    assert found.model.calibration is None


def test_visits_tell_who_is_still_there() -> None:
    """The simulated rates come out, 0.8 a week and 0.1 after leaving, and sharpen the score."""
    shop = simulated(3_000)
    steps: list[str] = []
    found = fit(shop, LAST_DAY - HORIZON_DAYS, OPTIONS, steps.append)
    visits = found.model.visits
    assert visits is not None
    blind = msgspec.structs.replace(found.model, visits=None, calibration=None)
    seeing = msgspec.structs.replace(found.model, calibration=None)

    assert tuple(steps) == STEPS
    assert visits.alive_per_unit == pytest.approx(0.8, rel=0.15)
    assert visits.gone_per_unit == pytest.approx(0.1, abs=0.05)
    errors = {}
    for name, model in (("blind", blind), ("seeing", seeing)):
        scorer = scorer_of(model, HORIZON_DAYS)
        errors[name] = sum(
            (score(scorer, inputs_at(each, JUDGED, model), JUDGED * MS_PER_DAY) - (not each.buys_within(JUDGED, 90)))
            ** 2
            for each in shop.until(JUDGED)
        )
    assert errors["seeing"] < 0.9 * errors["blind"]


def test_tickets_that_drive_customers_away_are_found() -> None:
    """Customers made to leave after a ticket: its weight is well above 0; what never happened weighs nothing."""
    shop = simulated(3_000)
    for number, customer in enumerate(shop.customers):
        customer.tickets = [word for word in customer.tickets if word.day <= JUDGED]
        if customer.tickets and number % 3:
            customer.days = customer.days[: max(1, customer.purchases_until(JUDGED))]
            customer.minor = customer.minor[: len(customer.days)]
    base = msgspec.structs.replace(CDNOW_1997_MODEL, name="base", r=0.8, alpha=5.7, a=1.0, b=3.0)

    found = fit_frustration(base, HORIZON_DAYS, JUDGED, list(shop.until(JUDGED)))

    assert found is not None
    assert found.ticket > 0.3
    assert (found.solved_share, found.bad_rating, found.refund) == (0.0, 0.0, 0.0)


def test_without_visits_or_troubles_nothing_is_claimed() -> None:
    """Too few to tell: the layer stays out."""
    shop = simulated(300)
    for customer in shop.customers:
        customer.visits, customer.tickets = [], []

    assert fit_visits(CDNOW_1997_MODEL, HORIZON_DAYS, JUDGED, shop.customers) is None
    assert fit_frustration(CDNOW_1997_MODEL, HORIZON_DAYS, JUDGED, shop.customers) is None


def test_no_outcome_can_turn_a_sign() -> None:
    """Where the silent buy and the recent do not, silence gets 0 and never a negative weight."""
    day = LAST_DAY - HORIZON_DAYS
    customers = [
        Customer(days=[day - silence, *([day + 5] if silence > 100 else [])], minor=[1_000, 1_000])
        for silence in range(200)
        for _ in range(5)
    ]

    found = fit_calibration(CDNOW_1997_MODEL, HORIZON_DAYS, [day], customers)

    assert (found.risk, found.silence, found.tenure) == (0.0, 0.0, 0.0)


def test_a_fit_of_everything_is_judged_by_a_second_one() -> None:
    """A model that has seen all days cannot be judged on them."""
    result = run(simulated(2_000, days=700), None, OPTIONS, lambda *_: None)

    assert result.fitted.until == LAST_DAY
    assert "by a second model fitted to the days up to then" in result.judged
    assert {outcome.day for outcome in result.outcomes} == {LAST_DAY - 180, LAST_DAY - 90}
    for outcome in result.outcomes:
        if outcome.group == "all":
            assert outcome.model.auc > outcome.hiatus_auc


@pytest.mark.parametrize(
    ("days_after", "days"),
    [(270, (0, 90, 180)), (200, (0, 90)), (150, (0, 60)), (117, ()), (90, ()), (0, ())],
)
def test_the_days_of_judging_lie_apart(days_after: int, days: tuple[int, ...]) -> None:
    """At least two, four weeks apart or more, each with a whole horizon after it."""
    shop = Histories("shop", "EUR", 0, 1_000 + days_after, [])

    assert dates_after(shop, 1_000, 90) == [1_000 + day for day in days]


def test_a_day_outside_the_data_is_refused() -> None:
    """With the days that there are."""
    with pytest.raises(ConfigurationError, match="not among the days") as refused:
        run(simulated(600), LAST_DAY + 1, OPTIONS, lambda *_: None)

    assert "there are purchases from" in refused.value.why
