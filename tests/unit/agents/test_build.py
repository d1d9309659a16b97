"""The version says whether the fold was compiled; compiled or not, it publishes the same bytes."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from agents import build
from agents.build import core_is_compiled, version_text
from agents.cli import root
from tests.churn import FULL
from tests.unit.agents.backtest.test_moves import wild
from tests.unit.agents.replay.journals import files

TIERSTREAM = (sys.executable, "-c", "from agents.cli import main; main()")


def test_the_version_says_whether_the_core_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    for file, compiled, told in (
        ("streams/process.py", False, version("tierstream")),
        ("streams/process.cpython-311-x86_64-linux-gnu.so", True, f"{version('tierstream')} (compiled core)"),
        ("streams/process.cp311-win_amd64.pyd", True, f"{version('tierstream')} (compiled core)"),
    ):
        monkeypatch.setattr(build, "process", type("module", (), {"__file__": file}))
        assert (core_is_compiled(), version_text()) == (compiled, told)


def test_the_command_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    root(with_help_lines=False)("--version", exit_on_error=False)
    assert capsys.readouterr().out.strip() == version_text()


@pytest.mark.skipif(not core_is_compiled(), reason="asks what `make compiled` has built, in `make test-compiled`")
def test_both_builds_publish_the_same_bytes(tmp_path: Path) -> None:
    """Everything that may happen, under every layer of a model, folded by either."""
    compiled = Path(build.__file__).parents[1]
    published = {}
    for folder in (compiled, compiled.parent):
        told = subprocess.run((*TIERSTREAM, "--version"), cwd=folder, check=True, capture_output=True, text=True).stdout
        assert ("compiled" in told) is (folder == compiled)
        for model, history_days in ((None, 0), (FULL, 250)):
            out = tmp_path / f"{folder.name}-{history_days}"
            journal = wild(7, model, history_days).path
            command = (*TIERSTREAM, "replay", "--input", journal, "--out", str(out), "--jobs", "1")
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            published[folder, history_days] = files(out)
    for history_days in (0, 250):
        assert published[compiled, history_days] == published[compiled.parent, history_days]
        assert all(published[compiled, history_days][f"{name}.jsonl"] for name in ("tier-changes", "churn-risk"))
