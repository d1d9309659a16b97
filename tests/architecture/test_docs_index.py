"""docs/README.md leads to every page, and no page leads nowhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted(path for path in DOCS.rglob("*.md") if path != INDEX)
GROUPS = ["Tutorial", "How-to", "Reference", "Explanation"]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def targets(page: Path) -> set[Path]:
    """The files of this checkout to which a page leads."""
    found = LINK.findall(re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL))
    return {(page.parent / target).resolve() for target in found if "://" not in target}


def test_every_page_is_listed() -> None:
    """In one of the four groups."""
    assert PAGES
    assert set(PAGES) - targets(INDEX) == set()
    assert [line[3:].partition(":")[0] for line in INDEX.read_text().splitlines() if line.startswith("## ")] == GROUPS


@pytest.mark.parametrize("page", [INDEX, *PAGES], ids=lambda page: str(page.relative_to(DOCS)))
def test_a_page_leads_somewhere(page: Path) -> None:
    """Every relative link has a file at its end."""
    assert [str(target) for target in targets(page) if not target.exists()] == []
