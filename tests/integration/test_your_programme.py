"""The page that leads to rules of one's own, done as it says: its file, every command, every answer."""

import re
from pathlib import Path

import pytest

from tests.console import Console, steps

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
FILE = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "your-programme-in-20-lines.md"


def test_the_how_to_does_what_it_says(console: Console) -> None:
    """The reader saves the page's only file, and types its commands; the Chinese page has the same."""
    page = HOW_TO.read_text(encoding="utf-8")
    chinese = HOW_TO.with_suffix(".zh-CN.md").read_text(encoding="utf-8")
    (file,) = re.findall(FILE, page)
    assert re.findall(FILE, chinese) == [file]
    assert steps(chinese) == steps(page)
    (console.folder / "policy.toml").write_text(file, encoding="utf-8")

    assert console.follow(page) > 12
