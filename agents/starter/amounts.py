"""Sensible amounts of money per currency: chosen for the great ones, derived for others, and said which.

Thresholds decide who is who, so that a derived number is never passed off as a chosen one.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from schemas.money import EXPONENTS

PER_USD: Final[Mapping[str, str]] = {
    "AED": "3.7",
    "AUD": "1.5",
    "BRL": "5.5",
    "CAD": "1.4",
    "CHF": "0.9",
    "CZK": "23",
    "DKK": "7",
    "HKD": "7.8",
    "HUF": "360",
    "IDR": "16000",
    "ILS": "3.6",
    "INR": "85",
    "KRW": "1400",
    "KWD": "0.3",
    "MXN": "18",
    "MYR": "4.4",
    "NOK": "10.5",
    "NZD": "1.7",
    "PHP": "57",
    "PLN": "4",
    "RON": "4.6",
    "SAR": "3.8",
    "SEK": "10",
    "SGD": "1.3",
    "THB": "34",
    "TRY": "35",
    "TWD": "32",
    "VND": "25000",
    "ZAR": "18",
}
"""About so many units to a US dollar: magnitudes for a first guess, no rates."""
_DIGITS = 2


class Amounts(NamedTuple):
    """Amounts in minor units, and where they come from."""

    minor: tuple[int, ...]
    note: str
    """One sentence for the reader of the policy."""


def amounts_in(currency: str, chosen: Mapping[str, Sequence[int]]) -> Amounts:
    """The amounts in a currency; `chosen` has them in whole units per currency, USD among them."""
    unit = 10 ** EXPONENTS[currency]
    if currency in chosen:
        note = f"The amounts are a start, chosen for {currency}: put your own."
        return Amounts(tuple(amount * unit for amount in chosen[currency]), note)
    rate = PER_USD.get(currency)
    if rate is None:
        note = f"The amounts are those for US dollars, NOT converted: put your own in {currency} before you go on."
        return Amounts(tuple(amount * unit for amount in chosen["USD"]), note)
    note = f"The amounts are derived from those for US dollars, at about {rate} {currency} to the dollar: put your own."
    return Amounts(tuple(_rounded(amount * Decimal(rate)) * unit for amount in chosen["USD"]), note)


def _rounded(amount: Decimal) -> int:
    """Two digits and zeros, at least 1."""
    return max(1, int(amount.quantize(Decimal(1).scaleb(max(0, amount.adjusted() - _DIGITS + 1)))))
