"""A model as data: its text, its hash, and what no model may say."""

import msgspec
import pytest

from streams.models.churn_model import BUILT_IN_MODELS, ChurnModel, canonical_model, load_model, model_hash
from streams.models.mbgnbd import CDNOW_1997
from tests.churn import FULL


def test_a_text_and_its_model_are_one() -> None:
    """Everything survives, and the hash is that of the text."""
    text = canonical_model(FULL)

    assert load_model(text) == FULL
    assert canonical_model(load_model(text)) == text
    assert model_hash(text) != model_hash(canonical_model(msgspec.structs.replace(FULL, version=2)))
    assert len(model_hash(text)) == 64


def test_the_built_in_model_is_the_one_of_the_presets() -> None:
    """With the same parameters, and no layer on top."""
    model = BUILT_IN_MODELS["cdnow-1997"]

    assert (model.r, model.alpha, model.a, model.b) == (CDNOW_1997.r, CDNOW_1997.alpha, CDNOW_1997.a, CDNOW_1997.b)
    assert (model.time_unit, model.family) == ("weeks", "mbg-nbd")
    assert (model.spend, model.visits, model.frustration, model.calibration) == (None, None, None, None)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"risk":0.8', '"risk":-0.8', "calibration.risk"),
        ('"silence":0.1', '"silence":-0.1', "calibration.silence"),
        ('"tenure":0.05', '"tenure":-0.05', "calibration.tenure"),
        ('"visits":-0.1', '"visits":0.1', "calibration.visits"),
        ('"frustration":0.1', '"frustration":-0.1', "calibration.frustration"),
        ('"gone_per_unit":0.05', '"gone_per_unit":0.7', "below visits.alive_per_unit"),
        ('"q":3.74', '"q":1.0', "spend.q"),
        ('"alpha":6.2', '"alpha":0.0', "alpha"),
        ('"currency":"USD"', '"currency":""', "currency is missing"),
        ('"version":1', '"version":1,"versoin":2', "versoin"),
        ('"risk":0.8', '"risk":0.0', None),
    ],
)
def test_what_would_break_a_law_is_refused(old: str, new: str, why: str | None) -> None:
    """Also in a file that was edited by hand: silence must never lower the risk."""
    text = canonical_model(FULL)
    assert old in text
    changed = text.replace(old, new)
    if why is None:
        assert isinstance(load_model(changed), ChurnModel)
        return

    with pytest.raises(msgspec.ValidationError, match=why):
        load_model(changed)


def test_silence_must_mean_something() -> None:
    """Both of its coefficients 0 is refused."""
    text = canonical_model(FULL).replace('"risk":0.8', '"risk":0.0').replace('"silence":0.1', '"silence":0.0')

    with pytest.raises(msgspec.ValidationError, match="silence would mean nothing"):
        load_model(text)
