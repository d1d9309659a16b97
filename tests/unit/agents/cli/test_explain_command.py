"""`tierstream explain` as it is typed: the page that tells of it, JSON, and what is wrong."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.cli import USAGE_EXIT_CODE, run
from tests.console import Console

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "why-was-i-downgraded.md"
GOLDEN = Path(__file__).with_name("explanation.json")
FILES = {"policy.toml": "toml", "journal.jsonl": "json"}
FALLEN = "2026-04-10T12:00:00+02:00"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files."""
    text = PAGE.read_text(encoding="utf-8")
    for name, language in FILES.items():
        (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        (tmp_path / name).write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def console(folder: Path) -> Iterator[Console]:
    made = Console(folder)
    yield made
    made.close()


def explained(*more: str) -> int:
    return run(["explain", "ines", "--input", "journal.jsonl", "--policy", "policy.toml", *more])


def test_the_page_does_what_it_says(console: Console) -> None:
    """Every answer, in English and Chinese, to the letter."""
    assert console.follow(PAGE.read_text(encoding="utf-8")) == 3


@pytest.mark.usefixtures("folder")
def test_json_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read it: whatever is changed here breaks them."""
    assert explained("--at", FALLEN, "--json") == 0

    assert json.loads(capsys.readouterr().out) == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.usefixtures("folder")
def test_chinese_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A fall by time, sentence by sentence, with the tiers' Chinese names."""
    assert explained("--at", FALLEN, "--language", "zh") == 0

    assert capsys.readouterr().out == GOLDEN.with_suffix(".zh.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("folder")
def test_nobody_and_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody, nobody yet, and an instant that is none."""
    assert run(["explain", "nobody", "--input", "journal.jsonl", "--policy", "policy.toml"]) == 1
    assert "Nothing was known of 'nobody'." in capsys.readouterr().out
    assert explained("--at", "2025-01-01T00:00:00Z") == 1
    assert explained("--at", "yesterday") == USAGE_EXIT_CODE
    assert "--at yesterday is no instant" in capsys.readouterr().err
