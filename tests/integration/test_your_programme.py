"""The page that leads to rules of one's own, done as it says: its file, every command, every answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console import Console

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "your-programme-in-20-lines.md"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """An empty folder."""
    made = Console(tmp_path)
    yield made
    made.close()


def test_the_how_to_does_what_it_says(console: Console) -> None:
    """The reader saves the page's only file, and types its commands."""
    page = HOW_TO.read_text(encoding="utf-8")
    (file,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (console.folder / "policy.toml").write_text(file, encoding="utf-8")

    assert console.follow(page) > 12
