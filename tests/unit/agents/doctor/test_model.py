"""The model that decides is judged, whoever named it: the policy, or an activation since."""

import msgspec

from agents.doctor.findings import Level
from agents.doctor.model import judge_model
from agents.model_activation import ModelInForce
from streams.models.churn_model import CDNOW_1997_MODEL
from tests.churn import FULL
from tests.journal import default_policy, policy_of
from tests.unit.agents.doctor.judging import levels_of
from tests.unit.agents.silver import STRICT

OWN = ModelInForce(FULL, 0)
BUILT_IN = ModelInForce(CDNOW_1997_MODEL, 0)


def test_a_model_of_somebody_else_is_a_hint_also_when_it_was_activated() -> None:
    assert levels_of(judge_model(default_policy(), [])) == {"model": Level.HINT}
    assert levels_of(judge_model(default_policy(), [OWN, BUILT_IN])) == {"model": Level.HINT}


def test_an_activated_model_of_ones_own_is_fine() -> None:
    """The policy still names the built-in one, which does not decide."""
    [finding] = judge_model(default_policy(), [BUILT_IN, OWN])
    assert (finding.level, finding.what) == (Level.OK, "The churn model full decides.")


def test_an_activated_model_that_does_not_fit_is_a_warning() -> None:
    assert FULL.calibration is not None
    for unfit in (
        msgspec.structs.replace(FULL, currency="CNY"),
        msgspec.structs.replace(FULL, calibration=msgspec.structs.replace(FULL.calibration, horizon_days=30)),
    ):
        [finding] = judge_model(default_policy(), [OWN, ModelInForce(unfit, 0)])
        assert finding.level is Level.WARNING
        assert "cdnow-1997" in finding.why
    assert levels_of(judge_model(default_policy(), [ModelInForce(unfit, 0)])) == {"model": Level.WARNING}


def test_a_policy_without_churn_needs_no_model() -> None:
    assert list(judge_model(policy_of(STRICT, "USD", "UTC"), [OWN])) == []
