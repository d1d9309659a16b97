"""Which churn model decides, and whether it is the shop's own. Asks the cluster which ones were activated."""

from collections.abc import Iterator, Sequence

from agents.doctor.findings import Finding, Level, fine
from agents.model_activation import ModelInForce, models_in_force
from agents.policy_activation import policies_in_force
from agents.policy_files import configured_policy
from agents.settings import Settings
from streams.models.churn_model import CDNOW_1997_MODEL
from streams.policy.model import Policy
from streams.standing.risk_rules import misfit, policy_model


def check_model(settings: Settings) -> Iterator[Finding]:
    """Ask what is in force, and judge; before anything is, it is the policy of the settings that will be."""
    policies = policies_in_force(settings)
    policy = policies[-1].policy if policies else configured_policy(settings)
    yield from judge_model(policy, models_in_force(settings))


def judge_model(policy: Policy, models: Sequence[ModelInForce]) -> Iterator[Finding]:
    """Whether the newest activated model decides, and whose purchases the one that does was fitted on."""
    if policy.churn is None:
        return
    newest = models[-1].model if models else None
    why = None if newest is None else misfit(policy.churn, policy.currency, newest)
    if newest is not None and why is not None:
        yield Finding(
            check="model",
            level=Level.WARNING,
            what=f"The activated model {newest.name} does not decide.",
            where=f"policy {policy.name}",
            why=f"{why}; scores come from the model that the policy names, {policy.churn.model.name}",
            remedy="tierstream fit --out model.json, tierstream model activate model.json; see tierstream model show",
        )
        return
    decides = policy_model(policy.churn.model) if newest is None else newest
    if decides != CDNOW_1997_MODEL:
        yield fine("model", f"The churn model {decides.name} decides.")
        return
    yield Finding(
        check="model",
        level=Level.HINT,
        what="The churn model that decides is somebody else's.",
        where=f"[churn] model = {decides.name}" if newest is None else f"activated: {decides.name}",
        why="it was fitted on a music shop of 1997",
        remedy="tierstream fit --out model.json, tierstream model activate model.json; see tierstream model show",
    )
