"""Visits and troubles as the state keeps them."""

import msgspec
import pytest

from streams.models.churn_model import CDNOW_1997_MODEL
from streams.models.evidence import (
    TICKETS_MAX,
    Evidence,
    add_bad_rating,
    add_refund,
    add_ticket_word,
    add_visit,
    bad_ratings,
    refunds,
    ticket_weights,
    tickets_of,
    visits_after,
)
from streams.models.evidence_inputs import with_evidence
from streams.models.scoring import ChurnInputs
from tests.churn import FULL

DAY = 10_000
DAY_MS = 86_400_000


def test_visits_count_from_the_day_after_the_purchase() -> None:
    """Looking around on the day of the purchase says nothing about coming back."""
    evidence = Evidence()
    for day in (DAY - 3, DAY, DAY + 1, DAY + 1, DAY + 5):
        add_visit(evidence, day)

    assert visits_after(evidence, DAY, None) == 2
    assert visits_after(evidence, DAY, 4) == pytest.approx(1 + 0.5)
    assert visits_after(evidence, DAY + 5, None) == 0
    assert visits_after(evidence, DAY - 100, None) == 4
    assert evidence.visited_first == DAY - 3


def test_a_visit_long_after_the_others_starts_anew() -> None:
    """64 days are remembered, and a late word of an older one changes only since when we watch."""
    evidence = Evidence()
    for day in (DAY, DAY + 1, DAY + 64, DAY - 500):
        add_visit(evidence, day)

    assert visits_after(evidence, DAY - 1, None) == 2
    assert evidence.visited_first == DAY - 500
    add_visit(evidence, DAY + 10_000)
    assert visits_after(evidence, DAY - 1, None) == 1


def test_ratings_and_refunds_halve_with_age() -> None:
    """As of the newest of them."""
    evidence = Evidence()
    add_bad_rating(evidence, DAY)
    add_bad_rating(evidence, DAY + 14)
    add_refund(evidence, DAY)

    assert bad_ratings(evidence, 14) == pytest.approx(1 + 0.5)
    assert refunds(evidence, 14) == 1
    assert refunds(Evidence(), 14) == 0


def test_a_ticket_is_opened_by_its_first_word_and_solved_by_its_last() -> None:
    """In whatever order they arrive; a ticket that was opened again is open."""
    evidence = Evidence()
    add_ticket_word(evidence, 7, 2 * DAY_MS, solved=True)
    add_ticket_word(evidence, 7, DAY_MS, solved=False)
    weights = ticket_weights(evidence, DAY_MS, 3 * DAY_MS)
    assert weights == pytest.approx((0.0, 0.25))

    add_ticket_word(evidence, 7, 3 * DAY_MS, solved=False)
    weights = ticket_weights(evidence, DAY_MS, 3 * DAY_MS)
    assert weights == pytest.approx((0.25, 0.0))


@pytest.mark.parametrize("solved_first", [True, False])
def test_of_two_words_of_one_instant_the_open_one_counts(*, solved_first: bool) -> None:
    """Whichever came first: better one ticket too many than one overlooked."""
    evidence = Evidence()
    add_ticket_word(evidence, 7, DAY_MS, solved=solved_first)
    add_ticket_word(evidence, 7, DAY_MS, solved=not solved_first)

    assert [ticket.solved for ticket in tickets_of(evidence)] == [False]


def test_only_the_tickets_heard_of_last_are_kept() -> None:
    """However many there are, the state stays small."""
    evidence = Evidence()
    for number in range(TICKETS_MAX + 5):
        add_ticket_word(evidence, number, number * DAY_MS, solved=False)

    assert [ticket.hash for ticket in tickets_of(evidence)] == list(range(5, TICKETS_MAX + 5))
    assert len(msgspec.msgpack.encode(evidence)) < 300


def test_an_empty_record_is_small() -> None:
    """Most customers have none of this."""
    assert len(msgspec.msgpack.encode(Evidence())) < 40


def start_of(day: int) -> int:
    """Days begin at midnight UTC."""
    return day * DAY_MS


def test_a_model_takes_from_the_evidence_what_it_knows() -> None:
    """Weights as of what happened last, in the terms of the score; a plain model takes nothing."""
    evidence = Evidence()
    add_visit(evidence, DAY - 30)
    add_visit(evidence, DAY + 7)
    add_bad_rating(evidence, DAY)
    add_refund(evidence, DAY + 21)
    add_ticket_word(evidence, 1, start_of(DAY), solved=False)
    plain = ChurnInputs(2, 10.0, start_of(DAY))

    found = with_evidence(plain, evidence, FULL, DAY, start_of)

    assert (found.visits, found.visits_at_ms, found.watched_from_ms) == (1.0, start_of(DAY + 7), start_of(DAY - 30))
    assert found.frustration_at_ms == start_of(DAY + 21)
    weights = (found.open_tickets, found.solved_tickets, found.bad_ratings, found.refunds)
    assert weights == pytest.approx((0.5, 0.0, 0.5, 1.0))
    assert with_evidence(plain, evidence, CDNOW_1997_MODEL, DAY, start_of) == plain
    assert with_evidence(plain, Evidence(), FULL, DAY, start_of) == plain
