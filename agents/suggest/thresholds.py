"""From customers' figures to thresholds that give wanted shares. Nothing here knows a policy file."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from math import ceil
from typing import Final, Literal, NamedTuple

from agents.fit.histories import Customer, Histories

Metric = Literal["spend", "orders"]
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
HUMAN: Final = (10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80, 90, 100)
"""First two digits of a number that people remember."""
FINER: Final = tuple(range(10, 101))
BUCKETS: Final = 12


class Suggestion(NamedTuple):
    """A threshold, and the share of customers who reach it beside the one that was wanted."""

    wanted: float
    threshold: int
    share: float
    exact: int
    """The threshold before rounding."""
    exact_share: float


def figures_of(histories: Histories, metric: Metric, window_days: int | None, until: int, *, active: bool) -> list[int]:
    """One figure per customer with a kept order by the day `until`, ascending; `active`: with one in the window."""
    first = until - window_days + 1 if window_days else 0
    figures = []
    for customer in histories.until(until):
        begin, end = bisect_left(customer.days, first), customer.purchases_until(until)
        if begin < end or not active:
            figures.append(sum(_column(customer, metric)[begin:end]))
    return sorted(figures)


def quantile(figures: Sequence[int], share_below: float) -> int:
    """The smallest figure that at least this share of all does not exceed: numpy's `inverted_cdf`."""
    place = ceil(round(share_below * len(figures), 9))
    return figures[min(max(place, 1), len(figures)) - 1]


def share_reaching(figures: Sequence[int], threshold: int) -> float:
    """The share of customers whose figure is at least the threshold."""
    return (len(figures) - bisect_left(figures, threshold)) / len(figures)


def suggest(
    figures: Sequence[int], shares: Sequence[float], rounded: Callable[[int, int], int] | None
) -> list[Suggestion]:
    """A threshold for each share, largest first, rising. `rounded` is given each one and the one below it.

    Of the quantile and the next figure above it, the one whose share is nearer to the wanted one: a tie is never
    parted. ValueError names the share that cannot be reached.
    """
    found: list[Suggestion] = []
    for share in shares:
        exact = _nearest(figures, share)
        below = found[-1].threshold if found else 0
        if exact <= (found[-1].exact if found else 0):
            raise ValueError(_unreachable(figures, share, found))
        threshold = max(exact, below + 1) if rounded is None else rounded(exact, below)
        found.append(
            Suggestion(share, threshold, share_reaching(figures, threshold), exact, share_reaching(figures, exact))
        )
    return found


def human(exact: int, below: int) -> int:
    """The nearest number that people remember, above `below`; finer numbers where there is none, then the exact one."""
    power = Decimal(10) ** (len(str(exact)) - 2)
    for digits in (HUMAN, FINER):
        candidates = [int(digit * power) for digit in digits if (digit * power) % 1 == 0]
        nearest = min(candidates, key=lambda candidate: (abs(candidate - exact), candidate), default=exact)
        if nearest > below:
            return nearest
    return max(exact, below + 1)


def histogram(figures: Sequence[int]) -> list[tuple[int, int, int]]:
    """Customers between two bounds, each bucket as much wider than the last; zeros apart: from, below, how many."""
    positive = figures[bisect_right(figures, 0) :]
    rows = [(0, 1, len(figures) - len(positive))] if len(positive) < len(figures) else []
    if not positive:
        return rows
    low, high = positive[0], positive[-1] + 1
    bounds = sorted({round(low * (high / low) ** (step / BUCKETS)) for step in range(BUCKETS)} | {high})
    for begin, end in pairwise(bounds):
        rows.append((begin, end, bisect_left(positive, end) - bisect_left(positive, begin)))
    return rows


def _column(customer: Customer, metric: Metric) -> list[int]:
    return customer.minor if metric == "spend" else customer.orders


def _nearest(figures: Sequence[int], share: float) -> int:
    lower = quantile(figures, 1 - share)
    if lower <= 0:  # more are wanted than have any
        return 0
    place = bisect_right(figures, lower)
    candidates = (lower, *figures[place : place + 1])
    return min(candidates, key=lambda figure: abs(share_reaching(figures, figure) - share))


def _unreachable(figures: Sequence[int], share: float, found: Sequence[Suggestion]) -> str:
    if found:
        return f"{share:.2%} and {found[-1].wanted:.2%} come to the same threshold: too many customers are alike"
    return f"{share:.2%} cannot be reached: {share_reaching(figures, 1):.2%} have any at all"
