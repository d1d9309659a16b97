"""How a partition's list of regimes grows: by one with every activated policy, and with every activated model."""

from collections.abc import Sequence

from streams.models.churn_model import load_model
from streams.policy.canonical import load_canonical
from streams.regime import Regime, regime_of


def with_policy(regimes: Sequence[Regime], text: str, effective_at: int) -> Regime:
    """The regime that follows with a policy: it is judged with the newest model that was activated."""
    model = regimes[-1].model if regimes else None
    return regime_of(load_canonical(text), len(regimes), effective_at, model)


def with_model(regimes: Sequence[Regime], text: str, effective_at: int) -> Regime:
    """The regime that follows with a model, under the newest policy."""
    if not regimes:
        raise ValueError("a model was activated before the first policy")
    return regime_of(regimes[-1].policy, len(regimes), effective_at, load_model(text), by_model=True)
