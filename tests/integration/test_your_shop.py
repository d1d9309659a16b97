"""The pages that lead to the first own customer, done as they say: every command, every answer, on real servers."""

from pathlib import Path

import pytest

from agents.cli import run
from tests.console import Console, steps

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "your-shop-in-ten-minutes.md"


def test_the_how_to_does_what_it_says(console: Console) -> None:
    """The Chinese page has the same commands and answers, so that it is run as well."""
    english, chinese = HOW_TO.read_text(), HOW_TO.with_suffix(".zh-CN.md").read_text()

    assert steps(english) == steps(chinese)
    assert console.follow(english) > 20


def test_the_readme_of_a_new_folder_does_what_it_says(console: Console) -> None:
    """Of the kind whose rules differ most from those of the how-to, in a currency with a decimal comma."""
    folder = console.folder
    assert run(["init", str(folder), "--currency", "EUR", "--zone", "Europe/Berlin", "--kind", "coffee"]) == 0

    assert console.follow((folder / "README.md").read_text()) > 15
    assert (folder / "policy.toml.bak").exists()
