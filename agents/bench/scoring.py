"""What churn risk adds to the fold of an event: the same events with it and without it, slice by slice in turn."""

import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from agents.bench.mechanisms import EVENTS, NANOSECONDS_PER_MICROSECOND, SLICE, Fold, journal_of
from agents.bench.workload import CURRENCY, MIX, ORDERS, TIME_ZONE, Workload
from streams.models.churn_model import (
    Calibration,
    ChurnModel,
    FrustrationParameters,
    SpendParameters,
    VisitParameters,
)
from streams.policy.model import Policy
from streams.policy.parse import parse
from streams.policy.presets import preset_text

ROUNDS: Final = 2
EVERY_LAYER: Final = ChurnModel(
    name="every-layer",
    r=0.52,
    alpha=6.2,
    a=0.9,
    b=1.6,
    currency=CURRENCY,
    spend=SpendParameters(p=6.25, q=3.74, gamma=15.44),
    visits=VisitParameters(alive_per_unit=0.6, gone_per_unit=0.05, half_life_days=14),
    frustration=FrustrationParameters(half_life_days=21, ticket=1.5, solved_share=0.3, bad_rating=1.0, refund=0.5),
    calibration=Calibration(
        horizon_days=90, intercept=0.1, risk=0.8, silence=0.1, repeats=-0.3, tenure=0.05, first_order=-0.1,
        mean_order=-0.1, visits=-0.1, frustration=0.1,
    ),
)  # fmt: skip
"""Purchases, visits, trouble and a calibration: what a fit can come to at most."""


class Scoring(msgspec.Struct, frozen=True):
    """CPU in µs per event, over all events of a workload."""

    fold_us: float
    """Of the fold without churn risk."""
    purchases_us: float
    """What the built-in model adds."""
    every_layer_us: float
    """What a model adds that looks at visits and trouble too."""


def measure(say: Callable[[str], None]) -> dict[str, Scoring]:
    """By workload."""
    return {workload.name: _of(workload, say) for workload in (MIX, ORDERS)}


def _of(workload: Workload, say: Callable[[str], None]) -> Scoring:
    say(f"churn: {EVENTS:,} events of {workload.name} with churn risk and without it")
    ends_at = int(time.time() * 1000)
    policy = _policy()
    silent = msgspec.structs.replace(policy, churn=None)
    spent = [0.0, 0.0, 0.0]
    for _ in range(ROUNDS):
        folds = (Fold(silent), Fold(policy), Fold(policy, EVERY_LAYER))
        journal = list(journal_of(workload, EVENTS, ends_at))
        for number, begin in enumerate(range(0, len(journal), SLICE)):
            for fold in _turned(folds, number):
                fold.take(journal[begin : begin + SLICE])
        spent = [so_far + fold.spent_ns for so_far, fold in zip(spent, folds, strict=True)]
    without, purchases, every_layer = (ns / ROUNDS / EVENTS / NANOSECONDS_PER_MICROSECOND for ns in spent)
    return Scoring(fold_us=without, purchases_us=purchases - without, every_layer_us=every_layer - without)


def _turned(folds: tuple[Fold, ...], number: int) -> Iterator[Fold]:
    """In another order each time: who comes first finds the events cold."""
    first = number % len(folds)
    yield from folds[first:] + folds[:first]


def _policy() -> Policy:
    policy = parse(preset_text("default"), currency=CURRENCY, time_zone=TIME_ZONE)
    if isinstance(policy, list):
        raise TypeError(f"the preset is wrong: {policy[0]}")
    return policy
