"""The page of formats says something about everything that a mapping file may say and a format may mean."""

from typing import get_args

import pytest

from agents import reference_formats as page
from schemas.formats import segment
from schemas.formats.mapping import Test
from schemas.formats.record import FORMATS, MAPPED_FORMATS, SkipCause
from streams.mappings.fields import OPTIONS
from streams.mappings.parse import CSV_KEYS, MAPPING_KEYS, ROOTS


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (page.FORMATS, {*FORMATS, *MAPPED_FORMATS}),
        (page.CAUSES, set(SkipCause)),
        (page.TESTS, set(get_args(Test))),
        (page.WORDS, {option for options in OPTIONS.values() for option in options}),
        (page.KINDS, set(OPTIONS)),
        (page.MAPPING, set(MAPPING_KEYS)),
        (page.CSV, set(CSV_KEYS)),
        ({name.lower(): words for name, words in page.ORDERS.items()}, set(segment.ORDERS)),
        (page.CALLS, set(segment.CALLS) - {"track"}),
        (ROOTS, set(MAPPED_FORMATS)),
    ],
)
def test_nothing_is_left_out_and_nothing_is_made_up(told: dict[str, str], known: set[str]) -> None:
    """A word that is added to the code has to be added here."""
    assert set(told) == known
    assert all(told.values())


def test_the_page_is_whole() -> None:
    """Every part has found its place."""
    text = page.formats_page("note")

    assert "{{" not in text
    assert all(f"`{action}`" in text for action in segment.ACTIONS.values())
