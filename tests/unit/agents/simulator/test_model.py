"""The purchase model of a file: as a policy file has it, and spend beside it."""

from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.simulator.model import CDNOW_SPEND, Model, Spend, read_model
from streams.models.mbgnbd import CDNOW_1997, Parameters


def written(folder: Path, text: str) -> Path:
    path = folder / "model.toml"
    path.write_text(text)
    return path


def test_the_published_mean_order_comes_out() -> None:
    """Hardie's note 025: 35.25 with his rounded parameters."""
    assert CDNOW_SPEND.mean == pytest.approx(35.17, abs=0.01)


def test_a_policys_own_fit_and_spend_are_taken(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'name = "x"\n[churn]\nhorizon = "90 days"\nmodel = { name = "mine", r = 0.5, alpha = 6, a = 0.9, b = 1.6 }\n'
        "[spend]\np = 6.0\nq = 3.0\ngamma = 15.0\n",
    )
    assert read_model(path) == Model(Parameters("mine", 0.5, 6.0, 0.9, 1.6), Spend(6.0, 3.0, 15.0))


def test_a_built_in_model_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, '[churn]\nmodel = "cdnow-1997"\n')
    assert read_model(path) == Model(CDNOW_1997, CDNOW_SPEND)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[churn\n", "Expected ']'"),
        ("[spend]\np = 1\nq = 2\ngamma = 3\n", "missing required field `churn`"),
        ("[churn]\nmodel = { r = 0, alpha = 6, a = 0.9, b = 1.6 }\n", "> 0.0"),
        ("[churn]\nmodel = { r = nan, alpha = 6, a = 0.9, b = 1.6 }\n", "> 0.0"),
        ('[churn]\nmodel = "cdnow-1997"\n[spend]\np = 6\nq = 1\ngamma = 15\n', "> 1.0"),
        ('[churn]\nmodel = "mine"\n', "no built-in model `mine`"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_model(written(tmp_path, text))
    assert why in str(refused.value)
    assert "next:" in str(refused.value)
