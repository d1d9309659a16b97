"""Puts a churn model in force, as a policy is: one record into every partition of the journal, in one transaction.

From then on the partition's customers are judged by it, under whatever policy holds. One transactional id lets one
activation at a time through, of a policy or of a model.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from agents.control_records import control_writer, write_everywhere
from agents.errors import ConfigurationError
from agents.model_file import read_model
from agents.policy_activation import ACTIVATION, Activation, entries_in_force, policies_in_force
from agents.settings import Settings
from schemas.clock import format_instant
from schemas.journal import ModelActivated
from streams.models.churn_model import BUILT_IN_MODELS, ChurnModel, canonical_model, load_model, model_hash
from streams.standing.risk_rules import misfit


class ModelInForce(NamedTuple):
    """A model that was activated."""

    model: ChurnModel
    effective_at: int
    """Epoch ms."""


def model_named(name: str) -> ChurnModel:
    """The model of a file that `tierstream fit` wrote, or a built-in one by its name."""
    return BUILT_IN_MODELS.get(name) or read_model(Path(name)).model


def models_in_force(settings: Settings) -> list[ModelInForce]:
    """Every activated model that the workers know of, oldest first."""
    return [ModelInForce(load_model(e.text), e.effective_at) for e in entries_in_force(settings) if e.is_model]


def activate_model(settings: Settings, model: ChurnModel, effective_at: int) -> ModelInForce:
    """Write an activation that holds from `effective_at` (epoch ms) on; ConfigurationError if it can't decide."""
    policies = policies_in_force(settings)
    if not policies:
        raise ConfigurationError(
            "No policy is in force yet: a model decides under a policy.", next_step="tierstream topics apply"
        )
    _check_fit(model, policies[-1])
    if effective_at < policies[-1].effective_at:
        raise ConfigurationError(
            f"The policy {policies[-1].policy.name} waits to take effect.",
            where=f"effective at {format_instant(policies[-1].effective_at)}",
            why="activations take effect in the order in which they were made",
            next_step=f"tierstream model activate --effective-at {format_instant(policies[-1].effective_at)} FILE",
        )
    since, text = format_instant(effective_at), canonical_model(model)
    digest = hashlib.sha256(f"{model_hash(text)} {since}".encode()).hexdigest()[:16]

    def record(home: tuple[int, int]) -> ModelActivated:
        return ModelActivated(
            id=f"activation-{digest}",
            effective_at=since,
            name=model.name,
            hash=model_hash(text),
            text=text,
            home=home,
        )

    with control_writer(settings, ACTIVATION) as writer:
        write_everywhere(writer, settings, record, what="activation", check="tierstream model show")
    return ModelInForce(model, effective_at)


def unfit_under(settings: Settings, activation: Activation) -> str | None:
    """Why the newest activated model no longer decides under a policy that is put in force; None if it does."""
    models = models_in_force(settings)
    if not models:
        return None
    policy = activation.policy
    return misfit(policy.churn, policy.currency, models[-1].model) if policy.churn else None


def _check_fit(model: ChurnModel, newest: Activation) -> None:
    policy = newest.policy
    why = misfit(policy.churn, policy.currency, model)
    if why is None:
        return
    if policy.churn is None:
        remedy = "add [churn] to the policy, and activate that first"
    elif model.calibration is not None and model.calibration.horizon_days != policy.churn.horizon_days:
        remedy = f"tierstream fit --horizon-days {policy.churn.horizon_days} --out MODEL.json"
    else:
        remedy = f"fit a model on orders in {policy.currency}"
    raise ConfigurationError(
        f"The model {model.name} does not fit the policy {policy.name}.", where=model.name, why=why, next_step=remedy
    )
