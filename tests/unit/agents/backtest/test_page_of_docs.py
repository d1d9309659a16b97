"""docs/how-to/before-you-change-a-threshold.md is true: its commands run and answer what it shows."""

from pathlib import Path

from tests.console import Console

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "before-you-change-a-threshold.md"


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    """Every command of its console blocks, with the answers shown."""
    console = Console(tmp_path)
    try:
        assert console.follow(PAGE.read_text(encoding="utf-8")) == 6
    finally:
        console.close()
