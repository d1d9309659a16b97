"""Laws of the final score, over wide ranges of models and customers: what time alone can do to it."""

from math import isfinite

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY
from streams.models.band_crossing import crossing_lower_bound, next_crossing
from streams.models.churn_model import Calibration, ChurnModel, FrustrationParameters, VisitParameters
from streams.models.drivers import drivers, logit_of_score
from streams.models.scoring import ChurnInputs, Scorer, p_alive, score, scorer_of
from tests.churn import ANCHOR_MS, EDGES, HORIZON_DAYS

HYSTERESIS = 0.03
positive = st.floats(0.05, 20.0)
weights = st.floats(0.0, 5.0)
calibrations = st.builds(
    Calibration,
    horizon_days=st.just(HORIZON_DAYS),
    intercept=st.floats(-3.0, 3.0),
    risk=st.floats(0.05, 2.0),
    silence=st.floats(0.0, 2.0),
    repeats=st.floats(-1.0, 1.0),
    tenure=st.floats(0.0, 1.0),
    mean_order=st.floats(-0.5, 0.5),
    visits=st.floats(-1.0, 0.0),
    frustration=st.floats(0.0, 1.0),
)
models = st.builds(
    ChurnModel,
    name=st.just("any"),
    family=st.sampled_from(("mbg-nbd", "bg-nbd")),
    time_unit=st.sampled_from(("days", "weeks")),
    r=positive,
    alpha=positive,
    a=positive,
    b=positive,
    currency=st.just("USD"),
    visits=st.none()
    | st.builds(
        VisitParameters,
        alive_per_unit=st.floats(0.5, 3.0),
        gone_per_unit=st.floats(0.01, 0.4),
        half_life_days=st.none() | st.floats(2.0, 60.0),
    ),
    frustration=st.none()
    | st.builds(
        FrustrationParameters,
        half_life_days=st.floats(1.0, 60.0),
        ticket=weights,
        solved_share=st.floats(0.0, 1.0),
        bad_rating=weights,
        refund=weights,
    ),
    calibration=st.none() | calibrations,
)
scorers = models.map(lambda model: scorer_of(model, HORIZON_DAYS))
near_ms = st.integers(-40 * MS_PER_DAY, 40 * MS_PER_DAY).map(lambda offset: ANCHOR_MS + offset)
customers = st.builds(
    ChurnInputs,
    repeats=st.integers(0, 30) | st.integers(0, 100_000),
    recency=st.floats(0.0, 300.0),
    anchor_ms=st.just(ANCHOR_MS),
    first_order_minor=st.integers(0, 10**9),
    mean_order_minor=st.integers(0, 10**9),
    visits=st.floats(0.0, 30.0),
    visits_at_ms=near_ms,
    watched_from_ms=st.none() | near_ms,
    open_tickets=st.just(0.0) | st.floats(0.0, 8.0),
    solved_tickets=st.just(0.0) | st.floats(0.0, 8.0),
    bad_ratings=st.just(0.0) | st.floats(0.0, 8.0),
    refunds=st.just(0.0) | st.floats(0.0, 8.0),
    frustration_at_ms=near_ms,
)
instants = st.integers(0, 3_000 * MS_PER_DAY).map(lambda offset: ANCHOR_MS + offset)


def calm(inputs: ChurnInputs) -> ChurnInputs:
    """The customer without any trouble."""
    return inputs._replace(open_tickets=0.0, solved_tickets=0.0, bad_ratings=0.0, refunds=0.0)


@given(scorers, customers, instants, instants)
def test_without_an_event_only_fading_trouble_lowers_the_risk(
    scorer: Scorer, inputs: ChurnInputs, one: int, other: int
) -> None:
    """Between two instants an untroubled customer's score never falls; trouble never makes it smaller."""
    earlier, later = sorted((one, other))

    assert score(scorer, calm(inputs), later) >= score(scorer, calm(inputs), earlier) - 1e-12
    assert score(scorer, inputs, later) >= score(scorer, calm(inputs), later) - 1e-12
    if score(scorer, inputs, later) < score(scorer, inputs, earlier) - 1e-9:
        assert inputs != calm(inputs)


@given(scorers, customers, instants)
def test_it_is_always_a_probability_and_the_sum_of_its_parts(scorer: Scorer, inputs: ChurnInputs, at_ms: int) -> None:
    """No NaN, and contributions that explain the score wholly."""
    logit = logit_of_score(scorer, inputs, at_ms)
    total = sum(driver.contribution for driver in drivers(scorer, inputs, at_ms))

    assert 0.0 <= score(scorer, inputs, at_ms) <= 1.0
    assert 0.0 <= p_alive(scorer, inputs, at_ms) <= 1.0
    assert isfinite(logit)
    assert abs(total - logit) <= 1e-9 * max(1.0, abs(logit), inputs.repeats)


@settings(max_examples=300, deadline=None)
@given(scorers, customers, instants, st.integers(0, 3))
def test_the_score_leaves_its_band_at_the_crossing_and_not_before(
    scorer: Scorer, inputs: ChurnInputs, at_ms: int, band: int
) -> None:
    """Just before it is inside, at it outside; nothing on a grid of the way there is outside; the bound is earlier."""
    above = EDGES[band + 1] if band < 3 else 2.0
    below = EDGES[band] - HYSTERESIS if band else -1.0
    found = next_crossing(scorer, inputs, EDGES, band, at_ms, HYSTERESIS)
    bound = crossing_lower_bound(scorer, inputs, EDGES, band, at_ms, HYSTERESIS)
    end_ms = found.at_ms - 1 if found else at_ms + 3_000 * MS_PER_DAY
    if found is None:
        assert band == 3 or bound is None or bound >= at_ms
    else:
        assert bound is not None
        assert at_ms <= bound <= found.at_ms
        value = score(scorer, inputs, found.at_ms)
        assert value >= above if found.upward else value < below
    if end_ms >= at_ms:
        for step in range(101):
            assert below <= score(scorer, inputs, at_ms + (end_ms - at_ms) * step // 100) < above


@given(models, customers, instants)
def test_the_unit_of_time_changes_nothing(model: ChurnModel, inputs: ChurnInputs, at_ms: int) -> None:
    """Days or weeks, with the parameters that have a unit converted: the same uncalibrated score."""
    plain = msgspec.structs.replace(model, calibration=None, visits=None, time_unit="weeks")
    in_days = msgspec.structs.replace(plain, time_unit="days", alpha=plain.alpha * 7)
    there = inputs._replace(recency=inputs.recency * 7)

    assert (
        abs(
            score(scorer_of(plain, HORIZON_DAYS), inputs, at_ms) - score(scorer_of(in_days, HORIZON_DAYS), there, at_ms)
        )
        < 1e-9
    )
