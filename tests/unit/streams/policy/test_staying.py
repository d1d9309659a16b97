"""What keeps a tier, on cases that can be judged by eye."""

import pytest

from streams.policy.model import AllOf, AnyOf, NotMet, Requirement, Tier
from streams.policy.staying import only_entering, stays_with
from tests.requirements import all_of, any_of, at_least

ORDERS_5, ORDERS_3 = (at_least("orders", 365, count) for count in (5, 3))
SPEND, LESS_SPEND = (at_least("spend", 365, amount) for amount in (10_000, 5_000))
VISITS = at_least("visits", 30, 2)


def tier(enter: Requirement, keep: Requirement) -> Tier:
    """A tier with such rules."""
    return Tier("gold", 1, {"en": "Gold"}, enter, keep)


@pytest.mark.parametrize(
    ("enter", "keep"),
    [
        (any_of(ORDERS_5), all_of(ORDERS_3)),
        (any_of(ORDERS_5, SPEND), any_of(ORDERS_3, LESS_SPEND)),
        (all_of(ORDERS_5, VISITS), any_of(ORDERS_3)),
        (NotMet(NotMet(ORDERS_5)), ORDERS_3),
    ],
)
def test_what_follows_from_enter_keeps_alone(enter: Requirement, keep: Requirement) -> None:
    """As it is written: there is nothing else to judge."""
    assert stays_with(tier(enter, keep)) is keep
    assert only_entering(tier(enter, keep)) == ()


@pytest.mark.parametrize(
    ("enter", "keep", "staying"),
    [
        (any_of(ORDERS_5, SPEND), all_of(ORDERS_3), any_of(ORDERS_3, SPEND)),
        (any_of(SPEND), any_of(VISITS), any_of(VISITS, SPEND)),
        (any_of(ORDERS_5, any_of(SPEND)), any_of(ORDERS_5, VISITS), any_of(ORDERS_5, VISITS, SPEND)),
        (all_of(ORDERS_5, SPEND), all_of(ORDERS_3, VISITS), any_of(all_of(ORDERS_3, VISITS), all_of(ORDERS_5, SPEND))),
        (any_of(ORDERS_3), any_of(ORDERS_5), any_of(ORDERS_3)),
        (any_of(ORDERS_3, SPEND), any_of(ORDERS_5, VISITS), any_of(VISITS, ORDERS_3, SPEND)),
    ],
)
def test_what_enter_adds_keeps_as_well(enter: Requirement, keep: Requirement, staying: Requirement) -> None:
    """What one of them makes superfluous is left out, from either."""
    found = stays_with(tier(enter, keep))
    assert isinstance(found, AnyOf | AllOf)
    assert isinstance(staying, AnyOf)
    assert found == staying


def test_only_what_keep_leaves_out_enters_alone() -> None:
    """Where `keep` asks for more of the same, it is the way in that lasts."""
    assert only_entering(tier(any_of(ORDERS_5, SPEND), ORDERS_3)) == (SPEND,)
    assert only_entering(tier(ORDERS_3, ORDERS_5)) == (ORDERS_3,)
