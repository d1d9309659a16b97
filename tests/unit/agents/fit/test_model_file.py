"""The file of a model: what it holds, and what is refused."""

import json
from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.fit.backtest import backtest
from agents.fit.datasets import CDNOW_CALIBRATION_END
from agents.fit.fitting import fit
from agents.fit.model_file import write_model
from agents.model_file import read_model
from streams.models.churn_model import canonical_model, model_hash
from tests.fits import HORIZON_DAYS, OPTIONS, sample


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a fit to the CDNOW sample."""
    path = tmp_path_factory.mktemp("model") / "model.json"
    fitted = fit(sample(), CDNOW_CALIBRATION_END, OPTIONS, lambda _: None)
    outcomes = backtest(sample(), fitted.model, HORIZON_DAYS, [CDNOW_CALIBRATION_END + 92])
    write_model(path, fitted, outcomes, "later days")
    return path


def test_a_file_holds_the_model_and_how_it_came_about(written: Path) -> None:
    """Read again it is the same, and its hash is that of the model's text."""
    file = read_model(written)

    assert file.hash == model_hash(canonical_model(file.model))
    assert file.model.r == pytest.approx(0.524843, rel=1e-3)
    assert file.model.calibration is not None
    assert (file.fit["customers"], file.fit["first_day"], file.fit["until"]) == (2_357, "1997-01-01", "1997-09-30")
    assert file.fit["log_likelihood"] == pytest.approx(-9582.1357, abs=0.01)
    assert [row["group"] for row in file.holdout] == ["all", "once", "repeat"]
    assert len(file.holdout[0]["deciles"]) == 10
    assert list(written.parent.iterdir()) == [written]


def test_a_file_that_was_changed_is_refused(written: Path, tmp_path: Path) -> None:
    """The hash says so; a sign that breaks a law is refused whatever the hash says."""
    content = json.loads(written.read_bytes())
    content["model"]["r"] = 0.5
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="changed since it was fitted"):
        read_model(changed)

    content["model"]["calibration"]["silence"] = -1.0
    changed.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="no file of a model") as refused:
        read_model(changed)
    assert "silence" in refused.value.why


def test_what_is_no_file_of_a_model_is_refused(tmp_path: Path) -> None:
    """With its name and the command that makes one."""
    path = tmp_path / "model.json"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_model(path)
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="no file of a model") as refused:
        read_model(path)
    assert refused.value.next_step == "tierstream fit --out MODEL.json"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """No stack trace for a folder that is not there."""
    fitted = fit(sample(), CDNOW_CALIBRATION_END, OPTIONS, lambda _: None)

    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_model(tmp_path / "none" / "model.json", fitted, [], "")
