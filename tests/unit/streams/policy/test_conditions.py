"""Which requirement includes which, on cases that can be judged by eye."""

from typing import Literal

import pytest

from streams.policy.logic import implies
from streams.policy.model import Comparison, Requirement
from tests.requirements import all_of, any_of, at_least

ORDERS_3 = at_least("orders", 365, 3)
ORDERS_5 = at_least("orders", 365, 5)
ORDERS_5_MONTH = at_least("orders", 30, 5)
ORDERS_5_EVER = at_least("orders", None, 5)
SPEND = at_least("spend", 365, 10_000)
Mode = Literal["any", "all"]


def require(mode: Mode, *conditions: Comparison) -> Requirement:
    """Write a requirement short."""
    return all_of(*conditions) if mode == "all" else any_of(*conditions)


@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        (require("any", ORDERS_5), require("any", ORDERS_3)),
        (require("any", ORDERS_5_MONTH), require("all", ORDERS_3)),
        (require("any", ORDERS_5), require("any", ORDERS_5_EVER)),
        (require("all", ORDERS_5, SPEND), require("any", ORDERS_3)),
        (require("all", ORDERS_5, SPEND), require("all", SPEND, ORDERS_3)),
        (require("any", ORDERS_5, SPEND), require("any", SPEND, ORDERS_3)),
        (require("any", ORDERS_5, ORDERS_5_MONTH), require("all", ORDERS_3, ORDERS_5_EVER)),
    ],
)
def test_more_of_the_same_includes_less(strong: Requirement, weak: Requirement) -> None:
    """A higher threshold, a shorter window, one condition more under `all`, one fewer under `any`."""
    assert implies(strong, weak)
    assert not implies(weak, strong)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (require("any", ORDERS_5), require("any", SPEND)),
        (require("any", ORDERS_5, SPEND), require("any", ORDERS_5_MONTH)),
        (require("any", ORDERS_5_EVER), require("any", ORDERS_3)),
        (require("all", ORDERS_3, SPEND), require("all", ORDERS_5)),
    ],
)
def test_different_things_do_not_include_each_other(one: Requirement, other: Requirement) -> None:
    """Another metric, one way out under `any`, a longer window, a threshold that is not reached."""
    assert not implies(one, other)
