"""The documentation in the terminal: every page, by the names that people and links use, whole or in part."""

from pathlib import Path

import pytest

from agents.cli import run
from agents.errors import ConfigurationError
from agents.manual import Page, page, pages, section
from agents.runtime.holders import REMEDY

DOCS = Path(__file__).parents[3] / "docs"


def test_every_page_is_there_with_its_title() -> None:
    """All but the index, which the list replaces."""
    found = {each.name: each for each in pages()}

    assert {f"{name}.md" for name in found} == {str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md")} - {"README.md"}
    assert found["runbook"].title == "Runbook"
    assert all(each.title != each.name for each in found.values())


@pytest.mark.parametrize("asked", ["reference/doctor", "doctor", "docs/reference/doctor.md"])
def test_a_page_goes_by_its_path_its_last_part_or_its_link(asked: str) -> None:
    assert page(asked).name == "reference/doctor"


def test_no_two_pages_share_their_last_part() -> None:
    """Else the short name would lead to one of them."""
    names = [each.name.rpartition("/")[2] for each in pages()]
    assert len(names) == len(set(names))


def test_a_part_ends_before_the_next_of_its_rank() -> None:
    """Deeper headings belong to it; what stands in a block of code is none."""
    text = "# P\n\n## One: a `b`!\n\n```console\n# no heading\n```\n\n### Deeper\n\nx\n\n## Two\n\ny\n"
    written = Page("p", "P", text)

    assert section(written, "one-a-b") == text[text.index("## One") : text.index("\n## Two")]
    assert section(written, "two") == "## Two\n\ny\n"
    with pytest.raises(ConfigurationError) as refused:
        section(written, "no-heading")
    assert refused.value.next_step == "tierstream docs p"


@pytest.mark.parametrize(
    ("asked", "next_step"),
    [("runbok", "docs runbook"), ("doctor#rediss", "docs reference/doctor#redis"), ("?", "docs")],
)
def test_what_is_not_there_is_told_with_what_is_near(
    asked: str, next_step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["docs", asked]) == 2
    assert capsys.readouterr().err.endswith(f"next:  tierstream {next_step}\n")


def test_what_the_log_of_a_worker_leads_to_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands, typed into a shell; not set for a terminal when it goes elsewhere."""
    assert run(REMEDY.split()[1:]) == 0
    assert capsys.readouterr().out.startswith("## A transaction that nobody ends\n\nSeen once")


def test_the_list_names_every_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs"]) == 0
    said = capsys.readouterr().out
    assert all(each.name in said for each in pages())
