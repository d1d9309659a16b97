"""Hostile input: every class of it meets a named refusal, and nothing is raised."""

import time

import pytest

from schemas.cloudevents import decode_input
from schemas.events import OrderCompleted
from schemas.rejections import Rejected
from tests.contracts.hostile.envelopes import BINARY, DATA, ENVELOPES, structured
from tests.contracts.hostile.fields import FIELDS
from tests.contracts.hostile.item import ORDER, Hostile
from tests.contracts.hostile.syntax import SYNTAX

CORPUS = [*SYNTAX, *FIELDS, *ENVELOPES]
QUOTED_CHARACTERS_MAX = 64


def test_the_corpus_starts_from_what_is_accepted() -> None:
    """Each hostile input differs from an accepted one by what it is named after."""
    assert isinstance(decode_input(ORDER), OrderCompleted)
    assert isinstance(decode_input(structured()), OrderCompleted)
    assert isinstance(decode_input(DATA, BINARY), OrderCompleted)


def test_the_corpus_is_wide() -> None:
    """At least sixty classes, each under a name of its own."""
    assert len({item.name for item in SYNTAX} | {item.name for item in FIELDS}) + len(ENVELOPES) >= 60
    for group in (SYNTAX, FIELDS, ENVELOPES):
        assert len({item.name for item in group}) == len(group)


@pytest.mark.parametrize("item", CORPUS, ids=lambda item: item.name)
def test_hostile_input_is_refused_by_name(item: Hostile) -> None:
    """The reason is the expected one, and the stage says where it was found."""
    refusal = decode_input(item.value, item.headers)

    assert isinstance(refusal, Rejected), refusal
    assert refusal.reason is item.reason, refusal.detail
    assert refusal.stage == "decode"


@pytest.mark.parametrize("item", CORPUS, ids=lambda item: item.name)
def test_a_refusal_can_be_shown_anywhere(item: Hostile) -> None:
    """The detail is one printable line of ASCII and never repeats a long stretch of the input."""
    refusal = decode_input(item.value, item.headers)
    assert isinstance(refusal, Rejected)
    detail, source = refusal.detail, (item.value or b"").decode("latin-1")

    assert detail
    assert detail.isascii()
    assert detail.isprintable()
    assert len(detail) < 400
    window = QUOTED_CHARACTERS_MAX + 1
    assert not any(source[start : start + window] in detail for start in range(max(0, len(source) - window)))


def test_no_hostile_input_takes_long() -> None:
    """The slowest input of the corpus costs milliseconds of this thread, so no producer can stall a partition."""

    def seconds(item: Hostile) -> float:
        began = time.thread_time()
        decode_input(item.value, item.headers)
        return time.thread_time() - began

    # The best of three, because the garbage collector of a long test run may pass by.
    assert max(min(seconds(item) for _ in range(3)) for item in CORPUS) < 0.1
