"""The purchase model of a simulation: MBG/NBD for when, Gamma-Gamma for how much; built in, or read from a file."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from agents.errors import ConfigurationError
from streams.models.mbgnbd import BUILT_IN, CDNOW_1997, Parameters

Positive = Annotated[float, Meta(gt=0, le=1e6)]


class Spend(msgspec.Struct, frozen=True):
    """Gamma-Gamma: an order is Gamma(p) at a rate that is the customer's own, which is Gamma(q, gamma)."""

    p: Positive
    q: Annotated[float, Meta(gt=1, le=1e6)]
    """Above 1: else the mean order of the population is infinite."""
    gamma: Positive

    @property
    def mean(self) -> float:
        """Average order over all customers, in the currency's units."""
        return self.p * self.gamma / (self.q - 1.0)


CDNOW_SPEND = Spend(p=6.2488, q=3.7446, gamma=15.4477)
"""Maximum likelihood on the 946 repeat buyers of the CDNOW 1/10 sample, US dollars (log-likelihood -4055.92)."""


class Model(msgspec.Struct, frozen=True):
    """Both halves."""

    buying: Parameters = CDNOW_1997
    spend: Spend = CDNOW_SPEND


class _Buying(msgspec.Struct):
    r: Positive
    alpha: Positive
    a: Positive
    b: Positive
    name: str = "own"


class _Churn(msgspec.Struct):
    model: _Buying | str


class _File(msgspec.Struct):
    """As much of a policy file as says how customers buy."""

    churn: _Churn
    spend: Spend = CDNOW_SPEND


def read_model(path: Path) -> Model:
    """The model of a file: `model` of `[churn]`, as in a policy file, and `[spend]` if there is one."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "The model file cannot be used.",
            where=str(path),
            why=str(error),
            next_step="give [churn] with model = { r = ..., alpha = ..., a = ..., b = ... }, times in weeks, and if you"
            " like [spend] with p, q, gamma",
        ) from error
    named = file.churn.model
    if isinstance(named, _Buying):
        return Model(Parameters(named.name, named.r, named.alpha, named.a, named.b), file.spend)
    if named not in BUILT_IN:
        raise ConfigurationError(
            f"There is no built-in model `{named}`.",
            where=f"{path}, churn.model",
            next_step=f"one of {', '.join(BUILT_IN)}, or a table with r, alpha, a, b",
        )
    return Model(BUILT_IN[named], file.spend)
