"""Amounts per currency: whole units become minor ones, derived ones are round and say so."""

import pytest

from agents.starter.amounts import PER_USD, amounts_in
from agents.starter.kinds import KINDS
from schemas.money import EXPONENTS

SHOP = KINDS["shop"].amounts


@pytest.mark.parametrize(
    ("currency", "minor", "said"),
    [
        ("CNY", (50_000, 200_000, 500_000), "chosen for CNY"),
        ("JPY", (15_000, 40_000, 90_000), "chosen for JPY"),
        ("KRW", (140_000, 350_000, 840_000), "derived from those for US dollars, at about 1400 KRW"),
        ("AED", (37_000, 92_000, 220_000), "derived from those for US dollars, at about 3.7 AED"),
        ("KWD", (30_000, 75_000, 180_000), "derived from those for US dollars, at about 0.3 KWD"),
        ("XAF", (100, 250, 600), "NOT converted"),
    ],
)
def test_amounts(currency: str, minor: tuple[int, ...], said: str) -> None:
    """By the currency's own number of decimals; two digits where they are derived."""
    amounts = amounts_in(currency, SHOP)

    assert amounts.minor == minor
    assert said in amounts.note


def test_every_known_magnitude_is_of_a_currency_and_of_none_that_is_chosen() -> None:
    assert PER_USD.keys() <= EXPONENTS.keys()
    assert not PER_USD.keys() & SHOP.keys()
    assert all(kind.amounts.keys() == SHOP.keys() for kind in KINDS.values())
