"""Random numbers of the distributions that the simulator needs, the same to the last bit on every machine.

The standard library promises that `Random.random()` never changes; it does not promise `gammavariate`, and a machine's
own `log` and `exp` differ in their last bits. So both are written here with + - * / and square root alone, which
IEEE 754 defines exactly.
"""

from hashlib import blake2b
from math import frexp, inf, ldexp, sqrt
from random import Random

LN_2 = 0.6931471805599453
SQRT_HALF = 0.7071067811865476
LN_LEAST = -745.0
"""Below it e to this power is 0 in double precision."""


def stream(seed: int, layer: str, number: int) -> Random:
    """The dice of one customer and layer: what others throw, and how many others there are, changes nothing in it."""
    digest = blake2b(f"{seed}/{layer}/{number}".encode(), digest_size=8).digest()
    return Random(int.from_bytes(digest, "big"))  # noqa: S311 - a simulation is no secret, and has to be repeatable


def ln(x: float) -> float:
    """Natural logarithm of x > 0, by the series of the inverse hyperbolic tangent; good to the last few bits."""
    mantissa, exponent = frexp(x)
    if mantissa < SQRT_HALF:
        mantissa, exponent = mantissa + mantissa, exponent - 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    tail = z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z / 21))))
    series = z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + tail)))))
    return exponent * LN_2 + 2.0 * s * (1.0 + series)


def exp(x: float) -> float:
    """E to the power of x <= 0, by Taylor's series around the nearest power of two."""
    if x < LN_LEAST:
        return 0.0
    exponent = int(x / LN_2 - 0.5)
    rest = x - exponent * LN_2
    total = term = 1.0
    for number in range(1, 18):
        term *= rest / number
        total += term
    return ldexp(total, exponent)


def exponential(dice: Random) -> float:
    """Mean 1."""
    return -ln(1.0 - dice.random())


def normal(dice: Random) -> float:
    """Mean 0, variance 1: Marsaglia's polar method."""
    while True:
        u, v = 2.0 * dice.random() - 1.0, 2.0 * dice.random() - 1.0
        s = u * u + v * v
        if 0.0 < s < 1.0:
            return u * sqrt(-2.0 * ln(s) / s)


def gamma(dice: Random, shape: float) -> float:
    """Gamma of a shape > 0 and rate 1: Marsaglia and Tsang (2000)."""
    if shape < 1.0:
        return gamma(dice, shape + 1.0) * exp(ln(1.0 - dice.random()) / shape)
    d = shape - 1.0 / 3.0
    c = 1.0 / sqrt(9.0 * d)
    while True:
        x = normal(dice)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if ln(1.0 - dice.random()) < 0.5 * x * x + d - d * v + d * ln(v):
            return d * v


def beta(dice: Random, a: float, b: float) -> float:
    """Beta of two shapes > 0."""
    first, second = gamma(dice, a), gamma(dice, b)
    if first + second == 0.0:  # both shapes so small that the distribution is a coin
        return 1.0 if dice.random() < a / (a + b) else 0.0
    return first / (first + second)


def wait(dice: Random, rate: float) -> float:
    """Time to the next event of a Poisson process; infinite where nothing happens."""
    return exponential(dice) / rate if rate > 0.0 else inf
