"""The pages that lead to the first own customer and to own rules, done as they say: every command, every answer.

In one file, because pages name the standard ports: only one can be followed at a time.
"""

import re
from pathlib import Path

import pytest

from agents.cli import run
from tests.console import Console, steps

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300, func_only=True)]  # others on this machine are waited for
FILE = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def test_the_how_to_for_your_shop_does_what_it_says(console: Console) -> None:
    """The Chinese page has the same commands and answers, so that it is run as well."""
    page = HOW_TO / "your-shop-in-ten-minutes.md"
    english, chinese = page.read_text(), page.with_suffix(".zh-CN.md").read_text()

    assert steps(english) == steps(chinese)
    assert console.follow(english) > 20


def test_the_readme_of_a_new_folder_does_what_it_says(console: Console) -> None:
    """Of the kind whose rules differ most from those of the how-to, in a currency with a decimal comma."""
    folder = console.folder
    assert run(["init", str(folder), "--currency", "EUR", "--zone", "Europe/Berlin", "--kind", "coffee"]) == 0

    assert console.follow((folder / "README.md").read_text()) > 15
    assert (folder / "policy.toml.bak").exists()


def test_the_how_to_for_your_programme_does_what_it_says(console: Console) -> None:
    """The reader saves the page's only file, and types its commands; the Chinese page has the same."""
    source = HOW_TO / "your-programme-in-20-lines.md"
    page, chinese = source.read_text(encoding="utf-8"), source.with_suffix(".zh-CN.md").read_text(encoding="utf-8")
    (file,) = re.findall(FILE, page)
    assert re.findall(FILE, chinese) == [file]
    assert steps(chinese) == steps(page)
    (console.folder / "policy.toml").write_text(file, encoding="utf-8")

    assert console.follow(page) > 12
