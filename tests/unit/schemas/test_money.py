"""Money: decimals to whole minor units and back, by the currency's own number of decimals."""

from decimal import Decimal

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import AMOUNT_MINOR_MAX
from schemas.money import BINARY_NOISE, EXPONENTS, decimal_to_minor, minor_to_decimal, number_to_minor

SHOWN_OTHERWISE = {
    # Locale data says how many decimals are shown; coins of these are out of use, but ISO 4217 counts them.
    **dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "MRO", "RSD"), 2),
    **dict.fromkeys(("SLL", "SOS", "STD", "SYP", "YER"), 2),
    "IQD": 3,
}


def test_exponents_are_those_of_babel() -> None:
    """The table agrees with babel's digits, but where locale data leaves out decimals that ISO 4217 has."""
    fractions = get_global("currency_fractions")
    digits = {code: fractions.get(code, fractions["DEFAULT"])[0] for code in EXPONENTS}

    assert {code: exponent for code, exponent in EXPONENTS.items() if digits[code] != exponent} == SHOWN_OTHERWISE


def test_every_currency_of_today_is_known() -> None:
    """What babel calls some territory's tender today is in the table."""
    tenders = {
        code
        for history in get_global("territory_currencies").values()
        for code, _, end, tender in history
        if end is None and tender
    }

    assert tenders - set(EXPONENTS) == set()


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("27.50", "USD", 2750),
        ("27.5", "USD", 2750),
        ("27", "USD", 2700),
        ("0", "CNY", 0),
        ("-0.01", "EUR", -1),
        ("27.500", "USD", 2750),
        ("3000", "JPY", 3000),
        ("3000.0", "JPY", 3000),
        ("12.345", "KWD", 12345),
        ("1.2345", "CLF", 12345),
        ("0.07", "USD", 7),
    ],
)
def test_a_decimal_is_its_minor_units(text: str, currency: str, minor: int) -> None:
    """Conversion is exact and goes by the currency."""
    assert decimal_to_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("27.505", "USD"),
        ("0.5", "JPY"),
        ("1e3", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("", "USD"),
        ("1,000", "USD"),
        ("27.", "USD"),
        (".5", "USD"),
        (" 1", "USD"),
        ("٣", "USD"),
        ("9" * 400, "USD"),
        ("1", "XAU"),
        ("1", "usd"),
    ],
)
def test_what_cannot_be_converted_exactly_is_an_error(text: str, currency: str) -> None:
    """Nothing is rounded, and no currency is guessed."""
    with pytest.raises(ValueError, match=r"decimal|currency"):
        decimal_to_minor(text, currency)


@given(st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX), st.sampled_from(sorted(EXPONENTS)))
def test_writing_and_reading_are_inverse(minor: int, currency: str) -> None:
    """Every amount is read back exactly, and its text is what Decimal says."""
    text = minor_to_decimal(minor, currency)

    assert decimal_to_minor(text, currency) == minor
    assert Decimal(text) == Decimal(minor).scaleb(-EXPONENTS[currency])


@pytest.mark.parametrize(
    ("number", "currency", "minor"),
    [("27.5", "USD", 2750), ("2.75E+1", "USD", 2750), ("2980", "JPY", 2980), ("0.005", "KWD", 5), ("-1", "USD", -100)],
)
def test_a_number_becomes_whole_minor_units(number: str, currency: str, minor: int) -> None:
    """By the currency's own decimals, however the number is written."""
    assert number_to_minor(Decimal(number), currency) == minor


@pytest.mark.parametrize(
    ("number", "currency"),
    [
        ("27.505", "USD"),
        ("0.5", "JPY"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1e15", "USD"),
        ("1e-999", "USD"),
        ("1", "X"),
    ],
)
def test_what_is_no_whole_number_of_minor_units_is_refused(number: str, currency: str) -> None:
    """Too fine, too large, not a number, or of no currency; never rounded."""
    with pytest.raises(ValueError, match=r"has more decimals|is not"):
        number_to_minor(Decimal(number), currency)


def test_noise_of_binary_floats_is_forgiven_where_it_may_be() -> None:
    """0.1 + 0.2 is thirty cents to a shop, and a tenth of a cent is not nothing."""
    assert number_to_minor(Decimal(str(0.1 + 0.2)), "USD", noise=BINARY_NOISE) == 30
    with pytest.raises(ValueError, match="has more decimals"):
        number_to_minor(Decimal("0.301"), "USD", noise=BINARY_NOISE)
