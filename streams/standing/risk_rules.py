"""Churn risk as it is judged: the rules of a policy with the model in force, made ready once per regime."""

from math import inf

import msgspec

from schemas.decisions import ModelRef
from streams.models.churn_model import ChurnModel, canonical_model, model_hash
from streams.models.mbgnbd import Parameters
from streams.models.scoring import Scorer, scorer_of
from streams.policy.model import ChurnRules

VISIT_DAY = "visit day"
"""What a visit changes that is the first of its day: a model counts days, not visits."""
WATCH_BEGINS = "watch begins"
"""What the first visit ever changes: from then on days without one count against the customer."""
REFUND = "refund"
"""What a refund changes besides the orders: it is trouble, also while it waits for its order."""


class RiskRules(msgspec.Struct, frozen=True):
    """What bands, scores and probabilities are judged by."""

    rules: ChurnRules
    scorer: Scorer
    """For the policy's horizon."""
    alive: Scorer
    """Whose score is P(gone): P(no purchase ever), without calibration."""
    edges: tuple[float, ...]
    heeded: frozenset[str]
    """What the model looks at besides purchase days: records that change none of it need no new score."""
    ref: ModelRef

    def scorer_for(self, horizon_days: int) -> Scorer:
        """For a horizon; for another one than the policy's the calibration, which is tied to one, is left out."""
        if not horizon_days or horizon_days == self.rules.horizon_days:
            return self.scorer
        return scorer_of(msgspec.structs.replace(self.scorer.model, calibration=None), horizon_days)


def risk_rules(rules: ChurnRules, model: ChurnModel | None = None) -> RiskRules:
    """Make the rules ready; without an activated model the policy's own one decides. ValueError if it does not fit."""
    model = policy_model(rules.model) if model is None else model
    calibration = model.calibration
    uses_money = calibration is not None and (calibration.first_order != 0.0 or calibration.mean_order != 0.0)
    heeded = set()
    if model.visits is not None or (calibration is not None and calibration.visits != 0.0):
        heeded |= {VISIT_DAY, WATCH_BEGINS}
    if model.frustration is not None:
        heeded |= {"tickets", "ratings", REFUND}
    if uses_money:
        heeded.add("orders")
    uncalibrated = msgspec.structs.replace(model, calibration=None)
    return RiskRules(
        rules=rules,
        scorer=scorer_of(model, rules.horizon_days),
        alive=msgspec.structs.replace(scorer_of(uncalibrated, rules.horizon_days), horizon=inf),
        edges=tuple(band.lower_edge for band in rules.bands),
        heeded=frozenset(heeded),
        ref=model_ref(model),
    )


def policy_model(parameters: Parameters) -> ChurnModel:
    """The model that a policy names or spells out: purchases alone, in weeks."""
    return ChurnModel(name=parameters.name, r=parameters.r, alpha=parameters.alpha, a=parameters.a, b=parameters.b)


def model_ref(model: ChurnModel) -> ModelRef:
    """A model as outputs name it: the version with the begin of the hash, for names may be given twice."""
    return ModelRef(name=model.name, version=f"{model.version}+{model_hash(canonical_model(model))[:12]}")


def misfit(rules: ChurnRules | None, currency: str, model: ChurnModel) -> str | None:
    """Why a model can't decide under a policy; None if it can."""
    if rules is None:
        return "the policy judges no churn risk: it has no [churn]"
    calibration = model.calibration
    if calibration is not None and calibration.horizon_days != rules.horizon_days:
        return f"it is calibrated to {calibration.horizon_days} days, the policy asks for {rules.horizon_days}"
    if model.currency and model.currency != currency:
        return f"its amounts are in {model.currency}, the policy's in {currency}"
    return None
