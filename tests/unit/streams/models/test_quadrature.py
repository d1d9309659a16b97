"""Nodes of a mean over a Beta distribution: exact for polynomials, and numbers for any a and b."""

from math import fsum, isfinite

import pytest

from streams.models.quadrature import beta_mean


@pytest.mark.parametrize(("a", "b"), [(0.006, 449.0), (0.5, 0.5), (0.9, 1.6), (1.0, 1.0), (2.0, 2.0), (9.0, 150.0)])
@pytest.mark.parametrize("count", [1, 2, 6, 20])
def test_moments_are_exact_up_to_twice_the_number_of_nodes(a: float, b: float, count: int) -> None:
    """Mean of p^k: (a/(a+b)) ((a+1)/(a+b+1)) ..."""
    moment = 1.0
    for k in range(2 * count):
        found = fsum(weight * at**k for at, weight in beta_mean(a, b, count))
        assert found == pytest.approx(moment, rel=1e-9)
        moment *= (a + k) / (a + b + k)


@pytest.mark.parametrize(("a", "b"), [(0.02, 1e5), (1e-3, 1e-3), (1e6, 1e6), (1e6, 0.5), (0.9, 100_001.6)])
@pytest.mark.parametrize("count", [10, 96])
def test_extremes_give_weights_that_add_up(a: float, b: float, count: int) -> None:
    rule = beta_mean(a, b, count)
    assert all(0.0 <= node.at <= 1.0 and isfinite(node.weight) and node.weight >= 0.0 for node in rule)
    assert [node.at for node in rule] == sorted(node.at for node in rule)
    assert fsum(node.weight for node in rule) == pytest.approx(1.0, abs=1e-4)
    assert fsum(node.at * node.weight for node in rule) == pytest.approx(a / (a + b), rel=1e-4)
