"""Crossings of the final score on a few customers, upwards and downwards."""

import msgspec
import pytest

from schemas.clock import MS_PER_DAY
from streams.models import crossing as plain_crossing
from streams.models import mbgnbd
from streams.models.band_crossing import Crossing, crossing_lower_bound, next_crossing
from streams.models.churn_model import CDNOW_1997_MODEL, FrustrationParameters
from streams.models.scoring import ChurnInputs, Scorer, score, scorer_of
from tests.churn import ANCHOR_MS, EDGES, FULL, HORIZON_DAYS, TROUBLED, after

PLAIN = scorer_of(CDNOW_1997_MODEL, HORIZON_DAYS)
WHOLE = scorer_of(FULL, HORIZON_DAYS)
ANGRY = scorer_of(
    msgspec.structs.replace(FULL, frustration=FrustrationParameters(half_life_days=21, ticket=6.0)), HORIZON_DAYS
)


def band_of(value: float) -> int:
    """The band in which a score lies."""
    return max(index for index, edge in enumerate(EDGES) if value >= edge)


@pytest.mark.parametrize(("x", "tx", "band"), [(0, 0.0, 1), (0, 0.0, 2), (2, 11.0, 0), (7, 30.0, 1), (40, 50.0, 0)])
def test_the_built_in_model_crosses_where_it_always_did(x: int, tx: float, band: int) -> None:
    """To the millisecond what `crossing.score_crossing` says, from wherever it is asked."""
    inputs = ChurnInputs(x, tx, ANCHOR_MS)
    expected = plain_crossing.score_crossing(
        mbgnbd.CDNOW_1997, x, tx, HORIZON_DAYS / 7, EDGES[band + 1], ANCHOR_MS, ANCHOR_MS
    )
    assert expected is not None

    for at_ms in (ANCHOR_MS, expected - MS_PER_DAY, expected - 1):
        found = next_crossing(PLAIN, inputs, EDGES[: band + 2], band, at_ms, hysteresis=1.0)
        assert found == Crossing(expected, upward=True)
        bound = crossing_lower_bound(PLAIN, inputs, EDGES[: band + 2], band, at_ms, hysteresis=1.0)
        assert bound is not None
        assert at_ms <= bound <= expected


def test_a_ticket_that_fades_lets_the_risk_fall_before_silence_lifts_it() -> None:
    """Down out of the high band as the ticket fades, up again by silence: each found from the one before."""
    inputs = TROUBLED._replace(open_tickets=3.0, solved_tickets=0.0, bad_ratings=0.0, refunds=0.0, visits=0.0)
    at_ms, moves = after(6), []
    band = band_of(score(ANGRY, inputs, at_ms))
    for _ in range(6):
        found = next_crossing(ANGRY, inputs, EDGES, band, at_ms, hysteresis=0.03)
        if found is None:
            break
        _straddles(ANGRY, inputs, band, found)
        at_ms, band = found.at_ms, band + (1 if found.upward else -1)
        moves.append(found.upward)

    assert moves[0] is False
    assert True in moves
    assert band == len(EDGES) - 1


def _straddles(scorer: Scorer, inputs: ChurnInputs, band: int, found: Crossing) -> None:
    before, at = score(scorer, inputs, found.at_ms - 1), score(scorer, inputs, found.at_ms)
    if found.upward:
        assert before < EDGES[band + 1] <= at
    else:
        assert before >= EDGES[band] - 0.03 > at


def test_asking_later_moves_no_crossing() -> None:
    """On the way to it every instant gives the same one, also while the score turns."""
    inputs = TROUBLED._replace(open_tickets=3.0, visits=0.0)
    band = band_of(score(ANGRY, inputs, after(6)))
    found = next_crossing(ANGRY, inputs, EDGES, band, after(6), hysteresis=0.03)
    assert found is not None

    for share in (0.1, 0.77, 0.999_999):
        later = after(6) + int((found.at_ms - after(6)) * share)
        assert next_crossing(ANGRY, inputs, EDGES, band, later, hysteresis=0.03) == found
        bound = crossing_lower_bound(ANGRY, inputs, EDGES, band, later, hysteresis=0.03)
        assert bound is not None
        assert later <= bound <= found.at_ms


def test_who_is_outside_already_crosses_at_once() -> None:
    """Above and below."""
    value = score(WHOLE, TROUBLED, after(12))

    assert next_crossing(WHOLE, TROUBLED, (0.0, value), 0, after(12)) == Crossing(after(12), upward=True)
    assert next_crossing(WHOLE, TROUBLED, (0.0, value + 0.01), 1, after(12)) == Crossing(after(12), upward=False)
    assert crossing_lower_bound(WHOLE, TROUBLED, (0.0, value), 0, after(12)) == after(12)


def test_the_last_band_is_only_left_downwards() -> None:
    """And without trouble never."""
    calm = TROUBLED._replace(open_tickets=0.0, solved_tickets=0.0, bad_ratings=0.0, refunds=0.0)

    assert next_crossing(WHOLE, calm, EDGES, 3, after(4_000)) is None
    assert crossing_lower_bound(WHOLE, calm, EDGES, 3, after(4_000)) is None


def test_what_a_century_does_not_reach_is_never_reached() -> None:
    """A model in which customers hardly ever leave gives no instant to wait for."""
    loyal = scorer_of(msgspec.structs.replace(CDNOW_1997_MODEL, alpha=50.0, a=1e-6, b=1e6), HORIZON_DAYS)
    inputs = ChurnInputs(0, 0.0, ANCHOR_MS)

    assert next_crossing(loyal, inputs, (0.0, 0.999), 0, ANCHOR_MS) is None
    assert crossing_lower_bound(loyal, inputs, (0.0, 0.999), 0, ANCHOR_MS) is None
