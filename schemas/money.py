"""Money: whole minor units of an ISO 4217 currency in code and on topics, decimals only at the edge."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final

_DECIMAL: Final = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,15}))?", re.ASCII)

# ISO 4217 lists one and two by exponent: what is in force, and what was withdrawn since 2015 and still stands in
# purchase histories (ANG BGN BYR CUC HRK LTL MRO SLL STD VEF ZWL). Metals and test codes have no minor unit.
_CODES_OF_EXPONENT: Final = {
    0: "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE"
        " CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD"
        " HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL MAD MDL MGA MKD MMK MNT"
        " MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR"
        " SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN"
        " UYU UZS VED VEF VES WST XCD XCG YER ZAR ZMW ZWG ZWL"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: Final[Mapping[str, int]] = MappingProxyType(
    {code: exponent for exponent, codes in _CODES_OF_EXPONENT.items() for code in codes.split()}
)
"""Currency code to the number of its decimals: 2 for USD (cents), 0 for JPY, 3 for KWD."""


def decimal_to_minor(text: str, currency: str) -> int:
    """Whole minor units of a decimal amount: `"27.50"` in USD is 2750, in JPY an error.

    ValueError when `currency` is unknown, `text` is no plain decimal number, or it has more decimals than the currency.
    """
    exponent = _exponent(currency)
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:64]!r} is not a plain decimal number, such as 27.50")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > exponent:
        raise ValueError(f"{text[:64]!r} has more decimals than {currency} has ({exponent})")
    return int(f"{sign}{whole}{fraction:0<{exponent}}")


_DIGITS_MAX: Final = 15
BINARY_NOISE: Final = Decimal("0.0001")
"""What a sum of binary floats can be off by, in minor units: 0.1 + 0.2 comes as 0.30000000000000004."""


def number_to_minor(number: Decimal, currency: str, *, noise: Decimal = Decimal(0)) -> int:
    """Whole minor units of an exact number: 27.5 in USD is 2750, in JPY an error.

    `noise` is how far from whole it may be, in minor units. ValueError as `decimal_to_minor`, and for what is not
    finite or has more than fifteen digits before the point.
    """
    exponent = _exponent(currency)
    if not number.is_finite() or (number and number.adjusted() >= _DIGITS_MAX):
        raise ValueError("is not a finite number of at most 15 digits")
    scaled = number.scaleb(exponent)
    whole = scaled.to_integral_value(ROUND_HALF_UP)
    if abs(scaled - whole) > noise:
        raise ValueError(f"has more decimals than {currency} has ({exponent})")
    return int(whole)


def minor_to_decimal(minor: int, currency: str) -> str:
    """The amount in plain decimal text: 2750 in USD is `"27.50"`. ValueError when `currency` is unknown."""
    exponent = _exponent(currency)
    if exponent == 0:
        return str(minor)
    digits = f"{abs(minor):0{exponent + 1}d}"
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def _exponent(currency: str) -> int:
    exponent = EXPONENTS.get(currency)
    if exponent is None:
        raise ValueError(f"{currency[:64]!r} is not an ISO 4217 currency code")
    return exponent
