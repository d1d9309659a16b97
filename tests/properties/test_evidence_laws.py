"""Laws of what is kept of visits and troubles."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.models.evidence import (
    TICKETS_MAX,
    Evidence,
    add_bad_rating,
    add_refund,
    add_ticket_word,
    add_visit,
    ticket_weights,
    visits_after,
)

Word = tuple[str, int, int, bool]
days = st.integers(9_000, 9_200)
words = st.lists(
    st.tuples(
        st.sampled_from(("visit", "rating", "refund", "ticket")), days, st.integers(0, TICKETS_MAX - 1), st.booleans()
    ),
    max_size=60,
)


def told(history: list[Word]) -> Evidence:
    """Fold a history."""
    evidence = Evidence()
    for kind, day, ticket, solved in history:
        if kind == "visit":
            add_visit(evidence, day)
        elif kind == "rating":
            add_bad_rating(evidence, day)
        elif kind == "refund":
            add_refund(evidence, day)
        else:
            add_ticket_word(evidence, ticket, day * 86_400_000, solved=solved)
    return evidence


@given(words, st.builds(random.Random, st.integers(0, 2**32 - 1)))
def test_order_and_repeats_change_no_byte(history: list[Word], dice: random.Random) -> None:
    """Any order of arrival, anything twice: the same record."""
    again = [*history, *history[:10]]
    dice.shuffle(again)

    assert msgspec.msgpack.encode(told(again)) == msgspec.msgpack.encode(told(history))


@given(words, days, st.floats(0.5, 60.0))
def test_weights_are_those_of_brute_force(history: list[Word], purchase: int, half_life: float) -> None:
    """Visit days after the purchase among the last 64, and each ticket by its own age."""
    evidence = told(history)
    visited = {day for kind, day, _, _ in history if kind == "visit"}
    newest = max(visited, default=0)
    counted = [day for day in visited if day > purchase and newest - day < 64]
    tickets = {ticket for kind, _, ticket, _ in history if kind == "ticket"}
    opened = [min(day for kind, day, t, _ in history if kind == "ticket" and t == ticket) for ticket in tickets]
    weights = ticket_weights(evidence, half_life * 86_400_000, 9_300 * 86_400_000)

    assert (
        abs(visits_after(evidence, purchase, half_life) - sum(0.5 ** ((newest - d) / half_life) for d in counted))
        < 1e-9
    )
    assert abs(weights.open + weights.solved - sum(0.5 ** ((9_300 - day) / half_life) for day in opened)) < 1e-9
