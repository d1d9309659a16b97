"""How good probabilities were, seen from what happened: ranking, sharpness, honesty. Nothing here knows a model."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from agents.fit.likelihood import Floats

BINS = 10
CAPTURED_SHARE = 0.2


class Decile(NamedTuple):
    """A tenth of the customers, by predicted probability."""

    customers: int
    predicted: float
    """Mean predicted probability."""
    observed: float
    """Share to whom it happened."""
    lift: float
    """`observed` over the share of all."""


class Judgement(NamedTuple):
    """Of one set of predictions."""

    customers: int
    rate: float
    """Share of all to whom it happened."""
    auc: float
    """Probability that of two, the one to whom it happened was ranked higher; 0.5 is a coin."""
    average_precision: float
    brier: float
    """Mean squared error; less is better."""
    log_loss: float
    ece: float
    """Mean distance of predicted from observed over ten equal bins."""
    captured: float
    """Share of those to whom it happened in the fifth with the highest predictions."""
    deciles: tuple[Decile, ...]
    """The highest predictions first."""


def judge(predicted: Sequence[float] | Floats, happened: Sequence[bool]) -> Judgement | None:
    """Judge predicted probabilities; None where it happened to all or to none: then nothing can be ranked."""
    p, y = np.asarray(predicted, dtype=float), np.asarray(happened, dtype=float)
    if not len(y) or y.min() == y.max():
        return None
    order = np.argsort(-p, kind="stable")
    deciles = tuple(_decile(p[part], y[part], float(y.mean())) for part in np.array_split(order, BINS) if len(part))
    clipped = np.clip(p, 1e-12, 1 - 1e-12)
    top = order[: max(1, round(len(order) * CAPTURED_SHARE))]
    return Judgement(
        customers=len(y),
        rate=float(y.mean()),
        auc=auc(p, y),
        average_precision=_average_precision(p, y),
        brier=float(np.mean((p - y) ** 2)),
        log_loss=float(-np.mean(y * np.log(clipped) + (1 - y) * np.log(1 - clipped))),
        ece=sum(decile.customers * abs(decile.predicted - decile.observed) for decile in deciles) / len(y),
        captured=float(y[top].sum() / y.sum()),
        deciles=deciles,
    )


def auc(ranking: Floats, happened: Floats) -> float:
    """Area under the ROC curve, ties counted half."""
    ranks = rankdata(ranking)
    positives = float(happened.sum())
    negatives = len(happened) - positives
    return float((ranks[happened == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _average_precision(p: Floats, y: Floats) -> float:
    """Mean precision over the positives; equal predictions are one step."""
    order = np.argsort(-p, kind="stable")
    p, y = p[order], y[order]
    ends = np.append(np.flatnonzero(np.diff(p)), len(p) - 1)
    hits = np.cumsum(y)[ends]
    gained = np.diff(np.concatenate(([0.0], hits)))
    return float(np.sum(gained * hits / (ends + 1)) / y.sum())


def _decile(p: Floats, y: Floats, rate: float) -> Decile:
    observed = float(y.mean())
    return Decile(len(y), float(p.mean()), observed, observed / rate if rate else 0.0)
