"""From histories to a model: purchases, spend, visits, troubles and, on top, the calibration. Too little is refused."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from agents.errors import ConfigurationError
from agents.fit.calibrate import fit_calibration
from agents.fit.evidence_fit import fit_frustration, fit_visits
from agents.fit.histories import Histories
from agents.fit.likelihood import counters, spends
from agents.fit.maximum import Purchases, Spend, fit_purchases, fit_spend
from schemas.money import EXPONENTS
from streams.models.churn_model import ChurnModel, Family, TimeUnit

BUYERS_MIN, REPEATERS_MIN, SPAN_DAYS_MIN = 500, 100, 180
SPENDERS_MIN = 100
STEPS = ("purchases", "spend", "visits and troubles", "calibration")

Told = Callable[[str], None]
"""Called with each of STEPS as it begins."""


class Options(NamedTuple):
    """How a model is to be fitted."""

    name: str
    family: Family
    unit: TimeUnit
    horizon_days: int
    calibrated: bool


class Fitted(NamedTuple):
    """A model with how it came about."""

    model: ChurnModel
    purchases: Purchases
    spend: Spend | None
    first_day: int
    until: int
    """The last day that was used."""
    customers: int
    repeaters: int
    warnings: tuple[str, ...]


def fit(histories: Histories, until: int, options: Options, told: Told) -> Fitted:
    """Fit a model to what had happened by the end of a day; ConfigurationError when that is too little."""
    customers = list(histories.until(until))
    data = counters(customers, until, options.unit)
    _check_enough(histories, until, data.customers, data.repeaters, options.horizon_days)
    told(STEPS[0])
    purchases = fit_purchases(options.family, data, options.unit)
    told(STEPS[1])
    amounts = spends(customers, until, 10 ** EXPONENTS.get(histories.currency, 0))
    spend = fit_spend(amounts) if len(amounts.x) >= SPENDERS_MIN else None
    model = ChurnModel(
        name=options.name,
        family=options.family,
        time_unit=options.unit,
        r=purchases.r,
        alpha=purchases.alpha,
        a=purchases.a,
        b=purchases.b,
        currency=histories.currency,
        spend=None if spend is None else spend.parameters,
    )
    # The newest day after which a whole horizon was observed.
    judged = until - options.horizon_days
    known = [customer for customer in customers if customer.days[0] <= judged]
    told(STEPS[2])
    model = msgspec.structs.replace(model, visits=fit_visits(model, options.horizon_days, judged, known))
    model = msgspec.structs.replace(model, frustration=fit_frustration(model, options.horizon_days, judged, known))
    told(STEPS[3])
    warnings = list(_warnings(purchases, spend))
    if options.calibrated:
        outcomes = sum(customer.buys_within(judged, options.horizon_days) for customer in known)
        if min(outcomes, len(known) - outcomes) < REPEATERS_MIN:
            warnings.append(
                f"Not calibrated: {outcomes:,} of {len(known):,} customers bought again within the horizon."
            )
        else:
            calibration = fit_calibration(model, options.horizon_days, [judged], known)
            if calibration.risk + calibration.silence > 0.0:
                model = msgspec.structs.replace(model, calibration=calibration)
            else:
                warnings.append("Not calibrated: silence tells nothing about these customers.")
    return Fitted(model, purchases, spend, histories.first_day, until, data.customers, data.repeaters, tuple(warnings))


def _check_enough(histories: Histories, until: int, buyers: int, repeaters: int, horizon_days: int) -> None:
    span = until - histories.first_day + 1
    span_min = max(SPAN_DAYS_MIN, 2 * horizon_days)
    lacking = [
        f"{found:,} {what}, at least {least:,} are needed"
        for found, least, what in (
            (buyers, BUYERS_MIN, "customers with a purchase"),
            (repeaters, REPEATERS_MIN, "customers who bought again"),
            (span, span_min, "days of history"),
        )
        if found < least
    ]
    if lacking:
        raise ConfigurationError(
            "There is too little data to fit a model of one's own.",
            where=histories.name,
            why="; ".join(lacking),
            next_step='keep model = "cdnow-1997" under [churn], or load older orders: tierstream feed --backfill',
        )


def _warnings(purchases: Purchases, spend: Spend | None) -> list[str]:
    found = []
    if not purchases.dropout_identified:
        found.append(
            "dropout not identified: these customers' histories do not tell leaving from buying seldom. "
            "Scores rank by silence; do not read P(alive) as a probability. A longer history helps."
        )
    if spend is None:
        found.append("Without a value of customers: too few repeat purchases, or amounts too uneven for Gamma-Gamma.")
    return found
