"""The transitions that the documentation draws are those that the stories show, and it shows them as they are."""

from functools import cache

import pytest

from tests.scenarios.transitions import BLOCK, PAGE, TABLE, seen, told, written

STORIES = told()
ROWS = [(name, row) for name, diagram in TABLE["diagrams"].items() for row in diagram["rows"]]


@cache
def shown(story: str) -> set[tuple[str, str]]:
    """What a story shows, played once."""
    return seen(STORIES[story])


@pytest.mark.parametrize(("clock", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else value["on"])
def test_a_transition_is_seen_in_its_story(clock: str, row: dict[str, str]) -> None:
    """Played through the fold, the story's place moves as the table says."""
    assert (row["from"], row["to"]) in shown(row["story"]), clock


def test_the_page_shows_every_diagram_as_the_table_has_it() -> None:
    """`python -m tests.scenarios.transitions` writes it again."""
    page = PAGE.read_text(encoding="utf-8")

    assert {found[3] for found in BLOCK.finditer(page) if found[2] == "diagram"} == set(TABLE["diagrams"])
    assert written(page, STORIES) == page


def test_a_transition_that_no_story_shows_is_found_out() -> None:
    """A ladder on a calendar year without grace has no grace period."""
    story = STORIES["On a calendar year a tier is reviewed on 1 January by the year that ended"]

    assert ("held", "grace") not in seen(story)
    assert ("held", "higher") not in seen(story)
