"""Requirements in one form: what is only written differently becomes equal, what decides differently does not."""

import pytest

from streams.policy.model import Comparison, NotMet, OrderFilter, Requirement
from streams.policy.normal import normal
from streams.policy.windows import rolling
from tests.requirements import all_of, any_of, at_least

MANY, FEW, SPEND = at_least("orders", 30, 5), at_least("orders", 30, 3), at_least("spend", 30, 100)
RECENT = Comparison("recency", "<=", 30)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (any_of(MANY, SPEND), any_of(SPEND, MANY)),
        (any_of(MANY, any_of(SPEND, FEW)), any_of(FEW, MANY, SPEND)),
        (all_of(MANY, MANY), MANY),
        (any_of(all_of(any_of(MANY))), MANY),
        (NotMet(NotMet(RECENT)), RECENT),
        (NotMet(any_of(RECENT, MANY)), all_of(NotMet(RECENT), NotMet(MANY))),
        (NotMet(MANY), Comparison("orders", "<", 5, rolling(30))),
        (NotMet(MANY), Comparison("orders", "<=", 4, rolling(30))),
        (Comparison("orders", ">", 4, rolling(30)), MANY),
        (RECENT, Comparison("recency", "<", 31)),
        (NotMet(Comparison("tickets_open", ">", 0)), Comparison("tickets_open", "<=", 0)),
        (
            NotMet(Comparison("membership", "==", threshold=True, name="plus")),
            Comparison("membership", "==", threshold=False, name="plus"),
        ),
        (Comparison("top_category", "in", ("a", "b")), Comparison("top_category", "in", ("b", "a"))),
        (Comparison("top_category", "in", ("a",)), Comparison("top_category", "==", "a")),
        (
            at_least("orders", 30, 5),
            Comparison("orders", ">=", 5, rolling(30), OrderFilter()),
        ),
        (
            Comparison("orders", ">=", 5, rolling(30), OrderFilter(channel=("a", "b"))),
            Comparison("orders", ">=", 5, rolling(30), OrderFilter(channel=("b", "a"))),
        ),
    ],
)
def test_the_same_in_other_words_is_equal(one: Requirement, other: Requirement) -> None:
    """Order, nesting, negation, limits of whole numbers, order of values."""
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (any_of(MANY, SPEND), all_of(MANY, SPEND)),
        (NotMet(RECENT), Comparison("recency", ">", 30)),
        (NotMet(Comparison("top_category", "==", "a")), Comparison("top_category", "==", "b")),
        (Comparison("satisfaction", ">", 80.0, rolling(30)), Comparison("satisfaction", ">=", 80.0, rolling(30))),
        (MANY, FEW),
        (MANY, at_least("orders", 90, 5)),
    ],
)
def test_what_decides_differently_stays_different(one: Requirement, other: Requirement) -> None:
    """Also where only somebody of whom nothing is known is judged differently."""
    assert normal(one) != normal(other)
