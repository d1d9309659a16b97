"""`tierstream fit` as it is typed."""

import json
from pathlib import Path

import pytest

from agents.cli import fit as command
from agents.cli import run


def test_the_sample_gives_the_published_parameters_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the model and the page written beside."""
    model, report = tmp_path / "model.json", tmp_path / "report"
    arguments = ["fit", "--dataset", "cdnow-sample", "--json", "--out", str(model), "--report", str(report)]

    assert run(arguments) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["model"] == "cdnow-sample-1997-09-30"
    assert found["time_unit"] == "weeks"
    assert [found[name] for name in ("r", "alpha", "a", "b")] == pytest.approx(
        [0.524843, 6.183085, 0.891359, 1.614002], rel=1e-3
    )
    assert found["log_likelihood"] == pytest.approx(-9582.1357, abs=0.01)
    assert found["customers"] == 2_357
    assert [(row["day"], row["group"]) for row in found["holdout"]][:4] == [
        ("1997-09-30", "all"),
        ("1997-09-30", "once"),
        ("1997-09-30", "repeat"),
        ("1997-12-29", "all"),
    ]
    assert json.loads(model.read_bytes())["hash"] == found["hash"]
    assert found["report"] == str(report / "report.html")


def test_a_person_gets_the_report_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """BG/NBD in days, another name, without the calibration."""
    arguments = ["--family", "bg-nbd", "--time-unit", "days", "--name", "mine", "--no-calibration"]

    assert run(["fit", "--dataset", "cdnow-sample", *arguments]) == 0

    told = capsys.readouterr().out
    assert "mine (bg-nbd, days)" in told
    assert "0.2425" in told
    assert "calibration  " not in told
    assert "Judged on what came after 1997-09-30" in told
    assert "lift" in told
    assert "--out MODEL.json keeps the model" in told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--dataset", "cdnow-sample", "--input", "x"], "exclude each other"),
        (["--dataset", "cdnow-sample", "--until", "yesterday"], "--until yesterday is no day"),
        (["--dataset", "cdnow-sample", "--until", "1999-01-01"], "there are purchases from 1997-01-01 to 1998-06-30"),
        (["--dataset", "cdnow-sample", "--until", "1997-04-01"], "91 days of history, at least 180"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason."""
    assert run(["fit", *arguments]) == 2

    assert complaint in capsys.readouterr().err


def test_a_missing_extra_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are large, and a worker needs neither."""
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "scipy" else object())

    assert run(["fit", "--dataset", "cdnow-sample"]) == 2

    told = capsys.readouterr().err
    assert "Python packages scipy" in told
    assert "uv sync --extra fit" in told
