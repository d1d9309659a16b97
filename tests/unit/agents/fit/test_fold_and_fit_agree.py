"""What the fold publishes of a history is what a fit computes from it in one go, on every day.

The batch side reads whole histories (`agents.fit.histories`), as the fit does that the model comes from; it shares with
the fold the score, but neither state nor windows nor due instants.
"""

import msgspec
import pytest

from agents.fit.datasets import CDNOW_LAST_DAY, cdnow_sample
from agents.fit.histories import Customer, inputs_at
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderCompleted
from schemas.journal import encode_journal
from streams.effects import Effects
from streams.models.scoring import score
from streams.process import new_state, pass_time, process
from streams.regime import regime_of
from streams.standing import churn
from tests.churn import FULL
from tests.journal import default_policy

EVERY = 60
NOON_MS = MS_PER_DAY // 2
MODEL = msgspec.structs.replace(FULL, visits=None, frustration=None)
REGIME = regime_of(default_policy(), 0, 0, MODEL)
CUSTOMERS = [customer for customer in cdnow_sample().customers[::EVERY] if customer.days]


def order(number: int, day: int, minor: int) -> OrderCompleted:
    at = format_instant(day * MS_PER_DAY + NOON_MS)
    return OrderCompleted(
        id=f"e{number}",
        source="s",
        time=at,
        recordedtime=at,
        customer_id="c",
        order_id=f"o{number}",
        currency="USD",
        total_minor=minor,
    )


@pytest.mark.parametrize("customer", CUSTOMERS, ids=range(len(CUSTOMERS)))
def test_scores_and_bands_of_every_day(customer: Customer) -> None:
    risk, effects = REGIME.risk, Effects(b"c")
    assert risk is not None
    state = new_state([REGIME], customer.days[0] * MS_PER_DAY)
    bought, band, told = dict(zip(customer.days, customer.minor, strict=True)), -1, []
    for number, day in enumerate(range(customer.days[0], CDNOW_LAST_DAY + 1)):
        end_ms = (day + 1) * MS_PER_DAY - 1
        before = inputs_at(customer, day - 1, MODEL) if day > customer.days[0] else None
        if day in bought:
            if before is not None:
                band = churn.band_of(risk, score(risk.scorer, before, day * MS_PER_DAY + NOON_MS - 1), band)
            event = order(number, day, bought[day])
            process(state, event, encode_journal(event), [REGIME], effects)
            after = inputs_at(customer, day, MODEL)
            band = churn.band_of(risk, score(risk.scorer, after, day * MS_PER_DAY + NOON_MS), band)
        pass_time(state, [REGIME], end_ms, effects)
        batch = inputs_at(customer, day, MODEL)
        expected = score(risk.scorer, batch, end_ms)
        band = churn.band_of(risk, expected, band)
        held = churn.inputs_of(risk, state, REGIME.calendar)
        assert score(risk.scorer, held, end_ms) == expected
        assert state.risk.band == band, format_instant(end_ms)
        told.append(band)
    assert len(told) > 300
