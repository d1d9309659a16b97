"""Laws of the MBG/NBD model and of the crossings of its score, over wide ranges of models and customers."""

from decimal import Decimal, localcontext

from hypothesis import assume, given
from hypothesis import strategies as st

from streams.models.crossing import (
    MS_PER_WEEK,
    REACH_MS,
    score_at,
    score_crossing,
    score_crossing_lower_bound,
)
from streams.models.mbgnbd import CDNOW_1997, Parameters, p_alive, p_alive_crossing, p_purchase_within

ANCHOR_MS = 867_715_200_000

positive = st.floats(0.01, 100.0)
models = st.one_of(
    st.just(CDNOW_1997),
    st.builds(Parameters, name=st.just("any"), r=positive, alpha=positive, a=positive, b=positive),
)
repeats = st.one_of(st.integers(0, 30), st.integers(0, 100_000))
weeks = st.one_of(st.floats(0.0, 300.0), st.floats(0.0, 1e9))
horizons = st.floats(1 / 7, 60.0)
thresholds = st.floats(0.01, 0.999)
elapsed_ms = st.integers(0, REACH_MS)


@given(models, repeats, weeks, weeks, weeks, horizons)
def test_silence_only_lowers_the_probabilities(
    model: Parameters, x: int, tx: float, silence: float, more: float, h: float
) -> None:
    """P(alive) and P(purchase) fall with time, and buying is never likelier than being alive."""
    t = tx + silence
    assert p_alive(model, x, tx, t + more) <= p_alive(model, x, tx, t)
    assert p_purchase_within(model, x, tx, t + more, h) <= p_purchase_within(model, x, tx, t, h)
    assert p_purchase_within(model, x, tx, t, h) <= p_alive(model, x, tx, t)


@given(st.integers(0, 200), st.floats(0.0, 200.0), st.floats(0.0, 500.0), horizons)
def test_the_formula_agrees_with_fifty_digits(x: int, tx: float, silence: float, h: float) -> None:
    """The log-space evaluation loses no more than the last digits of a double."""
    m = CDNOW_1997
    with localcontext() as context:
        context.prec = 50
        r, alpha, a, b = (Decimal(value) for value in (m.r, m.alpha, m.a, m.b))
        u, c = alpha + Decimal(tx) + Decimal(silence), r + x
        alive = 1 / (1 + a / (b + x) * (u / (alpha + Decimal(tx))) ** c)
        buys = 1 - (u / (u + Decimal(h))) ** c
        expected = float(alive * buys)
    at_ms = ANCHOR_MS + round(silence * MS_PER_WEEK)
    assert abs(p_purchase_within(m, x, tx, tx + silence, h) - expected) < 1e-11
    assert abs(1 - score_at(m, x, tx, h, ANCHOR_MS, at_ms) - expected) < 1e-8


@given(models, st.integers(0, 1_000), st.floats(0.0, 1_000.0), st.floats(0.01, 0.99))
def test_alive_crosses_where_the_closed_form_says(model: Parameters, x: int, tx: float, p: float) -> None:
    """Right before the crossing P(alive) is above the level, right after it below."""
    t = p_alive_crossing(model, x, tx, p)
    assume(tx < t < 1e15)
    assert p_alive(model, x, tx, tx + (t - tx) * (1 - 1e-6)) >= p - 1e-9
    assert p_alive(model, x, tx, tx + (t - tx) * (1 + 1e-6)) <= p + 1e-9


@given(models, repeats, weeks, horizons, thresholds)
def test_the_crossing_is_the_first_millisecond(
    model: Parameters, x: int, tx: float, h: float, threshold: float
) -> None:
    """The score is below the threshold right up to the crossing; None means below it for a century."""
    at_ms = score_crossing(model, x, tx, h, threshold, ANCHOR_MS, ANCHOR_MS)
    if at_ms is None:
        assert score_at(model, x, tx, h, ANCHOR_MS, ANCHOR_MS + REACH_MS - MS_PER_WEEK) < threshold
        return
    assert ANCHOR_MS <= at_ms <= ANCHOR_MS + REACH_MS
    assert score_at(model, x, tx, h, ANCHOR_MS, at_ms) >= threshold
    if at_ms > ANCHOR_MS:
        assert score_at(model, x, tx, h, ANCHOR_MS, at_ms - 1) < threshold


@given(models, repeats, weeks, horizons, thresholds, elapsed_ms)
def test_the_bound_is_never_late(
    model: Parameters, x: int, tx: float, h: float, threshold: float, asked_after_ms: int
) -> None:
    """From any instant of asking, the bound lies between that instant and the crossing."""
    from_ms = ANCHOR_MS + asked_after_ms
    at_ms = score_crossing(model, x, tx, h, threshold, ANCHOR_MS, from_ms)
    bound_ms = score_crossing_lower_bound(model, x, tx, h, threshold, ANCHOR_MS, from_ms)
    if at_ms is not None:
        assert bound_ms is not None
        assert from_ms <= bound_ms <= at_ms


@given(models, repeats, weeks, horizons, thresholds, elapsed_ms)
def test_asking_again_at_the_bound_comes_no_closer_than_the_crossing(
    model: Parameters, x: int, tx: float, h: float, threshold: float, asked_after_ms: int
) -> None:
    """Whoever follows bound after bound, or asks at any time on the way, finds the same crossing."""
    at_ms = score_crossing(model, x, tx, h, threshold, ANCHOR_MS, ANCHOR_MS)
    assume(at_ms is not None)
    assert at_ms is not None
    from_ms = min(ANCHOR_MS + asked_after_ms, at_ms)
    assert score_crossing(model, x, tx, h, threshold, ANCHOR_MS, from_ms) == at_ms
