"""The score of single customers whose numbers can be followed by hand."""

import timeit
import warnings
from math import exp, isfinite, log, log1p

import pytest

from schemas.clock import MS_PER_DAY
from streams.models import crossing, mbgnbd
from streams.models.churn_model import CDNOW_1997_MODEL, ChurnModel
from streams.models.drivers import logit_of_score
from streams.models.scoring import ChurnInputs, Scorer, ln_odds_of_death, p_alive, score, scorer_of, visit_evidence
from tests.churn import ANCHOR_MS, FULL, HORIZON_DAYS, TROUBLED, after

MS_PER_WEEK = 7 * MS_PER_DAY
PLAIN = scorer_of(CDNOW_1997_MODEL, HORIZON_DAYS)
WHOLE = scorer_of(FULL, HORIZON_DAYS)
BG_NBD = scorer_of(
    ChurnModel(name="bg", family="bg-nbd", r=0.242595, alpha=4.413602, a=0.792922, b=2.425906), HORIZON_DAYS
)
# x, tx, t in weeks, P(alive) in BG/NBD and MBG/NBD by the CDNOW sample's parameters.
ANCHORS = [
    (0, 0.0, 38.86, 1.0, 0.389715),
    (1, 1.71, 38.86, 0.212232, 0.170820),
    (2, 30.43, 38.86, 0.726609, 0.706126),
    (7, 29.43, 38.86, 0.641795, 0.622639),
    (26, 30.86, 31.0, 0.968919, 0.965553),
]


@pytest.mark.parametrize(("x", "tx", "t", "bg", "mbg"), ANCHORS)
def test_point_values_are_the_published_ones(x: int, tx: float, t: float, bg: float, mbg: float) -> None:
    """P(alive) of both families to 1e-6."""
    at_ms = ANCHOR_MS + round((t - tx) * MS_PER_WEEK)

    assert p_alive(BG_NBD, ChurnInputs(x, tx, ANCHOR_MS), at_ms) == pytest.approx(bg, abs=2e-6)
    assert p_alive(PLAIN, ChurnInputs(x, tx, ANCHOR_MS), at_ms) == pytest.approx(mbg, abs=1e-6)


@pytest.mark.parametrize(("x", "tx", "t", "bg", "mbg"), ANCHORS[1:])
def test_another_implementation_agrees(x: int, tx: float, t: float, bg: float, mbg: float) -> None:
    """`lifetimes`, given the same parameters, computes the same P(alive) for BG/NBD."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lifetimes = pytest.importorskip("lifetimes")
    oracle = lifetimes.BetaGeoFitter()
    oracle.params_ = {"r": BG_NBD.r, "alpha": BG_NBD.alpha, "a": BG_NBD.a, "b": BG_NBD.b}
    ours = p_alive(BG_NBD, ChurnInputs(x, tx, ANCHOR_MS), ANCHOR_MS + round((t - tx) * MS_PER_WEEK))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = oracle.conditional_probability_alive(x, tx, t).item()

    assert ours == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize(("x", "tx"), [(0, 0.0), (1, 0.5), (2, 11.0), (40, 50.0)])
@pytest.mark.parametrize("days", [-3.0, 0.0, 0.7, 10.0, 400.0])
def test_the_built_in_model_scores_as_it_always_did(x: int, tx: float, days: float) -> None:
    """Bit for bit what `crossing.score_at` says: no published score changes."""
    at_ms = after(days)
    expected = crossing.score_at(mbgnbd.CDNOW_1997, x, tx, HORIZON_DAYS / 7, ANCHOR_MS, at_ms)

    assert score(PLAIN, ChurnInputs(x, tx, ANCHOR_MS), at_ms) == expected


def test_the_layers_add_up_as_written() -> None:
    """The whole formula once more, step by step, for one customer."""
    days = 12
    silence, c, u = days / 7, 0.52 + 3, 6.2 + 20
    visits = 2.5 * 0.5 ** (3 / 14)
    watched = 14 / 7 / log(2) * (1 - 0.5 ** (days / 14))
    frustration = (1.5 * 1.2 + 1.5 * 0.3 * 0.3 + 1.0 * 0.5 + 0.5 * 1.0) / 4 * 0.5 ** (7 / 21)
    ln_odds = log(0.9 / 4.6) + c * log1p(silence / u)
    ln_odds += (0.6 - 0.05) * watched - visits * log(0.6 / 0.05) + frustration
    buys = (1 - (u + silence) ** c / (u + silence + 90 / 7) ** c) / (1 + exp(ln_odds))
    z = 0.1 + 0.8 * log((1 - buys) / buys) + 0.1 * log1p(silence) - 0.3 * log(4) + 0.05 * log1p(20 + silence)
    z += -0.1 * log(21) - 0.1 * log(31) - 0.1 * log1p(visits) + 0.1 * frustration

    assert ln_odds_of_death(WHOLE, TROUBLED, after(days)) == pytest.approx(ln_odds, rel=1e-12)
    assert score(WHOLE, TROUBLED, after(days)) == pytest.approx(1 / (1 + exp(-z)), rel=1e-12)


def test_who_was_never_seen_to_browse_is_not_blamed_for_it() -> None:
    """A shop without a site knows nothing by visits that did not come."""
    unseen = TROUBLED._replace(watched_from_ms=None, visits=0.0)

    assert visit_evidence(WHOLE, unseen, after(50)) == 0.0
    assert visit_evidence(WHOLE, TROUBLED._replace(visits=0.0), after(50)) > 0.0


def test_a_visit_lowers_the_risk_and_a_ticket_raises_it() -> None:
    """One more of each, all else as before."""
    at_ms = after(12)
    before = score(WHOLE, TROUBLED, at_ms)

    assert score(WHOLE, TROUBLED._replace(visits=3.5), at_ms) < before
    for name in ("open_tickets", "solved_tickets", "bad_ratings", "refunds"):
        assert score(WHOLE, TROUBLED._replace(**{name: getattr(TROUBLED, name) + 1}), at_ms) > before


@pytest.mark.parametrize("scorer", [PLAIN, WHOLE, BG_NBD])
@pytest.mark.parametrize("x", [0, 1, 100, 100_000])
@pytest.mark.parametrize("tx", [0.0, 1e-9, 52.0, 1e9])
@pytest.mark.parametrize("days", [0.0, 1e-6, 7.0, 36_500.0])
def test_extremes_give_probabilities(scorer: Scorer, x: int, tx: float, days: float) -> None:
    """No overflow, no NaN, whatever was bought and however long ago."""
    inputs = TROUBLED._replace(repeats=x, recency=tx, mean_order_minor=10**15, visits=60.0, open_tickets=1e6)

    assert 0.0 <= score(scorer, inputs, after(days)) <= 1.0
    assert 0.0 <= p_alive(scorer, inputs, after(days)) <= 1.0
    assert isfinite(logit_of_score(scorer, inputs, after(days)))


def test_a_calibration_holds_for_its_own_horizon_only() -> None:
    """Bands at another horizon would be judged by numbers that mean something else."""
    with pytest.raises(ValueError, match="calibrated to 90 days, not 30"):
        scorer_of(FULL, 30)


def test_a_score_is_cheap_enough_for_every_event() -> None:
    """5 us with every layer on a quiet machine; thrice that is let pass on a loaded one."""
    calls = 200
    for scorer, inputs in ((PLAIN, ChurnInputs(3, 20.0, ANCHOR_MS)), (WHOLE, TROUBLED)):
        took = min(timeit.repeat(lambda s=scorer, i=inputs: score(s, i, after(12)), number=calls, repeat=60))  # type: ignore[misc]  # mypy can't infer a lambda's defaults
        assert took / calls < 15e-6
