"""Lambert's W on its upper branch, in log space: no argument overflows."""

from math import exp, log

TURNS_MAX = 30
LN_SMALL = -700.0
"""Below it w is e^y to the last digit, or 0."""
CLOSE_ENOUGH = 1e-15


def lambert_w_of_exp(y: float) -> float:
    """Return w > 0 with w + ln w = y, that is W(e^y); any finite y.

    Newton's method on the concave w + ln w - y, from a start near both ends: it converges quadratically.
    """
    if y < LN_SMALL:
        return exp(y)
    w = exp(y) / (1.0 + exp(y)) + 1e-300 if y < 1.0 else y - log(y) * y / (1.0 + y)
    for _ in range(TURNS_MAX):
        step = (w + log(w) - y) * w / (1.0 + w)
        following = w - step
        w = following if following > 0.0 else w / 2.0
        if abs(step) <= CLOSE_ENOUGH * w:
            break
    return w


def duration_until(level: float, exponent: float, age: float, slope: float) -> float:
    """Return s >= 0 with exponent * ln(1 + s / age) + slope * s = level; 0 if level <= 0.

    `exponent` and `age` are positive, `slope` is not negative: this is when the log-odds of having left have risen by
    `level`, through silence (`exponent`, `age`) and through visits that did not come (`slope`).
    """
    if level <= 0.0:
        return 0.0
    if slope <= 0.0:
        return age * (exp(min(level / exponent, 700.0)) - 1.0)
    ratio = slope / exponent
    w = lambert_w_of_exp(log(ratio) + log(age) + level / exponent + ratio * age)
    return max(0.0, w / ratio - age)
