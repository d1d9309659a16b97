"""Every story in this folder comes true; and the language itself lets nothing pass."""

from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.partition_records import BACKFILL_KEY
from tests.journal import Committed, Published, folded
from tests.scenarios.judging import Judge
from tests.scenarios.language import Story, read, stories
from tests.scenarios.playing import Play

TOLD = dict(stories(Path(__file__).parent))
A_DAY: dict[str, Any] = {
    "story": "One order",
    "policy": {"preset": "default", "currency": "USD", "zone": "UTC"},
    "watch": ["tier-changes"],
    "steps": [
        {
            "at": "2026-01-05 10:00",
            "order": {"id": "o1", "total": "40.00"},
            "expect": {
                "publishes": [{"tier": "member", "from": "none", "at": "2026-01-05 10:00", "cause": "event"}],
                "tier": "member",
                "spend": {"30d": "40.00"},
            },
        }
    ],
}


def played(story: Story) -> tuple[Play, list[str]]:
    """A story played to its end, and everything that is not as it tells it, with the step it belongs to."""
    play = Play(story)
    judge = Judge(play)
    found: list[str] = []
    for step in story.steps:
        play.play(step)
        found += [f"{step.until or step.go_live or step.at}: {difference}" for difference in judge.differences(step)]
    return play, found


def differences(story: Story) -> list[str]:
    """Everything that is not as a story tells it."""
    return played(story)[1]


@cache
def told(name: str) -> tuple[Play, list[str]]:
    """A story of this folder, played once for all tests."""
    return played(TOLD[name])


@pytest.mark.parametrize("name", TOLD)
def test_a_story_comes_true(name: str) -> None:
    """State, outputs and refusals after every step are those that the story tells, and no others."""
    found = told(name)[1]

    assert found == [], "\n".join(["", *found])


@pytest.mark.parametrize("name", TOLD)
def test_a_story_told_at_once_ends_the_same(name: str) -> None:
    """Its journal in one batch publishes what it published step by step, byte for byte."""
    play = told(name)[0]

    at_once = folded(play.journal.records)

    for topic in ("tier-changes", "churn-risk", "notices", "dead-letters"):
        assert at_once.topics[topic] == play.committed.topics[topic], topic
    assert changelog(at_once) == changelog(play.committed)
    assert last(at_once.topics["customer-profiles"]) == last(play.committed.topics["customer-profiles"])


def changelog(committed: Committed) -> dict[bytes, bytes | None]:
    """All but how far a history is at this moment, which is not what it led to."""
    return {key: value for key, value in committed.changelog.items() if key != BACKFILL_KEY}


def last(profiles: list[Published]) -> dict[bytes | None, Published]:
    """The newest profile of each customer."""
    return {record.key: record for record in profiles}


@pytest.mark.parametrize(
    ("place", "told", "complaint"),
    [
        (("tier",), "silver", "tier: expected silver, found member"),
        (("spend", "30d"), "40.01", "spend 30d: expected 4001, found 4000"),
        (("publishes", 0, "at"), "2026-01-05 10:01", "expected 2026-01-05T10:01:00.000Z"),
        (("publishes", 0, "cause"), "time", "cause: expected time, found event"),
        (("publishes",), [], "0 expected, 1 published"),
        (("refuses",), [{"reason": "late"}], "refused: expected"),
        (("repeats",), "1", "repeats: expected 1, found 0"),
        (("sequences",), {"tier-changes": "2"}, "sequences: expected"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_story_that_is_not_true_is_found_out(place: tuple[str | int, ...], told: object, complaint: str) -> None:
    """One wrong expectation gives one complaint that names it."""
    story = msgspec.json.decode(msgspec.json.encode(A_DAY))
    assert differences(read(story)) == []
    part = story["steps"][0]["expect"]
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = told

    found = differences(read(story))

    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize("word", ["teir", "publish"])
def test_a_word_that_the_language_does_not_know_is_refused(word: str) -> None:
    """A misspelt expectation must not pass as an expectation that is met."""
    story = msgspec.json.decode(msgspec.json.encode(A_DAY))
    story["steps"][0]["expect"][word] = "member"

    with pytest.raises(msgspec.ValidationError, match=word):
        read(story)


def test_no_two_stories_have_the_same_name() -> None:
    """A story that hides another would never be played."""
    names = list(chain.from_iterable([name] for name, _ in stories(Path(__file__).parent)))

    assert len(names) == len(set(names)) > 0
