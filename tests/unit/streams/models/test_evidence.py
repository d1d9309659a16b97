"""Visits and troubles as the state keeps them."""

import msgspec
import pytest

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
    troubled_last,
    visits_after,
)

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
    """As of any later day."""
    evidence = Evidence()
    add_bad_rating(evidence, DAY)
    add_bad_rating(evidence, DAY + 14)
    add_refund(evidence, DAY)

    assert bad_ratings(evidence, 14, DAY + 28) == pytest.approx(0.5 + 0.25)
    assert refunds(evidence, 14, DAY + 28) == pytest.approx(0.25)
    assert refunds(Evidence(), 14, DAY) == 0


def test_a_ticket_is_opened_by_its_first_word_and_solved_by_its_last() -> None:
    """In whatever order they arrive; a ticket that was opened again is open."""
    evidence = Evidence()
    add_ticket_word(evidence, 7, 2 * DAY_MS, solved=True)
    add_ticket_word(evidence, 7, DAY_MS, solved=False)
    weights = ticket_weights(evidence, DAY_MS, 3 * DAY_MS)
    assert (weights.open, weights.solved) == (0.0, 0.25)

    add_ticket_word(evidence, 7, 3 * DAY_MS, solved=False)
    weights = ticket_weights(evidence, DAY_MS, 3 * DAY_MS)
    assert (weights.open, weights.solved) == (0.25, 0.0)
    assert troubled_last(evidence, DAY_MS) == DAY_MS


def test_only_the_tickets_heard_of_last_are_kept() -> None:
    """However many there are, the state stays small."""
    evidence = Evidence()
    for number in range(TICKETS_MAX + 5):
        add_ticket_word(evidence, number, number * DAY_MS, solved=False)

    assert [ticket.hash for ticket in tickets_of(evidence)] == list(range(5, TICKETS_MAX + 5))
    assert len(msgspec.msgpack.encode(evidence)) < 300


def test_nobody_troubled_has_no_instant_of_trouble() -> None:
    """And an empty record is small."""
    assert troubled_last(Evidence(), DAY_MS) is None
    assert len(msgspec.msgpack.encode(Evidence())) < 40
