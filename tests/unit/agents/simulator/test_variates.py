"""The simulator's random numbers: the right distributions, from arithmetic that is the same everywhere."""

import math
from itertools import pairwise
from statistics import fmean, pvariance

import pytest

from agents.simulator import variates
from agents.simulator.variates import beta, exp, exponential, gamma, ln, normal, stream, wait

COUNT = 20_000
SIGMAS = 4.5


@pytest.mark.parametrize("x", [5e-324, 1e-300, 1e-9, 0.3, 0.5, 0.7071067811865475, 0.99999, 1.0, 1.5, 2.0, 7e5, 1e300])
def test_the_logarithm_is_that_of_the_machine_to_the_last_bits(x: float) -> None:
    assert ln(x) == pytest.approx(math.log(x), rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("x", [0.0, -1e-12, -0.5, -1.0, -37.3, -300.0, -700.0])
def test_the_power_of_e_is_that_of_the_machine_to_the_last_bits(x: float) -> None:
    assert exp(x) == pytest.approx(math.exp(x), rel=1e-13)


def test_the_power_of_e_ends_at_zero() -> None:
    """No underflow error, however small the shape that asks for it."""
    assert exp(-1e9) == 0.0
    assert all(left <= right for left, right in pairwise(exp(-x / 7) for x in range(6_000, 0, -1)))


def test_nothing_of_the_machines_own_arithmetic_is_used() -> None:
    """Only what IEEE 754 defines to the last bit: frexp, ldexp and sqrt are exact."""
    borrowed = {name for name, value in vars(variates).items() if value is getattr(math, name, ...)}
    assert borrowed == {"frexp", "ldexp", "sqrt", "inf"}


def _close(sample: list[float], mean: float, variance: float) -> None:
    """Mean within SIGMAS standard errors; variance within a tenth."""
    assert abs(fmean(sample) - mean) < SIGMAS * math.sqrt(variance / len(sample))
    assert pvariance(sample) == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("shape", [0.3, 0.524843, 1.0, 3.7, 40.0])
def test_gamma_has_its_mean_and_variance(shape: float) -> None:
    dice = stream(1, "gamma", int(shape * 10))
    _close([gamma(dice, shape) for _ in range(COUNT)], shape, shape)


def test_beta_normal_and_exponential_have_their_means_and_variances() -> None:
    dice = stream(1, "others", 1)
    a, b = 0.891359, 1.614002
    _close([beta(dice, a, b) for _ in range(COUNT)], a / (a + b), a * b / (a + b) ** 2 / (a + b + 1))
    _close([normal(dice) for _ in range(COUNT)], 0.0, 1.0)
    _close([exponential(dice) for _ in range(COUNT)], 1.0, 1.0)


def test_tiny_shapes_make_beta_a_coin() -> None:
    """Both gammas are 0 then; the odds stay those of the shapes."""
    dice = stream(1, "coin", 1)
    tosses = [beta(dice, 1e-5, 3e-5) for _ in range(4_000)]
    assert fmean(tosses) == pytest.approx(0.25, abs=SIGMAS * math.sqrt(0.25 * 0.75 / 4_000))


def test_where_nothing_happens_the_wait_is_endless() -> None:
    assert wait(stream(1, "wait", 1), 0.0) == math.inf


def test_streams_are_apart_and_fixed() -> None:
    """By seed, layer and number; the first throw of one is pinned, so that it is the same on every machine."""
    throws = {stream(seed, layer, number).random() for seed in (1, 2) for layer in "ab" for number in range(50)}
    assert len(throws) == 200
    assert stream(1, "life", 1).random() == 0.1453436756264439
