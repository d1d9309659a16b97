"""Lambert's W in log space, and the closed-form crossing that it gives."""

from math import e, exp, log, log1p

import pytest

from streams.models.lambert import duration_until, lambert_w_of_exp


@pytest.mark.parametrize(("y", "w"), [(0.0, 0.5671432904097838), (1.0, 1.0), (1 + e, e), (-50.0, exp(-50.0))])
def test_known_values(y: float, w: float) -> None:
    """W(1) is the omega constant, W(e) is 1."""
    assert lambert_w_of_exp(y) == pytest.approx(w, rel=1e-14)


@pytest.mark.parametrize("y", [-1e6, -699.0, -1.0, 0.999, 1.001, 5.0, 700.0, 1e6, 1e300])
def test_it_solves_its_equation(y: float) -> None:
    """W + ln w = y, also where e^y overflows or underflows."""
    w = lambert_w_of_exp(y)

    assert w >= 0.0
    if w > 0.0:
        assert w + log(w) == pytest.approx(y, rel=1e-13, abs=1e-12)


@pytest.mark.parametrize("slope", [0.0, 1e-9, 0.55, 40.0])
@pytest.mark.parametrize("level", [-1.0, 0.0, 1e-6, 3.0, 90.0])
def test_the_duration_reaches_the_level(slope: float, level: float) -> None:
    """C ln(1 + s/u) + slope s is the level at s, and before it is asked for at 0."""
    c, u = 3.5, 26.0
    s = duration_until(level, c, u, slope)

    assert s >= 0.0
    assert c * log1p(s / u) + slope * s == pytest.approx(max(level, 0.0), rel=1e-9, abs=1e-9)


def test_without_forgetting_visits_cross_where_the_closed_form_says() -> None:
    """P(alive) with visits falls to a half exactly where Lambert's W puts it."""
    import msgspec

    from streams.models.churn_model import VisitParameters
    from streams.models.scoring import ln_odds_of_death, scorer_of
    from tests.churn import ANCHOR_MS, FULL, TROUBLED

    model = msgspec.structs.replace(FULL, visits=VisitParameters(alive_per_unit=0.6, gone_per_unit=0.05))
    scorer = scorer_of(model, 90)
    inputs = TROUBLED._replace(open_tickets=0.0, solved_tickets=0.0, bad_ratings=0.0, refunds=0.0, visits=2.0)
    level = 2.0 * log(0.6 / 0.05) - log(0.9 / 4.6)
    weeks = duration_until(level, 0.52 + 3, 6.2 + 20.0, 0.55)

    assert ln_odds_of_death(scorer, inputs, ANCHOR_MS + round(weeks * scorer.ms_per_unit)) == pytest.approx(0, abs=1e-8)
