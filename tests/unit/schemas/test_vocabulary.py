"""Open vocabularies and members that nobody reads."""

import json

import pytest

from schemas.strictness import unknown_members
from schemas.vocabulary import BROWSE_ACTIONS, CHANNEL_TYPES, known_word


@pytest.mark.parametrize(
    ("text", "word"),
    [("search", "search"), ("Add_To_Cart", "add_to_cart"), ("hover", "other"), ("", ""), ("other", "other")],
)
def test_an_unknown_word_is_read_as_other(text: str, word: str) -> None:
    """Case does not matter, saying nothing stays nothing."""
    assert known_word(text, BROWSE_ACTIONS) == word


def test_no_vocabulary_has_the_word_other() -> None:
    """`other` always means that the word was not known."""
    assert "other" not in BROWSE_ACTIONS | CHANNEL_TYPES


def test_members_that_nobody_reads_are_named_with_their_place() -> None:
    """A misspelt member is the commonest silent mistake of a producer."""
    order = {
        "type": "order.completed",
        "couponn": "x",
        "products": [{"product_id": "p"}, {"product_id": "q", "colour": "red"}],
        "campaign": {"utm_source": "x"},
        "test": True,
    }

    assert unknown_members(json.dumps(order).encode()) == ["couponn", "products.colour", "campaign.utm_source"]


@pytest.mark.parametrize("value", [b"{", b'{"specversion":"1.0","type":"x","trace":"y"}', b"\x00\x00\x00\x00\x01{}"])
def test_what_is_no_flat_event_has_no_unknown_members(value: bytes) -> None:
    """CloudEvents may carry extensions, and broken JSON is somebody else's to refuse."""
    assert unknown_members(value) == []
