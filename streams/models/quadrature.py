"""Gauss's rule for a mean over a Beta distribution: a few nodes for what would else take an integral per question.

With n nodes, exact for polynomials up to degree 2n - 1; Beta(1, 1) is Gauss and Legendre's rule on [0, 1]. The nodes
are the eigenvalues of the distribution's Jacobi matrix, found by counting sign changes (Sturm): any a and b will do.
"""

from functools import lru_cache
from math import sqrt
from typing import NamedTuple

HALVINGS = 60
NEGLIGIBLE = 1e300
"""A node whose weight is below one over this has none."""
RULES_KEPT = 1_024
"""Some kilobytes each: one per number of purchases that customers have."""


class Node(NamedTuple):
    """A place between 0 and 1, and what it counts; the weights add up to 1."""

    at: float
    weight: float


@lru_cache(maxsize=RULES_KEPT)
def beta_mean(a: float, b: float, count: int) -> tuple[Node, ...]:
    """The nodes of a mean of f(p) over p ~ Beta(a, b). Takes a millisecond, once."""
    diagonal, squares = _jacobi(a, b, count)
    places: list[float] = []
    for number in range(count):
        low, high = places[-1] if places else 0.0, 1.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if _below(diagonal, squares, middle) > number:
                high = middle
            else:
                low = middle
        places.append(0.5 * (low + high))
    return tuple(Node(place, _weight(diagonal, squares, place)) for place in places)


def _jacobi(a: float, b: float, count: int) -> tuple[list[float], list[float]]:
    """Diagonal and squares of the other diagonal of the Jacobi matrix of Beta(a, b)."""
    total = a + b
    diagonal = [a / total]
    squares = [a * b / (total * total * (total + 1.0))] if count > 1 else []
    for n in range(1, count):
        s = 2 * n + total - 2.0
        diagonal.append(0.5 + 0.5 * (a - b) * (total - 2.0) / (s * (s + 2.0)))
        if n + 1 < count:
            m, s = n + 1, s + 2.0
            squares.append(m * (m + b - 1.0) * (m + a - 1.0) * (m + total - 2.0) / (s * s * (s + 1.0) * (s - 1.0)))
    return diagonal, squares


def _below(diagonal: list[float], squares: list[float], at: float) -> int:
    """How many nodes lie below a place."""
    pivot = diagonal[0] - at
    below = int(pivot < 0.0)
    for entry, square in zip(diagonal[1:], squares, strict=True):
        pivot = entry - at - square / (pivot or 1e-300)
        below += pivot < 0.0
    return below


def _weight(diagonal: list[float], squares: list[float], at: float) -> float:
    """One over the sum of the squared orthonormal polynomials at a node."""
    before, value, whole, root_before = 0.0, 1.0, 1.0, 0.0
    for entry, square in zip(diagonal, squares, strict=False):
        root = sqrt(square)
        before, value = value, ((at - entry) * value - root_before * before) / root
        whole += value * value
        root_before = root
        if whole > NEGLIGIBLE:
            return 0.0
    return 1.0 / whole
