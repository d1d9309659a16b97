"""The parts of a score, and the words for them."""

from typing import get_args

import pytest

from schemas.decisions import Driver
from streams.models.churn_model import CDNOW_1997_MODEL
from streams.models.drivers import drivers, logit_of_score
from streams.models.reasons import REASONS, ReasonCode, words
from streams.models.scoring import ChurnInputs, score, scorer_of
from tests.churn import ANCHOR_MS, FULL, HORIZON_DAYS, TROUBLED, after

WHOLE = scorer_of(FULL, HORIZON_DAYS)


def by_code(found: tuple[Driver, ...]) -> dict[str, Driver]:
    """Each code stands once."""
    named = {driver.code: driver for driver in found}
    assert len(named) == len(found)
    return named


def test_contributions_add_up_to_the_logit_of_the_score() -> None:
    """With everything that can contribute."""
    found = drivers(WHOLE, TROUBLED, after(40))
    from math import exp

    total = sum(driver.contribution for driver in found)
    assert total == pytest.approx(logit_of_score(WHOLE, TROUBLED, after(40)), abs=1e-12)
    assert 1 / (1 + exp(-total)) == pytest.approx(score(WHOLE, TROUBLED, after(40)), abs=1e-12)


def test_each_part_has_its_sign_and_value() -> None:
    """Silence and trouble raise, purchases and visits lower."""
    found = by_code(drivers(WHOLE, TROUBLED, after(12)))

    assert found["silence_days"].contribution > 0
    assert found["silence_days"].value == 12
    assert found["purchase_days"].contribution < 0
    assert found["purchase_days"].value == 4
    assert found["order_value"].value == 30.0
    assert found["recent_visits"].contribution < 0
    for code, value in (("unresolved_ticket", 1.2), ("past_ticket", 0.3), ("bad_rating", 0.5), ("refund", 1.0)):
        assert found[code].contribution > 0
        assert found[code].value == pytest.approx(value * 0.5 ** (7 / 21))


def test_visits_that_stopped_are_named_so() -> None:
    """The same part has another name when it raises the risk."""
    found = by_code(drivers(WHOLE, TROUBLED._replace(visits=0.0), after(40)))

    assert found["fewer_visits"].contribution > 0
    assert "recent_visits" not in found


def test_what_says_nothing_is_left_out() -> None:
    """A first-time buyer on the day of the purchase is the base rate and nothing else."""
    plain = scorer_of(CDNOW_1997_MODEL, HORIZON_DAYS)

    assert [driver.code for driver in drivers(plain, ChurnInputs(0, 0.0, ANCHOR_MS), ANCHOR_MS)] == ["base_rate"]


def test_every_code_has_words_in_both_languages() -> None:
    """And no word stands for a code that is never given."""
    assert set(REASONS) == set(get_args(ReasonCode))
    for code, reason in REASONS.items():
        assert words(code) == reason.en
        assert words(code, "zh") == reason.zh
        assert reason.en.isascii()
        assert any("一" <= sign <= "鿿" for sign in reason.zh)
    assert len({reason.zh for reason in REASONS.values()}) == len(REASONS)
